"""The program of the child process in which one run happens: reads what to run, confines itself, runs, tells,
ends.

Started by supervisor.py as a file, with an empty environment and its standard streams only: the request comes
on standard input, messages go to standard output, one JSON object a line.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any


def _teller() -> Callable[[Mapping[str, Any]], None]:
    """A function that writes one message, whole, whoever calls it."""
    lock = threading.Lock()
    descriptor = os.dup(1)
    os.dup2(2, 1)  # what a library prints by itself is no message

    def tell(message: Mapping[str, Any]) -> None:
        data = memoryview(json.dumps(message).encode() + b"\n")
        with lock:
            while data:
                data = data[os.write(descriptor, data) :]

    return tell


def main() -> None:
    """Run the request on standard input."""
    request = json.loads(sys.stdin.buffer.read())
    tell = _teller()
    sys.path.insert(0, request["import_root"])
    from jiki_runner.engine.confinement import confine, limit_resources
    from jiki_runner.engine.limits import Limits

    limits = Limits(**request["limits"])
    limit_resources(limits, request["parent"])
    if request["language"] == "python":
        from jiki_runner.engine.python_engine import PythonEngine, PythonRun

        engine: Any = PythonEngine(PythonRun(**request["run"], limits=limits), tell)
    else:
        from jiki_runner.engine.javascript_engine import JavaScriptEngine, JavaScriptRun

        engine = JavaScriptEngine(JavaScriptRun(**request["run"], limits=limits), tell)
    walls = confine(engine.memory_growth_bytes, engine.readable_folders)
    engine.start()
    tell({"event": "ready", "walls": walls})
    engine.execute()
    os._exit(0)  # threads of a stopped guest may still wait for something that will not come


if __name__ == "__main__":
    main()
