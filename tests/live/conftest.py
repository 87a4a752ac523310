"""What the live features' tests stand on: the product's processes on servers of their own, and learners under Node."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from jiki_core.testing import Answer, wait_until
from jiki_learning.testing import SampleLearner, import_levels, make_learner
from tests.live.stage import LiveStage, temporary_folder
from tests.live.typists import Typists


@pytest.fixture
def dice() -> random.Random:
    """The run's own; JIKI_TEST_SEED repeats a run."""
    seed = int(os.environ.get("JIKI_TEST_SEED") or random.randrange(1 << 30))
    print(f"JIKI_TEST_SEED={seed}")
    return random.Random(seed)


@pytest.fixture(scope="module")
def live() -> Iterator[LiveStage]:
    with temporary_folder() as folder:
        stage = LiveStage(Path(folder))
        try:
            stage.run()
            import_levels(stage.app, (3,))
            yield stage
        finally:
            stage.close()


@dataclass(frozen=True)
class Meeting:
    """A collaboration, and the learners under Node who take part in it."""

    stage: LiveStage
    owner: SampleLearner
    uuid: str
    typists: Typists

    @property
    def path(self) -> str:
        return f"internal/collaborations/{self.uuid}"

    def partner(self, role: str = "edit") -> SampleLearner:
        """Somebody new, who comes by a link."""
        body = {"invitation": {"role": role}}
        link = self.owner.client.post(f"{self.path}/invitations", body).expect(201).body["invitation"]
        made = make_learner(self.stage.app)
        made.client.post("internal/collaborations/join", {"token": link["token"]}).expect(200)
        return made

    def enter(self, who: SampleLearner, client: str = "anycable") -> int:
        """Opens a socket in Node, by turns at one cable process and the other; returns the typist's number."""
        token = who.client.post("internal/cable_token").expect(200).body["token"]
        cookie = who.client.http.get_cookie("jiki_session")
        assert cookie is not None
        number: int = self.typists.ask(
            "enter",
            client=client,
            token=self.stage.lasting(token),
            origins=self.stage.cable_urls,
            cookie=f"jiki_session={cookie.value}",
        )["n"]
        return number

    def texts(self) -> dict[str, str]:
        """What PostgreSQL holds; after its restart the first connections of a pool are dead, and the answer is 503."""

        def answer() -> Answer | None:
            given = self.owner.client.get(self.path)
            return given if given.status != 503 else None

        shown = wait_until(answer, what="an answer").expect(200).body["collaboration"]["documents"]
        return {one["filename"]: one["content"] for one in shown}


@pytest.fixture
def meet(live: LiveStage, node_modules: Path, tmp_path: Path) -> Iterator[Callable[..., Meeting]]:
    """`meet(solution="text")`: a collaboration on these files, with its owner."""
    made: list[Meeting] = []

    def begin(**files: str) -> Meeting:
        owner = make_learner(live.app)
        owner.start("lesson-1-1").expect(200)
        given = [{"filename": f"{name}.js", "code": code} for name, code in files.items()]
        body = {"collaboration": {"lesson_slug": "lesson-1-1", "files": given}}
        uuid = owner.client.post("internal/collaborations", body).expect(201).body["collaboration"]["uuid"]
        typists = Typists(tmp_path / f"typists-{len(made)}", node_modules, live.cable_urls[0], uuid, live.origin)
        made.append(Meeting(live, owner, uuid, typists))
        return made[-1]

    yield begin
    for one in made:
        one.typists.close()
