"""Collaborations over REST: who may begin, join, edit, remove, end and hand in; limits; what is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pycrdt import Doc, Text
from sqlalchemy import text

from jiki_core.db import reading, unit_of_work
from jiki_core.plugins.erasing import erase_person, export_person
from jiki_learning.commands import share_document
from jiki_learning.commands.share_document import append_update
from jiki_learning.commands.sweep_collaborations import sweep_collaborations
from jiki_learning.errors import CollaborationMoved
from jiki_learning.queries.collaborations import access_collaboration
from jiki_learning.queries.own_settings import learning_settings
from jiki_learning.shared_text import CONTENT, NO_STATE, SyncKind, SyncMessage
from jiki_learning.testing import SampleLearner, make_learner

PATH = "internal/collaborations"


class Pair:
    """A collaboration of `owner`, with what its parties do."""

    def __init__(self, owner: SampleLearner, **files: str) -> None:
        owner.start("lesson-1-1").expect(200)
        self.owner = owner
        given = [{"filename": f"{name}.js", "code": code} for name, code in (files or {"solution": "move()"}).items()]
        body = {"collaboration": {"lesson_slug": "lesson-1-1", "files": given}}
        self.uuid: str = owner.client.post(PATH, body).expect(201).body["collaboration"]["uuid"]
        self.path = f"{PATH}/{self.uuid}"

    def invite(self, role: str = "edit", **more: object) -> dict[str, str]:
        body = {"invitation": {"role": role, **more}}
        invitation: dict[str, str] = (
            self.owner.client.post(f"{self.path}/invitations", body).expect(201).body["invitation"]
        )
        return invitation

    def bring(self, partner: SampleLearner, role: str = "edit") -> int:
        """Lets somebody in; returns the participant's id."""
        told = partner.client.post(f"{PATH}/join", {"token": self.invite(role)["token"]}).expect(200)
        return next(one["id"] for one in told.body["collaboration"]["participants"] if one["is_you"])

    def text(self, who: SampleLearner | None = None, filename: str = "solution.js") -> str:
        shown = (who or self.owner).client.get(self.path).expect(200).body["collaboration"]
        return {one["filename"]: one["content"] for one in shown["documents"]}[filename]


class Editor:
    """A Yjs client without a socket."""

    def __init__(self, pair: Pair, who: SampleLearner, filename: str = "solution.js") -> None:
        self.pair, self.who, self.filename = pair, who, filename
        self.document: Doc[Text] = Doc()
        self.content: Text = self.document.get(CONTENT, type=Text)
        self.known = NO_STATE
        self.pull()

    def send(self, kind: SyncKind, payload: bytes):
        body = {"filename": self.filename, "message": SyncMessage(kind, payload).encode()}
        return self.who.client.post(f"{self.pair.path}/sync", body)

    def pull(self) -> None:
        answered = self.send(SyncKind.STEP1, self.document.get_state()).expect(200).body["messages"]
        self.document.apply_update(SyncMessage.decode(answered[0]).payload)
        self.known = SyncMessage.decode(answered[1]).payload

    def push(self):
        return self.send(SyncKind.UPDATE, self.document.get_update(self.known))


@pytest.fixture
def partner(db, learner):
    return make_learner(db)


@pytest.fixture
def pair(learner):
    return Pair(learner)


def test_two_edit_one_file_at_once(pair, partner):
    pair.bring(partner)
    ada, bob = Editor(pair, pair.owner), Editor(pair, partner)
    assert str(bob.content) == "move()"
    ada.content.insert(0, "// Ada\n")
    bob.content.insert(len(str(bob.content)), "\n// Bob")
    ada.push().expect(200)
    bob.push().expect(200)
    assert pair.text() == pair.text(partner) == "// Ada\nmove()\n// Bob"
    ada.pull()
    assert str(ada.content) == "// Ada\nmove()\n// Bob"


def test_it_begins_with_the_latest_submission_when_no_files_are_given(learner):
    learner.submit("lesson-1-1", a="1", b="2").expect(201)
    begun = learner.client.post(PATH, {"collaboration": {"lesson_slug": "lesson-1-1"}}).expect(201).body
    assert begun["collaboration"]["documents"] == [
        {"filename": "a.js", "content": "1"},
        {"filename": "b.js", "content": "2"},
    ]
    assert begun["collaboration"]["role"] == "edit"


@pytest.mark.parametrize(
    ("lesson", "files", "status", "symbol"),
    [
        ("nowhere", None, 404, "lesson_not_found"),
        ("lesson-1-2", None, 404, "user_lesson_not_found"),
        ("lesson-1-1", None, 422, "invalid_submission"),
        ("lesson-1-1", [], 422, "invalid_submission"),
        ("lesson-1-1", [{"filename": "a.js", "code": "x" * 100_001}], 422, "file_too_large"),
        ("lesson-1-1", [{"filename": f"{n}.js", "code": ""} for n in range(21)], 422, "too_many_files"),
    ],
)
def test_what_cannot_begin(learner, lesson, files, status, symbol):
    learner.start("lesson-1-1")
    body = {"collaboration": {"lesson_slug": lesson, "files": files}}
    learner.client.post(PATH, body).expect(status, symbol)


def test_an_owner_has_so_many_open_ones_and_no_more(learner, db):
    with db.app_context():
        maximum = learning_settings().collaborations_per_learner
    pairs = [Pair(learner, **{f"file{n}": str(n)}) for n in range(maximum)]
    body = {"collaboration": {"lesson_slug": "lesson-1-1", "files": [{"filename": "a.js", "code": ""}]}}
    refused = learner.client.post(PATH, body).expect(422, "too_many_collaborations")
    assert refused.error["max"] == maximum
    learner.client.post(f"{pairs[0].path}/end").expect(200)
    learner.client.post(PATH, body).expect(201)
    assert len(learner.get("collaborations").expect(200).body["collaborations"]) == maximum


def test_strangers_see_nothing(pair, partner):
    for method, path in (
        ("GET", pair.path),
        ("GET", f"{pair.path}/versions"),
        ("GET", f"{pair.path}/versions/1"),
        ("POST", f"{pair.path}/end"),
        ("GET", f"{PATH}/junk"),
    ):
        partner.client.call(method, path).expect(404, "collaboration_not_found")
    partner.client.post(f"{pair.path}/submit", {}).expect(404, "collaboration_not_found")
    assert partner.get("collaborations").body["collaborations"] == []


def test_an_invitation_lets_in_until_it_expires_or_is_withdrawn(pair, partner, db):
    assert pair.invite()["url"].endswith(pair.invite()["token"]) is False, "every link has a secret of its own"
    withdrawn, expired = pair.invite("view"), pair.invite("edit", expires_in_seconds=60)
    pair.owner.client.delete(f"{pair.path}/invitations/{withdrawn['uuid']}").expect(204)
    pair.owner.client.delete(f"{pair.path}/invitations/{withdrawn['uuid']}").expect(404, "invalid_invitation")
    pair.owner.client.delete(f"{pair.path}/invitations/junk").expect(404, "invalid_invitation")
    partner.client.post(f"{PATH}/join", {"token": withdrawn["token"]}).expect(404, "invalid_invitation")
    with db.app_context(), unit_of_work() as uow:
        uow.session.execute(
            text("update learning.collaboration_invitations set expires_at = now() where role = 'edit'")
        )
    partner.client.post(f"{PATH}/join", {"token": expired["token"]}).expect(404, "invalid_invitation")
    partner.client.post(f"{PATH}/join", {"token": "guess"}).expect(404, "invalid_invitation")
    with db.app_context():
        kept = reading().execute(text("select secret_digest from learning.collaboration_invitations")).scalars().all()
    assert expired["token"] not in kept


def test_joining_again_is_no_change_and_tells_the_owner_once(pair, partner, count_rows):
    first = pair.bring(partner, "edit")
    assert pair.bring(partner, "view") == first
    assert partner.client.get(pair.path).body["collaboration"]["role"] == "edit"
    told = pair.owner.get("notifications").body["results"]
    assert [one["type"] for one in told].count("learning.collaboration_joined") == 1


def test_a_full_collaboration_takes_nobody(pair, db):
    with db.app_context():
        maximum = learning_settings().collaboration_participants
    for _ in range(maximum - 1):
        pair.bring(make_learner(db), "view")
    late = make_learner(db)
    refused = late.client.post(f"{PATH}/join", {"token": pair.invite()["token"]}).expect(422, "collaboration_full")
    assert refused.error["max"] == maximum


def test_a_viewer_reads_and_does_not_edit(pair, partner):
    participant_id = pair.bring(partner, "view")
    viewer = Editor(pair, partner)
    assert str(viewer.content) == "move()"
    viewer.content.insert(0, "x")
    viewer.push().expect(403, "collaboration_read_only")
    viewer.send(SyncKind.STEP2, b"\x00\x00").expect(200)
    assert pair.text() == "move()"
    role = {"participant": {"role": "edit"}}
    partner.client.patch(f"{pair.path}/participants/{participant_id}", role).expect(403, "collaboration_owner_only")
    pair.owner.client.patch(f"{pair.path}/participants/{participant_id}", role).expect(200)
    viewer.push().expect(200)
    assert pair.text() == "xmove()"


def test_who_is_removed_is_a_stranger_and_stays_one(pair, partner):
    participant_id = pair.bring(partner)
    editor = Editor(pair, partner)
    editor.content.insert(0, "x")
    link = pair.invite()
    pair.owner.client.delete(f"{pair.path}/participants/{participant_id}").expect(204)
    editor.push().expect(404, "collaboration_not_found")
    partner.client.get(pair.path).expect(404, "collaboration_not_found")
    partner.client.post(f"{PATH}/join", {"token": link["token"]}).expect(404, "invalid_invitation")
    pair.owner.client.delete(f"{pair.path}/participants/{participant_id}").expect(404, "participant_not_found")
    assert pair.text() == "move()"


def test_what_was_on_its_way_when_somebody_was_removed_is_not_said_on_the_old_stream(pair, partner, db):
    participant_id = pair.bring(partner)
    with db.app_context():
        before = access_collaboration(pair.owner.id, pair.uuid)
    pair.owner.client.delete(f"{pair.path}/participants/{participant_id}").expect(204)
    editor = Editor(pair, pair.owner)
    editor.content.insert(0, "x")
    message = SyncMessage(SyncKind.UPDATE, editor.document.get_update(editor.known))
    with db.app_context(), pytest.raises(CollaborationMoved), unit_of_work() as uow:
        append_update(uow, before, "solution.js", message)
    assert pair.text() == "move()"


def test_one_may_go_oneself_and_send_nobody_else_away(pair, partner, db):
    mine, theirs = pair.bring(partner), pair.bring(make_learner(db))
    partner.client.delete(f"{pair.path}/participants/{theirs}").expect(403, "collaboration_owner_only")
    partner.client.delete(f"{pair.path}/participants/{mine}").expect(204)
    partner.client.get(pair.path).expect(404)
    owner_id = next(one["id"] for one in pair.owner.client.get(pair.path).body["collaboration"]["participants"])
    pair.owner.client.delete(f"{pair.path}/participants/{owner_id}").expect(404, "participant_not_found")
    role = {"participant": {"role": "view"}}
    pair.owner.client.patch(f"{pair.path}/participants/{owner_id}", role).expect(404, "participant_not_found")


def test_participants_are_shown_without_addresses(pair, partner):
    pair.bring(partner)
    shown = pair.owner.client.get(pair.path).body["collaboration"]["participants"]
    assert [(one["role"], one["is_owner"], one["is_you"]) for one in shown] == [
        ("edit", True, True),
        ("edit", False, False),
    ]
    assert set(shown[0]) == {"id", "handle", "name", "role", "is_owner", "is_you"}


def test_after_the_end_one_reads_and_nothing_else(pair, partner):
    pair.bring(partner)
    editor, link = Editor(pair, partner), pair.invite()
    partner.client.post(f"{pair.path}/end").expect(403, "collaboration_owner_only")
    pair.owner.client.post(f"{pair.path}/end").expect(200)
    editor.content.insert(0, "x")
    editor.push().expect(409, "collaboration_ended")
    pair.owner.client.post(f"{pair.path}/end").expect(409, "collaboration_ended")
    pair.owner.client.post(f"{pair.path}/submit", {}).expect(409, "collaboration_ended")
    pair.owner.client.post(f"{pair.path}/invitations", {"invitation": {"role": "edit"}}).expect(409)
    partner.client.post(f"{PATH}/join", {"token": link["token"]}).expect(404, "invalid_invitation")
    assert pair.text(partner) == "move()"
    assert partner.client.get(pair.path).body["collaboration"]["ended_at"] is not None


def test_the_owner_hands_in_what_was_written(pair, partner):
    pair.bring(partner)
    bob = Editor(pair, partner)
    bob.content.insert(0, "turn()\n")
    bob.push().expect(200)
    partner.client.post(f"{pair.path}/submit", {}).expect(403, "collaboration_owner_only")
    submitted = pair.owner.client.post(f"{pair.path}/submit", {"passed": True}).expect(201).body["submission"]
    assert submitted["files"] == [{"filename": "solution.js", "content": "turn()\nmove()"}]
    latest = pair.owner.get("lessons/lesson-1-1/exercise_submissions/latest").body["submission"]
    assert latest["uuid"] == submitted["uuid"]


def test_versions_are_kept_to_look_back_on(pair, partner):
    editor = Editor(pair, pair.owner)
    editor.content.insert(0, "turn()\n")
    editor.push().expect(200)
    pair.owner.client.post(f"{pair.path}/submit", {}).expect(201)
    listed = pair.owner.client.get(f"{pair.path}/versions").expect(200).body["versions"]
    assert [one["reason"] for one in listed] == ["submitted", "began"]
    texts = [
        pair.owner.client.get(f"{pair.path}/versions/{one['id']}").expect(200).body["version"]["content"]
        for one in listed
    ]
    assert texts == ["turn()\nmove()", "move()"]
    pair.owner.client.get(f"{pair.path}/versions/0").expect(404, "not_found")
    other = Pair(partner)
    other.owner.client.get(f"{other.path}/versions/{listed[0]['id']}").expect(404, "not_found")


def test_updates_become_one_row_now_and_then(pair, count_rows, monkeypatch, db):
    monkeypatch.setattr(share_document, "VERSION_EVERY", timedelta(0))
    editor = Editor(pair, pair.owner)
    for number in range(share_document.COMPACT_AFTER_UPDATES + 5):
        before = editor.document.get_state()
        editor.content.insert(0, str(number % 10))
        editor.send(SyncKind.UPDATE, editor.document.get_update(before)).expect(200)
    assert count_rows("collaboration_updates") < 20
    assert count_rows("collaboration_versions", reason="edited") == 1
    assert pair.text() == str(editor.content)


def test_a_document_grows_to_its_limit_and_can_then_be_made_smaller(pair):
    editor = Editor(pair, pair.owner)
    for _ in range(4):
        editor.content.insert(0, "x" * 35_000)
        editor.push().expect(200)
        editor.pull()
    large = Editor(pair, pair.owner)
    large.content.insert(0, "y" * 35_000)
    refused = large.push().expect(422, "document_too_large")
    assert refused.error["filename"] == "solution.js"
    del editor.content[0:100_000]
    editor.push().expect(200)
    large.pull()
    large.push().expect(200)
    assert pair.text() == str(large.content)


def test_what_is_no_update_is_refused(pair):
    editor = Editor(pair, pair.owner)
    editor.send(SyncKind.UPDATE, b"\xff\xff\xff").expect(422, "invalid_update")
    editor.send(SyncKind.STEP1, b"\xff\xff\xff").expect(422, "invalid_update")
    editor.send(SyncKind.UPDATE, b"\x00" * 160_000).expect(422, "update_too_large")
    body = {"filename": "solution.js", "message": "not base64"}
    pair.owner.client.post(f"{pair.path}/sync", body).expect(422, "invalid_update")
    editor.filename = "other.js"
    editor.send(SyncKind.STEP1, NO_STATE).expect(404, "document_not_found")
    editor.content.insert(0, "x")
    editor.push().expect(404, "document_not_found")


def test_an_idle_collaboration_ends_and_an_old_one_goes(pair, db, count_rows):
    def sweep(table: str, column: str) -> None:
        with db.app_context(), unit_of_work() as uow:
            uow.session.execute(text(f"update learning.{table} set {column} = now() - interval '100 days'"))
            sweep_collaborations(uow)

    with db.app_context(), unit_of_work() as uow:
        assert sweep_collaborations(uow) is False
    assert pair.owner.client.get(pair.path).body["collaboration"]["ended_at"] is None
    sweep("collaboration_documents", "changed_at")
    assert pair.owner.client.get(pair.path).body["collaboration"]["ended_at"] is not None
    assert count_rows("collaborations") == 1
    sweep("collaborations", "ended_at")
    assert count_rows("collaborations") == count_rows("collaboration_updates") == 0


def erase(db, learner: SampleLearner) -> None:
    with db.app_context(), unit_of_work() as uow:
        erase_person(uow, db.extensions["jiki.host"], learner.id, addresses=[learner.user.email], reason="a test")


def test_an_export_shows_what_one_wrote_and_an_erasure_takes_only_ones_own(pair, partner, db, count_rows):
    pair.bring(partner)
    with db.app_context():
        host = db.extensions["jiki.host"]
        owners, partners = (export_person(host, one.id)["plugins"]["learning"] for one in (pair.owner, partner))
    assert [one["content"] for one in owners["collaboration_versions"]] == ["move()"]
    assert owners["collaborations"][0]["uuid"] == pair.uuid
    assert (partners["collaborations"], partners["collaboration_versions"]) == ([], [])
    assert [one["role"] for one in partners["collaboration_participants"]] == ["edit"]
    erase(db, partner)
    assert pair.text() == "move()"
    assert count_rows("collaboration_participants") == 1
    erase(db, pair.owner)
    assert count_rows("collaborations") == count_rows("collaboration_versions") == 0
