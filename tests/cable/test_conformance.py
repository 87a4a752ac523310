"""Unmodified @rails/actioncable and @anycable/core against the cable in both serving modes; conformance.mjs has the checks.

The fixture `node_modules` says where the clients come from.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


@pytest.mark.timeout(300)
def test_the_real_clients_work_unmodified(stage: Any, node_modules: Path) -> None:
    run = subprocess.run(
        ["node", "conformance.mjs", f"ws://127.0.0.1:{stage.port}/cable", f"http://127.0.0.1:{stage.port}"],
        cwd=HERE,
        env={**os.environ, "JIKI_NODE_MODULES": str(node_modules)},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert run.returncode == 0, f"{stage.mode}:\n{run.stdout}\n{run.stderr}"
    assert run.stdout.rstrip().endswith("all passed")
