"""Avatars: what is taken, what is kept of it, and that a made-up image hurts nobody (contract.md 3.18, trust.md 1.5)."""

from __future__ import annotations

import io
import struct
import zlib
from urllib.parse import urlsplit

import pytest
from PIL import Image

from jiki_auth import avatar_child, avatars
from jiki_auth.commands.delete_account import delete_account
from jiki_auth.errors import InvalidAvatar
from jiki_auth.testing import make_user, signed_in
from jiki_core.db import unit_of_work
from jiki_core.errors import Unavailable
from jiki_core.testing import ApiClient, drain_outbox

SECRET = b"canary-in-the-metadata"


def encoded(kind, image=None, **options):
    target = io.BytesIO()
    (image or Image.new("RGB", (640, 320), "teal")).save(target, kind, **options)
    return target.getvalue()


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def monochrome_png(width, height):
    """One bit a pixel, so that little is sent and much would be decoded."""
    packer, line = zlib.compressobj(9), b"\0" * (width // 8 + 2)
    packed = b"".join(packer.compress(line) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def put(client, content, name="me.png", declared="image/png", method="PUT"):
    """As a browser sends it; Werkzeug's own encoder leaves the temporary file of a large one open."""
    head = f'Content-Disposition: form-data; name="avatar"; filename="{name}"\r\nContent-Type: {declared}\r\n\r\n'
    body = b"--border\r\n" + head.encode() + content + b"\r\n--border--\r\n"
    form = "multipart/form-data; boundary=border"
    return client.call(method, "internal/profile/avatar", data=body, content_type=form)


def fetched(app, url):
    """(status, headers, content) of what lies behind an avatar's URL."""
    with app.test_client().get(url) as answer:
        return answer.status_code, answer.headers, answer.data


@pytest.fixture
def learner(db):
    return signed_in(db)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_an_avatar_is_shown_in_the_profile_and_to_oneself(db, learner, method):
    profile = put(learner, encoded("PNG"), method=method).expect(200).body["profile"]
    assert profile["avatar_url"].startswith("http")
    assert learner.get("internal/profile").body["profile"] == profile
    assert learner.get("internal/me").body["user"]["avatar_url"] == profile["avatar_url"]


@pytest.mark.parametrize(
    ("kind", "declared"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("GIF", "image/gif"), ("WEBP", "image/webp")],
)
def test_four_types_are_taken_and_one_is_kept(db, learner, kind, declared):
    url = put(learner, encoded(kind), declared=declared).expect(200).body["profile"]["avatar_url"]
    status, headers, content = fetched(db, url)
    assert (status, headers["Content-Type"]) == (200, "image/webp")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert Image.open(io.BytesIO(content)).size == (512, 256)


def test_a_cdn_may_keep_it_whoever_asks_first(db, learner):
    url = put(learner, encoded("PNG")).expect(200).body["profile"]["avatar_url"]
    headers = learner.call("GET", urlsplit(url).path).headers
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Set-Cookie" not in headers


def test_a_browser_that_does_not_know_the_type_is_believed_by_the_bytes(db, learner):
    put(learner, encoded("JPEG"), name="blob", declared="application/octet-stream").expect(200)


def test_a_small_picture_stays_as_small_as_it_is(db):
    with db.app_context():
        drawn = avatars.reencode(encoded("PNG", Image.new("RGBA", (40, 30), (255, 0, 0, 10))))
    image = Image.open(io.BytesIO(drawn))
    assert (image.size, image.mode) == ((40, 30), "RGBA")


def test_metadata_is_gone_and_the_picture_is_upright(db):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, SECRET.decode()  # turned by 90 degrees; the camera's maker
    exif.get_ifd(0x8825)[1] = "N"  # a position
    sent = encoded("JPEG", exif=exif, comment=SECRET, icc_profile=SECRET * 10)
    assert SECRET in sent
    with db.app_context():
        drawn = avatars.reencode(sent)
    assert SECRET not in drawn
    image = Image.open(io.BytesIO(drawn))
    assert image.size == (256, 512)
    assert not image.getexif()
    assert not {"exif", "xmp", "icc_profile", "comment"} & set(image.info)


@pytest.mark.parametrize(
    ("content", "declared", "reason"),
    [
        (b"not a picture at all", "image/png", "no_image"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "image/png", "no_image"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml", "content_type"),
        (encoded("PNG"), "text/html", "content_type"),
        (encoded("BMP"), "image/png", "no_image"),
        (encoded("TIFF"), "image/png", "no_image"),
        (encoded("PNG") + b"<?php system($_GET['c']); ?>", "image/png", "script_inside"),
        (encoded("PNG") + b"anything", "image/png", "data_after_image"),
        (encoded("GIF") + b"<script>alert(1)</script>", "image/gif", "script_inside"),
        (encoded("JPEG") + b"PK\x05\x06" + b"\0" * 18, "image/jpeg", "archive_inside"),
        (encoded("PNG")[:-30], "image/png", "broken_image"),
        (monochrome_png(50_000, 100), "image/png", "image_too_large"),
        (monochrome_png(16_000, 16_000), "image/png", "image_too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} bytes",
)
def test_what_is_no_picture_or_more_than_one_is_refused(learner, content, declared, reason):
    answer = put(learner, content, declared=declared).expect(422, "invalid_avatar")
    assert answer.error["reason"] == reason
    assert learner.get("internal/profile").body["profile"]["avatar_url"] is None


def test_a_picture_whose_pixels_are_missing_is_refused(learner):
    whole = encoded("JPEG", Image.effect_noise((800, 800), 60))
    put(learner, whole[: len(whole) // 2], declared="image/jpeg").expect(422, "invalid_avatar")


@pytest.mark.parametrize("size", [avatars.MAX_BYTES + 1, 8 * 1024 * 1024])
def test_five_megabytes_are_the_limit_with_and_without_the_bodys(learner, size):
    whole = encoded("PNG")
    put(learner, whole + b"\0" * (size - len(whole))).expect(422, "avatar_too_large")


def test_no_file_is_no_avatar(learner):
    learner.call("PUT", "internal/profile/avatar", data={}, content_type="multipart/form-data").expect(
        422, "invalid_avatar"
    )
    learner.put("internal/profile/avatar").expect(422, "invalid_avatar")
    learner.put("internal/profile/avatar", {"avatar": "data:"}).expect(415, "unsupported_media_type")


def test_a_child_that_takes_too_much_memory_is_refused_and_harms_nobody(monkeypatch, db, tmp_path):
    greedy = tmp_path / "greedy.py"
    limits = "import sys; sys.path.insert(0, %r); from avatar_child import limit_resources; limit_resources()"
    greedy.write_text(
        limits % avatar_child.__file__.rpartition("/")[0] + "\nsys.stdin.buffer.read()\nx = bytearray(8 << 30)\n"
    )
    monkeypatch.setattr(avatar_child, "__file__", str(greedy))
    with db.app_context(), pytest.raises(InvalidAvatar) as refused:
        avatars.reencode(encoded("PNG"))
    assert refused.value.extras == {"reason": "undecodable"}


def test_a_child_that_does_not_end_is_ended(monkeypatch, db, tmp_path):
    endless = tmp_path / "endless.py"
    endless.write_text("import select\nselect.select([], [], [])\n")
    monkeypatch.setattr(avatar_child, "__file__", str(endless))
    monkeypatch.setattr(avatars, "TIMEOUT_SECONDS", 0.5)
    with db.app_context(), pytest.raises(InvalidAvatar) as refused:
        avatars.reencode(encoded("PNG"))
    assert refused.value.extras == {"reason": "too_slow"}


def test_the_child_knows_nothing_of_our_environment(monkeypatch, db, tmp_path):
    nosy = tmp_path / "nosy.py"
    nosy.write_text("import os, sys\nsys.stdin.buffer.read()\nprint('known:', *sorted(os.environ))\n")
    monkeypatch.setattr(avatar_child, "__file__", str(nosy))
    monkeypatch.setenv("JIKI_SECRET_KEY", "canary")
    with db.app_context():
        told = avatars.reencode(encoded("PNG"))
    assert told.startswith(b"known:")
    assert b"JIKI" not in told


def test_who_finds_no_place_to_wait_comes_again(db):
    with db.app_context():
        assert avatars._places.acquire(blocking=False)
        assert avatars._places.acquire(blocking=False)
        try:
            with pytest.raises(Unavailable):
                avatars.reencode(encoded("PNG"))
        finally:
            avatars._places.release()
            avatars._places.release()
        avatars.reencode(encoded("PNG"))


def test_a_new_avatar_has_a_new_url_and_the_old_file_is_gone(db, learner):
    first = put(learner, encoded("PNG")).expect(200).body["profile"]["avatar_url"]
    second = put(learner, encoded("GIF"), declared="image/gif").expect(200).body["profile"]["avatar_url"]
    assert first != second
    drain_outbox(db)
    assert fetched(db, first)[0] == 404
    assert fetched(db, second)[0] == 200


def test_removing_it_removes_the_file_and_again_is_the_same(db, learner):
    url = put(learner, encoded("PNG")).expect(200).body["profile"]["avatar_url"]
    for _ in range(2):
        assert learner.delete("internal/profile/avatar").expect(200).body["profile"]["avatar_url"] is None
    drain_outbox(db)
    assert fetched(db, url)[0] == 404


def test_the_file_goes_with_the_account(db):
    user = make_user(db)
    url = put(signed_in(db, user), encoded("PNG")).expect(200).body["profile"]["avatar_url"]
    with db.app_context(), unit_of_work() as uow:
        delete_account(uow, user.id, reason="test")
    drain_outbox(db)
    assert fetched(db, url)[0] == 404


def test_the_url_is_stable_so_that_me_keeps_its_etag(learner):
    put(learner, encoded("PNG")).expect(200)
    first, second = learner.get("internal/me"), learner.get("internal/me")
    assert first.headers["ETag"] == second.headers["ETag"]


def test_a_stranger_has_no_avatar(client: ApiClient):
    put(client, encoded("PNG")).expect(401, "unauthenticated")
    client.delete("internal/profile/avatar").expect(401, "unauthenticated")
