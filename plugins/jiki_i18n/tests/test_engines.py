"""Machine translation: a real service over HTTP, its failures, and what becomes of its answers."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from jiki_core.testing import ApiClient, drain_outbox
from jiki_i18n.engines import machine_translations
from jiki_i18n.errors import EngineUnavailable
from jiki_i18n.settings import I18nSettings, Secret
from jiki_i18n.testing import make_messages


class Service:
    """A translation service that shouts, and keeps what it was asked."""

    def __init__(self):
        self.requests = []
        self.answer = lambda texts: {"texts": [text.upper().replace("<X", "<x") for text in texts]}
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                service.requests.append((self.headers.get("Authorization"), body))
                answer = json.dumps(service.answer(body["texts"])).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/translate"


@pytest.fixture
def service():
    running = Service()
    thread = threading.Thread(target=running.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield running
    running.server.shutdown()
    thread.join(timeout=10)
    running.server.server_close()


def settings(service):
    return I18nSettings(engine_url=service.url, engine_key=Secret("key"), engine_timeout_seconds=5)


def test_a_service_sees_plain_runs_with_markers_and_never_the_syntax(db, service):
    with db.app_context():
        made = machine_translations(
            ["Hello {name}!", "{count, plural, one {# thing} other {# things}}", "{name}"],
            "en",
            "hu",
            settings(service),
        )
    assert made == ["HELLO {name}!", "{count, plural, one {# THING} other {# THINGS}}", "{name}"]
    authorization, body = service.requests[0]
    assert authorization == "Bearer key"
    assert body == {"source": "en", "target": "hu", "texts": ["Hello <x1/>!", "<x0/> thing", "<x0/> things"]}


def test_a_placeholder_may_move_but_not_get_lost(db, service):
    service.answer = lambda texts: {"texts": ["<x1/>, hello", "no markers"]}
    with db.app_context():
        made = machine_translations(["Hello {name}", "Bye {name}"], "en", "hu", settings(service))
    assert made == ["{name}, hello", None]


@pytest.mark.parametrize("answer", [{}, {"texts": []}, {"texts": [1]}, [], "text"])
def test_an_answer_that_is_none_is_a_failure(db, service, answer):
    service.answer = lambda texts: answer
    with db.app_context(), pytest.raises(EngineUnavailable):
        machine_translations(["Hello"], "en", "hu", settings(service))


def test_a_service_that_is_away_is_a_failure(db):
    with db.app_context(), pytest.raises(EngineUnavailable):
        machine_translations(["Hello"], "en", "hu", I18nSettings(engine_url="http://127.0.0.1:9/none"))


def test_machine_texts_wait_for_review(doorman, make_app, service, committed_db):
    app = make_app(("i18n", "doorman"), {"JIKI_I18N_ENGINE_URL": service.url})
    make_messages(app, {"title": "Title {name}"})
    admin = ApiClient(app, {"X-Doorman": "1 admin"})
    body = {"translation": {"locale": "hu", "namespace": "shop"}}
    assert admin.post("admin/i18n/translations/machine", body).expect(202).body == {"queued": 1}
    drain_outbox(app)
    row = admin.get("admin/i18n/messages?locale=hu").body["results"][0]
    assert (row["translation"]["text"], row["translation"]["state"]) == ("TITLE {name}", "machine")
    assert row["translation"]["reviewed_text"] is None
