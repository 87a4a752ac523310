"""Published files in S3, as a CDN in front of the bucket would fetch them."""

from __future__ import annotations

import pytest
import requests

from jiki_core.storage.storage import storage_of
from jiki_core.testing.databases import truncate_all
from jiki_i18n.commands.collect import collect_garbage
from jiki_i18n.commands.publish import Scope
from jiki_i18n.commands.publish_here import publish_here
from jiki_i18n.settings import I18nSettings
from jiki_i18n.storage import FILES
from jiki_i18n.testing import make_messages, translate

SETTINGS = I18nSettings(publications_kept=1)


@pytest.fixture
def in_s3(doorman, make_app, object_storage):
    """An app whose files are in S3, on a database of its own plugins that is emptied afterwards."""
    app = make_app(("i18n", "doorman"), dict(object_storage))
    yield app
    app.extensions["jiki.gate"].watcher.stop()  # it must not write while the tables are emptied
    with app.app_context():
        for name in list(FILES.names()):
            FILES.delete(name)
    truncate_all(app)


def test_a_publication_is_in_the_bucket_with_the_headers_of_a_cdn(in_s3):
    make_messages(in_s3, {"title": "Your cart"})
    translate(in_s3, "hu", {"title": "A kosarad"})
    with in_s3.app_context():
        publish_here(Scope(("en", "hu")), SETTINGS)
        assert storage_of(in_s3).current.name == "s3"
        pointer = requests.get(FILES.url("hu/current.json"), timeout=10)
        assert pointer.headers["Cache-Control"] == "no-cache"
        name = pointer.json()["catalogues"]["shop"]
        file = requests.get(FILES.url(f"hu/{name}"), timeout=10)
    assert file.json() == {"title": "A kosarad"}
    assert file.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert file.headers["Content-Type"] == "application/json; charset=utf-8"


def test_what_no_kept_publication_names_is_collected_from_the_bucket(in_s3):
    for text in ("One", "Two", "Three"):
        make_messages(in_s3, {"title": text})
        with in_s3.app_context():
            publish_here(Scope(("en",)), SETTINGS)
    with in_s3.app_context():
        assert collect_garbage(SETTINGS).deleted_count == 2
        (left,) = (name for name in FILES.names() if name.startswith("en/shop"))
        file = requests.get(FILES.url(left), timeout=10)
    assert file.json() == {"title": "Three"}
