"""Attachments of submissions, materials of lessons, images of texts: by ticket, by link, and nobody else's."""

from __future__ import annotations

import hashlib
import random
import resource
import struct
import uuid
import zlib

import pytest
from sqlalchemy import text

from jiki_auth.testing import make_user, signed_in
from jiki_core.contracts import Accounts, ask
from jiki_core.db import reading, unit_of_work
from jiki_core.plugins.erasing import erase_person, export_person
from jiki_core.storage.sweeps import sweep_files
from jiki_core.testing import ApiClient, drain_outbox
from jiki_learning.file_kinds import MAX_SUBMISSION_ATTACHMENTS
from jiki_learning.testing import make_learner, warm_cost

ORIGIN = "http://localhost:3060"
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def png(width: int = 2, height: int = 2, after: bytes = b"", *, noise: bool = False) -> bytes:
    """A grey image, or one of noise, which cannot be packed."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    shades = random.Random(1).randbytes(width * height) if noise else b"\x80" * (width * height)
    pixels = b"".join(b"\0" + shades[row * width : (row + 1) * width] for row in range(height))
    rows = chunk(b"IDAT", zlib.compress(pixels))
    return b"\x89PNG\r\n\x1a\n" + head + rows + chunk(b"IEND", b"") + after


def upload(app, client, body: bytes = PDF, *, kind: str = "learning.submission", filename: str = "notes.pdf") -> str:
    """Asks for a ticket and sends the file; returns the ticket's id."""
    told = {"kind": kind, "filename": filename, "byte_size": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    issued = client.post("internal/uploads", {"upload": told}).expect(201).body["upload"]
    ApiClient(app).call("PUT", issued["url"].removeprefix(ORIGIN), data=body, headers=issued["headers"]).expect(204)
    return issued["id"]


def fetch(app, url: str):
    return ApiClient(app).get(url.removeprefix(ORIGIN))


@pytest.fixture
def submission(learner) -> str:
    """The path of the attachments of a submission."""
    learner.submit("lesson-1-1").expect(201)
    latest = learner.get("lessons/lesson-1-1/exercise_submissions/latest").body["submission"]
    return f"internal/submissions/{latest['uuid']}/attachments"


def attach(learner, path: str, upload_id: str):
    return learner.client.post(path, {"attachment": {"upload_id": upload_id}})


def test_a_learner_adds_a_file_to_a_submission_and_reads_it_by_a_link(db, learner, submission):
    assert learner.client.get(submission).expect(200).body["attachments"] == []
    made = attach(learner, submission, upload(db, learner.client)).expect(201).body["attachment"]
    assert (made["filename"], made["content_type"], made["byte_size"]) == ("notes.pdf", "application/pdf", len(PDF))
    assert made["sha256"] == hashlib.sha256(PDF).hexdigest()
    (listed,) = learner.client.get(submission).expect(200).body["attachments"]
    assert listed["id"] == made["id"]
    served = fetch(db, listed["url"]).expect(200)
    assert served.response.data == PDF
    assert served.headers["Content-Disposition"].startswith("attachment;")


def test_a_file_can_be_taken_off_again(db, learner, submission):
    made = attach(learner, submission, upload(db, learner.client)).expect(201).body["attachment"]
    learner.client.delete(f"{submission}/{made['id']}").expect(204)
    drain_outbox(db)
    assert learner.client.get(submission).body["attachments"] == []
    fetch(db, made["url"]).expect(404, "not_found")
    learner.client.delete(f"{submission}/{made['id']}").expect(404, "not_found")
    learner.client.delete(f"{submission}/nonsense").expect(404, "not_found")


def test_a_submission_takes_so_many_files(db, learner, submission):
    for _ in range(MAX_SUBMISSION_ATTACHMENTS):
        attach(learner, submission, upload(db, learner.client)).expect(201)
    refused = attach(learner, submission, upload(db, learner.client)).expect(422, "too_many_files")
    assert refused.error["max"] == MAX_SUBMISSION_ATTACHMENTS
    assert len(learner.client.get(submission).body["attachments"]) == MAX_SUBMISSION_ATTACHMENTS


def test_submissions_and_uploads_are_their_owners(db, learner, submission):
    other = make_learner(db)
    theirs = upload(db, learner.client)
    attach(other, submission, upload(db, other.client)).expect(404, "not_found")
    other.client.get(submission).expect(404, "not_found")
    other.submit("lesson-1-1").expect(201)
    latest = other.get("lessons/lesson-1-1/exercise_submissions/latest").body["submission"]["uuid"]
    own = f"internal/submissions/{latest}/attachments"
    attach(other, own, theirs).expect(404, "upload_not_found")
    made = attach(learner, submission, theirs).expect(201).body["attachment"]
    other.client.delete(f"{own}/{made['id']}").expect(404, "not_found")
    attach(learner, submission, theirs).expect(404, "upload_not_found")


@pytest.mark.parametrize("upload_id", ["nonsense", str(uuid.UUID(int=0))])
def test_an_upload_that_nobody_has_is_not_found(learner, submission, upload_id):
    attach(learner, submission, upload_id).expect(404, "upload_not_found")


def test_what_a_file_really_is_counts(db, learner, submission):
    disguised = upload(db, learner.client, png(after=b"<?php 1 ?>"), filename="a.png")
    attach(learner, submission, disguised).expect(422, "file_disguised")
    assert learner.client.get(submission).body["attachments"] == []


@pytest.fixture
def admin(db) -> ApiClient:
    return signed_in(db, make_user(db, is_admin=True))


@pytest.fixture
def materials(learner, admin) -> str:
    """The admin's path of a lesson's materials."""
    level = admin.get("admin/levels?course_slug=coding-fundamentals").body["results"][0]
    lesson = admin.get(f"admin/levels/{level['id']}/lessons").body["lessons"][0]
    return f"admin/levels/{level['id']}/lessons/{lesson['id']}/materials"


def test_an_editor_adds_material_to_a_lesson_and_learners_get_it(db, learner, admin, materials):
    sent = upload(db, admin, kind="learning.material", filename="slides.pdf")
    made = admin.post(materials, {"material": {"upload_id": sent}}).expect(201).body["material"]
    assert [one["id"] for one in admin.get(materials).expect(200).body["materials"]] == [made["id"]]
    (shown,) = learner.get("lessons/lesson-1-1/materials").expect(200).body["materials"]
    assert fetch(db, shown["url"]).expect(200).response.data == PDF
    assert learner.get("lessons/lesson-1-2/materials").body["materials"] == []
    learner.get("lessons/none/materials").expect(404, "lesson_not_found")
    admin.delete(f"{materials}/{made['id']}").expect(204)
    admin.delete(f"{materials}/{made['id']}").expect(404, "not_found")
    assert learner.get("lessons/lesson-1-1/materials").body["materials"] == []


def test_learners_upload_no_material(db, learner, materials):
    told = {"kind": "learning.material", "filename": "a.pdf", "byte_size": 9, "sha256": "0" * 64}
    learner.client.post("internal/uploads", {"upload": told}).expect(403, "forbidden")
    learner.client.post(materials, {"material": {"upload_id": "x"}}).expect(403, "forbidden")


def test_material_of_a_lesson_that_is_not_the_levels_is_not_found(db, admin, materials):
    wrong = materials.replace("admin/levels/", "admin/levels/9")
    admin.get(wrong).expect(404, "lesson_not_found")
    admin.post(wrong, {"material": {"upload_id": "x"}}).expect(404, "lesson_not_found")


def send_image(client: ApiClient, body: bytes | None, filename: str = "a.png", field: str = "image"):
    """As a browser would; encoded here, for werkzeug's own encoder leaves its temporary file open."""
    disposition = f'Content-Disposition: form-data; name="{field}"; filename="{filename}"'
    part = b"" if body is None else f"--cut\r\n{disposition}\r\n\r\n".encode() + body + b"\r\n"
    return client.call(
        "POST", "admin/images", data=part + b"--cut--\r\n", content_type="multipart/form-data; boundary=cut"
    )


@pytest.mark.parametrize("filename", ["a.png", "photo.jpg", "anything", "a.php"])
def test_an_image_of_a_text_gets_a_url_for_everybody(db, admin, filename):
    made = send_image(admin, png(3, 4), filename).expect(201).body
    assert set(made) == {"url"}
    assert made["url"].startswith(f"{ORIGIN}/files/public/blobs/")
    served = fetch(db, made["url"]).expect(200)
    assert (served.response.data, served.headers["Content-Type"]) == (png(3, 4), "image/png")
    assert served.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("body", "field", "symbol"),
    [
        (None, "image", "no_image_provided"),
        (png(), "picture", "no_image_provided"),
        (b"", "image", "invalid_image_type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image", "invalid_image_type"),
        (PDF, "image", "invalid_image_type"),
        (png(after=b"<script>"), "image", "invalid_image_type"),
        (png(50_000, 1), "image", "invalid_image_type"),
        (png(after=b"\0" * 5_300_000), "image", "file_too_large"),
        (png(after=b"\0" * 5_243_000), "image", "file_too_large"),
    ],
    ids=("no body", "other field", "empty", "svg", "pdf", "script", "too wide", "body too large", "image too large"),
)
def test_what_is_no_image_is_refused_with_the_contracts_symbols(admin, body, field, symbol):
    send_image(admin, body, field=field).expect(422, symbol)


def test_an_image_that_the_disk_has_no_room_for_is_507_and_the_next_request_is_fine(admin):
    """RLIMIT_FSIZE stands in for a full disk."""
    large = png(500, 500, noise=True)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        send_image(admin, large).expect(507, "storage_full")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    send_image(admin, large).expect(201)


def test_learners_keep_no_images(learner):
    send_image(learner.client, png()).expect(403, "forbidden")


def test_files_of_a_learner_are_exported_and_erased(db, learner, submission):
    made = attach(learner, submission, upload(db, learner.client)).expect(201).body["attachment"]
    host = db.extensions["jiki.host"]
    with db.app_context():
        (told,) = export_person(host, learner.id)["plugins"]["core"]["blobs"]
        assert (told["id"], told["filename"], told["kind"]) == (made["id"], "notes.pdf", "learning.submission")
        address = ask(Accounts).get_many([learner.id])[0].email
        with unit_of_work() as uow:
            erase_person(uow, host, learner.id, addresses=[address], reason="asked")
        drain_outbox(db)
    fetch(db, made["url"]).expect(404, "not_found")


def test_files_of_a_submission_that_is_gone_are_swept_and_material_stays_when_its_editor_is_erased(
    db, learner, submission, admin, materials
):
    gone = attach(learner, submission, upload(db, learner.client)).expect(201).body["attachment"]
    sent = upload(db, admin, kind="learning.material", filename="slides.pdf")
    stays = admin.post(materials, {"material": {"upload_id": sent}}).expect(201).body["material"]
    with db.app_context():
        owner = reading().execute(text("select user_id from core.blobs where id = :id"), {"id": stays["id"]}).scalar()
        assert owner is None, "material is the installation's, not its uploader's"
        with unit_of_work() as uow:
            uow.session.execute(text("delete from learning.exercise_submissions"))
            uow.enqueue(sweep_files)
        drain_outbox(db)
    fetch(db, gone["url"]).expect(404, "not_found")
    fetch(db, stays["url"]).expect(200)


def test_a_list_of_materials_costs_the_same_for_one_and_for_five(db, learner, admin, materials):
    def add() -> None:
        admin.post(materials, {"material": {"upload_id": upload(db, admin, kind="learning.material")}}).expect(201)

    add()
    for_one = warm_cost(db, learner, "lessons/lesson-1-1/materials")
    for _ in range(4):
        add()
    assert warm_cost(db, learner, "lessons/lesson-1-1/materials") == for_one
