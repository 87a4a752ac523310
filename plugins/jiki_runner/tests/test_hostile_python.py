"""Python programs that mean harm: each is contained, reported, and leaves nothing behind.

The tests want 42. Each program answers 42 only if its attack worked, so a pass is a hole.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jiki_runner.engine.exercise import Language
from jiki_runner.engine.limits import MEBIBYTE, Limit, Limits
from jiki_runner.engine.report import Outcome, Report

pytestmark = pytest.mark.usefixtures("python_engine")

TESTS = """
import unittest
from answer import answer

class AnswerTest(unittest.TestCase):
    def test_first(self):
        self.assertEqual(answer(), 42)

    def test_again(self):
        self.assertEqual(answer(), 42)

    def test_callback(self):
        self.assertEqual(answer(lambda: self.assertEqual(1, 2)), 42)
"""
#: Short, so that programs that never end do not make the suite long.
LIMITS = Limits(wall_clock_seconds=1.0, cpu_seconds=6, memory_bytes=64 * MEBIBYTE, output_bytes=16 * 1024)


def frame(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload


FORGED_PASS = frame(b"H", b'{"event": "finished", "id": "AnswerTest.test_first", "status": "passed"}')
FORGED_DONE = frame(b"H", b'{"event": "done"}')
FORGED_SKIP = frame(b"P", b'["raise", ["exception", 9, ["standard", "unittest.case.SkipTest"], [], []]]')

LYING = """
import json, jiki_guest.bridge as b
real = b.describe
def describe(kind, encode, export):
    told = real(kind, encode, export)
    told["methods"] = {name: [None, None] for name in ("__eq__", "__ne__", "__getattribute__", "__class__")}
    told["special"] = ["__eq__", "__ne__", "__getattribute__", "__init_subclass__", "__del__"]
    told["bases"] = [["standard", BASE]]
    return told
b.describe = describe
class A:
    def __eq__(self, other): return True
    __hash__ = None
def answer(f=None): return A()
"""

T, F, S = Limit.WALL_CLOCK, Outcome.FAILED, Outcome.STOPPED
M = Limit.MEMORY

#: name, program, allowed outcomes, limit that must be among those hit (or None)
PROGRAMS: list[tuple[str, str, tuple[Outcome, ...], Limit | None]] = [
    ("endless loop", "def answer(f=None):\n while True: pass", (S,), T),
    ("endless loop at the top", "while True: pass", (S,), T),
    (
        "endless loop that catches all",
        "def answer(f=None):\n while True:\n  try:\n   while True: pass\n  except BaseException: pass",
        (S,),
        T,
    ),
    ("endless iteration", "import itertools\ndef answer(f=None): return sum(itertools.count())", (S,), T),
    ("endless sleep", "import time\ndef answer(f=None): time.sleep(10**6); return 42", (S,), T),
    ("regex bomb", "import re\ndef answer(f=None): return re.match(r'(a+)+$', 'a' * 40 + 'b')", (S,), T),
    ("huge integer", "def answer(f=None): return len(str(9 ** 9 ** 9))", (S, F), None),
    ("memory by doubling", "def answer(f=None):\n x = [0]\n while True: x += x", (S, F), M),
    ("memory at once", "def answer(f=None): return len(bytearray(10 ** 9))", (S, F), M),
    ("memory by text", "def answer(f=None): return len('a' * 10 ** 9)", (S, F), M),
    (
        "memory kept in spite of errors",
        "kept = []\ndef answer(f=None):\n while True:\n  try: kept.append(bytearray(1 << 20))\n  except MemoryError: pass",
        (S,),
        None,
    ),
    (
        "zip bomb",
        "import zlib\ndef answer(f=None):\n d = zlib.compress(bytes(1 << 24))\n return len(zlib.decompress(zlib.compress(d) and d)) * len([zlib.decompress(d) for _ in range(99)])",
        (S, F),
        M,
    ),
    ("deep recursion", "def answer(f=None): return answer()", (F,), None),
    (
        "deeper recursion",
        "import sys\nsys.setrecursionlimit(10 ** 9)\ndef answer(f=None): return answer()",
        (S, F),
        None,
    ),
    (
        "recursion in comparing",
        "class A:\n def __eq__(self, other): return self == other\n __hash__ = None\ndef answer(f=None): return A() == A()",
        (F, S),
        None,
    ),
    (
        "deep nesting handed back",
        "def answer(f=None):\n x = []\n for _ in range(100000): x = [x]\n return x",
        (F, S),
        None,
    ),
    ("a list in itself handed back", "x = []\nx.append(x)\ndef answer(f=None): return x", (F, S), None),
    ("a value too large to hand back", "def answer(f=None): return 'a' * (20 << 20)", (F, S), None),
    (
        "endless iterator handed back",
        "import itertools\ndef answer(f=None): return itertools.count()",
        (F,),
        None,
    ),
    (
        "endless representation",
        "class A:\n def __repr__(self):\n  while True: pass\ndef answer(f=None): return A()",
        (S,),
        T,
    ),
    (
        "endless attribute",
        "class A:\n def __getattr__(self, name):\n  while True: pass\ndef answer(f=None): return A()",
        (S, F),
        None,
    ),
    ("fork", "import os\ndef answer(f=None):\n os.fork(); return 42", (F,), None),
    (
        "fork bomb",
        "import os\ndef answer(f=None):\n while True:\n  try: os.fork()\n  except Exception: return 0",
        (F,),
        None,
    ),
    ("shell", "import os\ndef answer(f=None): return 42 if os.system('true') == 0 else 0", (F,), None),
    ("subprocess", "import subprocess\ndef answer(f=None): subprocess.run(['id']); return 42", (F,), None),
    (
        "multiprocessing",
        "def answer(f=None):\n import multiprocessing as m\n p = m.Process(target=print); p.start(); return 42",
        (F,),
        None,
    ),
    (
        "thread bomb",
        "import threading\ndef answer(f=None):\n while True:\n  try: threading.Thread(target=answer).start()\n  except RuntimeError: return 0",
        (F,),
        None,
    ),
    (
        "exec of a program",
        "import os\ndef answer(f=None): os.execv('/bin/sh', ['sh']); return 42",
        (F,),
        None,
    ),
    ("killing the parent", "import os\ndef answer(f=None): os.kill(os.getppid(), 9); return 42", (F,), None),
    ("output flood", "def answer(f=None):\n while True: print('x' * 1000)", (S,), Limit.OUTPUT),
    (
        "output flood that ends",
        "def answer(f=None):\n for _ in range(5000): print('x' * 1000)\n return 0",
        (F,),
        Limit.OUTPUT,
    ),
    (
        "error output flood",
        "import sys\ndef answer(f=None):\n for _ in range(5000): sys.stderr.write('x' * 1000)\n return 0",
        (F,),
        Limit.OUTPUT,
    ),
    (
        "raw output flood",
        "import os\ndef answer(f=None):\n for _ in range(5000): os.write(2, b'x' * 1000)\n return 0",
        (F,),
        Limit.OUTPUT,
    ),
    ("garbage on the line", "import os\ndef answer(f=None): os.write(1, b'\\xff' * 100); return 0", (S,), T),
    ("silence on the line", "import os\ndef answer(f=None): os.close(1); return 42", (S, F), None),
    ("reading the line empty", "import os\ndef answer(f=None):\n while True: os.read(0, 1 << 16)", (S,), T),
    (
        "forged results",
        f"import os\ndef answer(f=None): os.write(1, {FORGED_PASS!r} + {FORGED_DONE!r}); return 0",
        (F,),
        None,
    ),
    (
        "forged results and out",
        f"import os\nos.write(1, {FORGED_PASS!r} + {FORGED_DONE!r})\nos._exit(0)",
        (Outcome.BROKEN,),
        None,
    ),
    (
        "forged end of the solution",
        f"import os\ndef answer(f=None): os.write(1, {frame(b'G', b'bye')!r}); return 0",
        (F,),
        None,
    ),
    ("forged skip", f"import os\ndef answer(f=None): os.write(1, {FORGED_SKIP!r}); return 0", (F, S), None),
    (
        "printed results",
        "def answer(f=None):\n print('OK\\nRan 3 tests in 0.001s\\n3 passed')\n return 0",
        (F,),
        None,
    ),
    ("out at once", "import os\nos._exit(0)", (Outcome.BROKEN,), None),
    ("out in a test", "import os\ndef answer(f=None): os._exit(0)", (F,), None),
    ("exit at the top", "import sys\nsys.exit(0)", (Outcome.BROKEN,), None),
    ("exit in a test", "def answer(f=None): raise SystemExit(0)", (F,), None),
    ("interrupt in a test", "def answer(f=None): raise KeyboardInterrupt", (F,), None),
    (
        "skip in a test",
        "import unittest\ndef answer(f=None): raise unittest.SkipTest('not today')",
        (F,),
        None,
    ),
    ("generator exit in a test", "def answer(f=None): raise GeneratorExit", (F,), None),
    (
        "a class of errors that hides",
        "class E(BaseException):\n def __str__(self): raise E\n __repr__ = __str__\ndef answer(f=None): raise E",
        (F,),
        None,
    ),
    (
        "swallowed assertion",
        "def answer(f=None):\n try: f()\n except BaseException: pass\n return 42 if f else 0",
        (F,),
        None,
    ),
    (
        "patched assertEqual",
        "import unittest\nunittest.TestCase.assertEqual = lambda *a, **k: None\ndef answer(f=None): return 0",
        (F,),
        None,
    ),
    (
        "patched run",
        "import unittest\nunittest.TestCase.run = unittest.TestCase.__call__ = lambda *a: None\nunittest.TestResult.addFailure = unittest.TestResult.addSuccess\ndef answer(f=None): return 0",
        (F,),
        None,
    ),
    (
        "patched built-ins",
        "import builtins\nbuiltins.AssertionError = builtins.KeyError\nbuiltins.isinstance = lambda *a: True\nbuiltins.len = lambda x: 42\nint.__eq__\ndef answer(f=None): return 0",
        (F, S, Outcome.BROKEN),
        None,
    ),
    (
        "search of the memory",
        "import gc, unittest\ndef answer(f=None):\n for o in gc.get_objects():\n  if isinstance(o, type) and issubclass(o, unittest.TestCase):\n   o.assertEqual = lambda *a: None\n return 0",
        (F,),
        None,
    ),
    (
        "search of the stack",
        "import sys\ndef answer(f=None):\n frame = sys._getframe()\n while frame:\n  for v in list(frame.f_locals.values()):\n   if hasattr(v, 'addSuccess') or hasattr(v, 'assertEqual'): return 42\n  frame = frame.f_back\n return 0",
        (F,),
        None,
    ),
    (
        "tracing",
        "import sys\nsys.settrace(lambda *a: None)\nsys.setprofile(lambda *a: None)\ndef answer(f=None): return 0",
        (F,),
        None,
    ),
    (
        "replaced modules",
        "import sys, types\nsys.modules['unittest'] = sys.modules['answer_test'] = types.ModuleType('unittest')\ndef answer(f=None): return 0",
        (F,),
        None,
    ),
    ("import of the tests", "def answer(f=None):\n import answer_test\n return 42", (F,), None),
    (
        "reading the tests",
        "def answer(f=None): return 42 if open('/exercise/answer_test.py').read() else 0",
        (F,),
        None,
    ),
    (
        "rewriting the tests",
        "def answer(f=None):\n open('/exercise/answer_test.py', 'w').write('import unittest'); return 42",
        (F,),
        None,
    ),
    (
        "rewriting the solution",
        "def answer(f=None):\n open('/exercise/answer.py', 'a').write('#'); return 42",
        (F,),
        None,
    ),
    (
        "listing the folder",
        "import os\ndef answer(f=None): return 42 if set(os.listdir('/exercise')) != {'answer.py'} else 0",
        (F,),
        None,
    ),
    ("files of the system", "def answer(f=None): return 42 if open('/etc/passwd').read() else 0", (F,), None),
    (
        "files above the folder",
        "def answer(f=None): return 42 if open('/exercise/../../../../../etc/passwd').read() else 0",
        (F,),
        None,
    ),
    (
        "the process' own files",
        "def answer(f=None): return 42 if open('/proc/self/environ').read() else 0",
        (F,),
        None,
    ),
    (
        "a link to the outside",
        "import os\ndef answer(f=None):\n os.symlink('/etc/passwd', '/exercise/link'); return 42",
        (F,),
        None,
    ),
    (
        "writing outside",
        "def answer(f=None): open('/tmp/jiki-was-here', 'w').write('x'); return 42",
        (F,),
        None,
    ),
    (
        "removing files",
        "import os\ndef answer(f=None): os.remove('/exercise/answer.py'); return 42",
        (F,),
        None,
    ),
    (
        "environment",
        "import os\ndef answer(f=None): return 42 if 'JIKI_HOSTILE_SECRET' in os.environ else 0",
        (F,),
        None,
    ),
    (
        "sockets",
        "import socket\ndef answer(f=None): socket.create_connection(('127.0.0.1', 80)); return 42",
        (F,),
        None,
    ),
    (
        "web",
        "def answer(f=None):\n import urllib.request\n urllib.request.urlopen('http://127.0.0.1/'); return 42",
        (F,),
        None,
    ),
    (
        "pickle that runs a program",
        "import os, pickle\nclass A:\n def __reduce__(self): return os.system, ('true',)\ndef answer(f=None): return 42 if pickle.loads(pickle.dumps(A())) == 0 else 0",
        (F,),
        None,
    ),
    (
        "pickle that comes along",
        "import os\nclass A:\n def __reduce__(self): return os._exit, (0,)\ndef answer(f=None): return A()",
        (F,),
        None,
    ),
    (
        "foreign functions",
        "import ctypes\ndef answer(f=None): return ctypes.string_at(0)",
        (F, Outcome.BROKEN),
        None,
    ),
    (
        "crash of the interpreter",
        "def answer(f=None):\n import faulthandler\n faulthandler._sigsegv(); return 0",
        (F, S),
        None,
    ),
    ("abort of the interpreter", "def answer(f=None):\n import os\n os.abort()", (F,), None),
    (
        "bad bytecode",
        "def answer(f=None):\n import types\n c = answer.__code__.replace(co_code=b'd\\x7f' * 50)\n return types.FunctionType(c, {})()",
        (F, S),
        None,
    ),
    (
        "equal to everything",
        "class A:\n __hash__ = None\n def __eq__(self, other): return True\n def __ne__(self, other): return False\ndef answer(f=None): return A()",
        (F,),
        None,
    ),
    (
        "a number equal to everything",
        "class A(int):\n __hash__ = None\n def __eq__(self, other): return True\n def __ne__(self, other): return False\ndef answer(f=None): return A(1)",
        (F,),
        None,
    ),
    (
        "a list equal to everything",
        "class A(list):\n __hash__ = None\n def __eq__(self, other): return True\ndef answer(f=None): return A()",
        (F,),
        None,
    ),
    (
        "the imported name equal to everything",
        "class answer:\n def __init__(self, f=None): pass\n __hash__ = None\n def __eq__(self, other): return True\n def __sub__(self, other): return 0\n __rsub__ = __sub__",
        (F,),
        None,
    ),
    (
        "a class that says int",
        "class A:\n __class__ = int\n def __index__(self): return 42\ndef answer(f=None): return A()",
        (F,),
        None,
    ),
    (
        "messages at the end",
        "import atexit\natexit.register(print, '3 passed')\ndef answer(f=None): return 0",
        (F,),
        None,
    ),
    (
        "asking for the tests' insides",
        """
import gc
from jiki_guest.bridge import Bridge
bridge = next(o for o in gc.get_objects() if isinstance(o, Bridge))
def answer(f=None):
    for name in ("__class__", "__globals__", "__init__", "write_output.__globals__"):
        try:
            if bridge.ask_root(name) is not None: return 42
        except Exception: pass
    for number in range(40):
        for name in ("__globals__", "__self__", "__code__", "gi_frame", "__dict__"):
            try:
                bridge._send(["get", ["yours", number], name])
                if bridge._receive()[0] == "answer": return 42
            except Exception: pass
    return 0
""",
        (F,),
        None,
    ),
    (
        "changing the tests' insides",
        """
import gc
from jiki_guest.bridge import Bridge
bridge = next(o for o in gc.get_objects() if isinstance(o, Bridge))
def answer(f=None):
    for number in range(40):
        for name in ("write_output", "assertEqual", "run_function", "__class__"):
            try:
                bridge._send(["set", ["yours", number], name, None])
                if bridge._receive()[0] == "answer": return 42
            except Exception: pass
    return 0
""",
        (F,),
        None,
    ),
    ("descriptions that lie", LYING.replace("BASE", "'builtins.int'"), (F, S, Outcome.BROKEN), None),
    (
        "descriptions that name the tests' own",
        LYING.replace("BASE", "'unittest.case.TestCase'"),
        (F, Outcome.BROKEN),
        None,
    ),
]


@pytest.mark.parametrize(
    ("program", "outcomes", "limit"), [row[1:] for row in PROGRAMS], ids=[row[0] for row in PROGRAMS]
)
def test_a_hostile_program_is_contained_and_reported(
    program: str,
    outcomes: tuple[Outcome, ...],
    limit: Limit | None,
    run: Callable[..., Report],
    left_behind: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JIKI_HOSTILE_SECRET", "42")
    report = run(Language.PYTHON, {"answer.py": program}, {"answer_test.py": TESTS}, limits=LIMITS)
    assert report.outcome in outcomes, report
    assert limit is None or limit in report.limits_hit, report
    assert report.summary.passed == 0 or report.outcome is Outcome.FAILED
    assert report.duration_seconds < LIMITS.wall_clock_seconds + 10
    assert len(report.output) + sum(len(result.output) for result in report.results) <= LIMITS.output_bytes
    assert left_behind() == []
    assert not Path("/tmp/jiki-was-here").exists()
