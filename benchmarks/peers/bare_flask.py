"""The peer: bare Flask with SQLAlchemy rows and PyJWT, on the same tables, doing the same reads without our layers."""

from __future__ import annotations

import os

import jwt
import orjson
from flask import Flask, Response, abort, request
from sqlalchemy import create_engine, text

app = Flask(__name__)
url = os.environ.get("DATABASE_URL", "postgresql://").replace("postgresql://", "postgresql+psycopg://")
engine = create_engine(url, pool_size=8, max_overflow=0)
SECRET = "a secret of the benchmark, thirty-two bytes"


@app.get("/health-check")
def health() -> Response:
    return Response(b'{"ruok":true}', content_type="application/json")


@app.get("/lessons/<slug>")
def lesson(slug: str) -> Response:
    """One lesson and the learner's state in it."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    user_id = int(jwt.decode(token, SECRET, algorithms=["HS256"])["sub"])
    with engine.connect() as connection:
        row = connection.execute(
            text(
                "select l.slug, l.type, l.walkthrough_video_data, l.data, u.started_at, u.completed_at "
                "from learning.lessons l left join learning.user_lessons u on u.lesson_id = l.id and u.user_id = :user "
                "where l.slug = :slug"
            ),
            {"user": user_id, "slug": slug},
        ).one_or_none()
    if row is None:
        abort(404)
    body = {
        "lesson": {
            "slug": row.slug,
            "type": row.type,
            "walkthrough_video_data": row.walkthrough_video_data,
            "data": row.data,
        },
        "status": "completed" if row.completed_at else "started" if row.started_at else None,
    }
    return Response(orjson.dumps(body), content_type="application/json")


def token_for(user_id: int) -> str:
    return jwt.encode({"sub": str(user_id)}, SECRET, algorithm="HS256")
