"""Learners in a Node process (pair.mjs): real Yjs documents and real cable clients, told what to do from here."""

from __future__ import annotations

import itertools
import queue
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import orjson

HERE = Path(__file__).parent
CLIENT = HERE.parents[1] / "examples" / "collaboration" / "collaboration.mjs"


class Typists:
    """One Node process; `ask` waits for an answer, `tell` does not."""

    def __init__(self, folder: Path, node_modules: Path, *arguments: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for source in (HERE / "pair.mjs", CLIENT):
            shutil.copy(source, folder / source.name)
        (folder / "node_modules").symlink_to(node_modules)
        self._process = subprocess.Popen(
            ["node", "pair.mjs", *arguments], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._ids = itertools.count(1)
        self._answers: dict[int, queue.SimpleQueue[dict[str, Any]]] = {}
        threading.Thread(target=self._read, name="typists", daemon=True).start()

    def tell(self, do: str, **how: Any) -> int:
        """Returns the number by which `answer` finds what comes of it."""
        number = next(self._ids)
        self._answers[number] = queue.SimpleQueue()
        assert self._process.stdin is not None
        self._process.stdin.write(orjson.dumps({"do": do, "id": number, **how}) + b"\n")
        self._process.stdin.flush()
        return number

    def answer(self, number: int, seconds: float = 120) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while True:
            try:
                answered = self._answers[number].get(timeout=0.5)
            except queue.Empty:
                assert self._process.poll() is None, "Node ended; what it said of that is above"
                assert time.monotonic() < deadline, f"no answer within {seconds:g} s"
            else:
                del self._answers[number]
                return answered

    def ask(self, do: str, **how: Any) -> dict[str, Any]:
        return self.answer(self.tell(do, **how))

    def settled(self, seconds: float = 60) -> list[dict[str, str]]:
        """Waits until all read the same and all is stored; returns what each reads, by filename."""
        found = self.ask("settle", seconds=seconds)
        assert found["isCalm"], found["states"]
        return list(found["texts"])

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = orjson.loads(line)
            self._answers[said.pop("id")].put(said)
