"""JavaScript programs that mean harm: each is contained, reported, and leaves nothing behind.

The tests want 42. Each program answers 42 only if its attack worked, so a pass is a hole.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jiki_runner.engine.exercise import Language
from jiki_runner.engine.limits import MEBIBYTE, Limit, Limits
from jiki_runner.engine.report import Outcome, Report, TestStatus

pytestmark = pytest.mark.usefixtures("javascript_engine")

TESTS = """
import { answer } from './answer';

describe('answer', () => {
  test('first', () => { expect(answer()).toBe(42); });
  test('deep', () => { expect([answer(), { a: [answer()] }]).toEqual([42, { a: [42] }]); });
  test('awaited', async () => { expect(await answer()).toEqual(42); });
  test('callback', () => { expect(answer(() => expect(1).toBe(2))).toBe(42); });
});
"""
LIMITS = Limits(wall_clock_seconds=1.0, cpu_seconds=6, memory_bytes=64 * MEBIBYTE, output_bytes=16 * 1024)

T, M = Limit.WALL_CLOCK, Limit.MEMORY
F, S, B = Outcome.FAILED, Outcome.STOPPED, Outcome.BROKEN


def attempt(body: str) -> str:
    """A program that does something at its top level, whatever comes of it, and then answers 0."""
    return f"try {{ {body} }} catch {{}}\nexport const answer = () => 0;"


def answering(body: str) -> str:
    """A program whose answer is what `body` returns."""
    return f"export const answer = (callback) => {{ {body} }};"


#: name, program, allowed outcomes, limit that must be among those hit (or None)
PROGRAMS: list[tuple[str, str, tuple[Outcome, ...], Limit | None]] = [
    ("endless loop", answering("for (;;);"), (S,), T),
    ("endless loop at the top", "for (;;);", (S,), T),
    (
        "endless loop that catches all",
        answering("for (;;) { try { for (;;); } catch {} finally { for (;;); } }"),
        (S,),
        T,
    ),
    (
        "endless microtasks",
        answering("const again = () => Promise.resolve().then(again); again(); return 0;"),
        (S,),
        None,
    ),
    ("endless timers", answering("setInterval(() => {}, 1); return new Promise(() => {});"), (S,), T),
    ("a promise that never ends", answering("return new Promise(() => {});"), (S,), T),
    ("a thenable that never ends", answering("return { then() { for (;;); } };"), (S,), T),
    (
        "sleep",
        answering("Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1e9); return 42;"),
        (F,),
        None,
    ),
    ("regex bomb", answering("return /^(a+)+$/.test('a'.repeat(40) + 'b');"), (S,), T),
    (
        "endless generator",
        answering("return Array.from((function* () { for (;;) yield 1; })()).length;"),
        (S, F),
        None,
    ),
    ("memory by objects", answering("const a = []; for (;;) a.push({ a: [1, 2, 3] });"), (S,), M),
    (
        "memory by text",
        answering("let s = 'x'; const a = []; for (;;) { s += s.length; a.push(s.repeat(9)); }"),
        (S, F),
        None,
    ),
    ("memory by doubling text", answering("let s = 'x'; for (;;) s += s;"), (F, S), None),
    (
        "memory by buffers",
        answering("const a = []; for (;;) a.push(new Uint8Array(1 << 20).fill(1));"),
        (F, S),
        None,
    ),
    (
        "memory by buffers, in spite of errors",
        answering("const a = []; for (;;) { try { a.push(new ArrayBuffer(1 << 20)); } catch {} }"),
        (S,),
        M,
    ),
    ("one large buffer", answering("return new ArrayBuffer(1 << 30).byteLength;"), (F, S), None),
    (
        "a growing buffer",
        answering(
            "const b = new ArrayBuffer(8, { maxByteLength: 1 << 30 }); b.resize(1 << 30); return new Uint8Array(b).fill(7).length;"
        ),
        (F, S),
        None,
    ),
    ("a large array", answering("return new Array(1e8).fill(0).length;"), (F, S), None),
    (
        "memory by a map",
        answering("const m = new Map(); for (let i = 0; ; i += 1) m.set(i, `${i}`);"),
        (S,),
        None,
    ),
    (
        "memory by closures",
        answering("let f = () => 0; for (;;) { const g = f; f = () => g(); }"),
        (S,),
        None,
    ),
    ("shared memory", answering("return new SharedArrayBuffer(1 << 29).byteLength;"), (F,), None),
    (
        "memory of WebAssembly",
        answering("return new WebAssembly.Memory({ initial: 5000 }).buffer.byteLength;"),
        (F,),
        None,
    ),
    ("deep recursion", answering("return answer();"), (F,), None),
    (
        "deep recursion that catches all",
        answering("try { return answer(); } catch { return answer(); }"),
        (F, S),
        None,
    ),
    ("deep JSON", answering("return JSON.parse('['.repeat(1e6) + ']'.repeat(1e6));"), (F, S), None),
    (
        "deep nesting handed back",
        answering("let x = []; for (let i = 0; i < 1e5; i += 1) x = [x]; return x;"),
        (F, S),
        None,
    ),
    ("an object in itself handed back", answering("const x = {}; x.x = x; return x;"), (F,), None),
    ("output flood", answering("for (;;) console.log('x'.repeat(1000));"), (S,), Limit.OUTPUT),
    (
        "output flood that ends",
        answering("for (let i = 0; i < 5000; i += 1) console.error('x'.repeat(1000)); return 0;"),
        (F,),
        Limit.OUTPUT,
    ),
    (
        "printed results",
        answering('console.log(\'{"event":"finished","status":"passed"}\\n4 passed\'); return 0;'),
        (F,),
        None,
    ),
    ("modules of Node", "import { readFileSync } from 'fs';\nexport const answer = () => 42;", (B,), None),
    ("require of Node's modules", answering("return require('child_process') ? 42 : 0;"), (F,), None),
    ("import at run time", answering("return import('fs').then(() => 42);"), (F,), None),
    ("process", answering("process.exit(0);"), (F,), None),
    ("environment", answering("return process.env.JIKI_HOSTILE_SECRET ? 42 : 0;"), (F,), None),
    ("fetch", answering("return fetch('http://127.0.0.1/').then(() => 42);"), (F,), None),
    ("sockets", answering("new WebSocket('ws://127.0.0.1/'); return 42;"), (F,), None),
    ("files by path", answering("return require('../../../../etc/passwd') ? 42 : 0;"), (F,), None),
    ("import of the tests", answering("return require('./answer.spec.js') ? 42 : 0;"), (F,), None),
    (
        "asking for the test functions",
        answering(
            "return typeof expect === 'undefined' && typeof test === 'undefined' && typeof __jiki_testing.expect === 'undefined' ? 0 : 42;"
        ),
        (F,),
        None,
    ),
    (
        "global test functions",
        attempt(
            "globalThis.expect = () => new Proxy(() => {}, { get: () => () => {} }); globalThis.test = () => {};"
        ),
        (F,),
        None,
    ),
    ("patched Object.is", attempt("Object.is = () => true;"), (F,), None),
    (
        "patched Object.is by definition",
        attempt("Object.defineProperty(Object, 'is', { value: () => true });"),
        (F,),
        None,
    ),
    ("patched Reflect", attempt("Reflect.ownKeys = () => []; Object.keys = () => [];"), (F,), None),
    (
        "patched arrays",
        attempt(
            "Array.prototype.every = () => true; Array.prototype.some = () => false; Array.prototype.forEach = () => {};"
        ),
        (F,),
        None,
    ),
    (
        "patched iteration",
        attempt(
            "Array.prototype[Symbol.iterator] = function* () {}; [][Symbol.iterator]().__proto__.next = () => ({ done: true });"
        ),
        (F,),
        None,
    ),
    (
        "patched promises",
        attempt(
            "Promise.prototype.then = function (f) { f(); return this; }; globalThis.Promise = class {};"
        ),
        (F,),
        None,
    ),
    (
        "patched JSON",
        attempt('JSON.stringify = () => \'{"event":"finished","id":"answer > first","status":"passed"}\';'),
        (F,),
        None,
    ),
    (
        "patched toJSON",
        attempt(
            "Object.prototype.toJSON = function () { return { ...this, status: 'passed' }; }; String.prototype.toJSON = () => 'passed';"
        ),
        (F,),
        None,
    ),
    (
        "patched call",
        attempt(
            "Function.prototype.call = Function.prototype.apply = Function.prototype.bind = () => () => true;"
        ),
        (F,),
        None,
    ),
    (
        "a setter for every object",
        attempt(
            "Object.defineProperty(Object.prototype, 'status', { set() {}, get() { return 'passed'; } });"
        ),
        (F,),
        None,
    ),
    (
        "a setter for every list",
        attempt("Object.defineProperty(Array.prototype, '0', { set() {}, get() { return 42; } });"),
        (F,),
        None,
    ),
    (
        "a new prototype for lists",
        attempt(
            "Object.setPrototypeOf(Array.prototype, { every: () => true }); Array.prototype.__proto__ = null;"
        ),
        (F,),
        None,
    ),
    (
        "removed methods",
        attempt("delete Array.prototype.map; delete Object.is; delete globalThis.Map;"),
        (F,),
        None,
    ),
    (
        "new globals",
        attempt(
            "globalThis.structuredClone = () => 42; (0, eval)('var injected = 1'); (0, eval)('let Map = class {}');"
        ),
        (F,),
        None,
    ),
    (
        "patched timers",
        attempt("globalThis.setTimeout = (f) => f(); globalThis.queueMicrotask = (f) => f();"),
        (F,),
        None,
    ),
    (
        "patched stack traces",
        attempt(
            "Error.prepareStackTrace = (e, frames) => frames[1].getFunction(); Error.stackTraceLimit = Infinity;"
        ),
        (F,),
        None,
    ),
    (
        "functions of the stack",
        answering(
            "Error.prepareStackTrace = (e, frames) => frames.map((f) => f.getFunction() ?? f.getThis()); return new Error().stack.some((f) => f) ? 42 : 0;"
        ),
        (F,),
        None,
    ),
    (
        "callers",
        answering("return (function f() { return f.caller; })() || arguments.callee.caller ? 42 : 0;"),
        (B, F),
        None,
    ),
    (
        "a program in text",
        answering("return new Function('return typeof expect')() !== 'undefined' ? 42 : 0;"),
        (F,),
        None,
    ),
    (
        "out of the wrapper",
        "} }); globalThis.escaped = true; (function () { {\nexport const answer = () => 42;",
        (B,),
        None,
    ),
    (
        "another file's name",
        "export const answer = () => { throw new Error('x'); };\n//# sourceURL=answer.spec.js",
        (F,),
        None,
    ),
    (
        "equal to everything",
        answering(
            "return { valueOf: () => 42, toString: () => '42', [Symbol.toPrimitive]: () => 42, equals: () => true };"
        ),
        (F,),
        None,
    ),
    (
        "a proxy of everything",
        answering(
            "return new Proxy(function () {}, { get: (t, k) => 42, has: () => true, ownKeys: () => [], getPrototypeOf: () => Number.prototype });"
        ),
        (F,),
        None,
    ),
    (
        "a proxy that throws",
        answering("return new Proxy({}, new Proxy({}, { get() { throw new Error('no'); } }));"),
        (F,),
        None,
    ),
    (
        "a proxy that never answers",
        answering("return new Proxy([], { getOwnPropertyDescriptor() { for (;;); }, get() { for (;;); } });"),
        (S,),
        T,
    ),
    ("an accessor that never answers", answering("return { get a() { for (;;); } };"), (F, S), None),
    (
        "a class that claims instances",
        answering("return Object.create(Number.prototype, { [Symbol.toStringTag]: { value: 'Number' } });"),
        (F,),
        None,
    ),
    ("throwing nothing", answering("throw undefined;"), (F,), None),
    (
        "throwing something that throws",
        answering(
            "throw { get message() { throw this; }, get stack() { throw this; }, toString() { throw this; } };"
        ),
        (F,),
        None,
    ),
    (
        "an error with a false stack",
        answering(
            "const e = new Error('x'); Object.defineProperty(e, 'stack', { get() { return 'at answer (answer.js:1:1)\\n'.repeat(1e5); } }); throw e;"
        ),
        (F,),
        None,
    ),
    ("an error with a huge message", answering("throw new Error('x'.repeat(1e7));"), (F,), None),
    (
        "swallowed expectation",
        answering("try { callback(); } catch {} return callback ? 42 : 0;"),
        (F,),
        None,
    ),
    (
        "swallowed expectation, later",
        answering("return Promise.resolve().then(() => callback?.()).catch(() => {}).then(() => 0);"),
        (F,),
        None,
    ),
    ("exports that change", "let n = 0;\nexport let answer = () => 0;\nexport { n as then };", (F,), None),
    (
        "exports as a proxy",
        "module.exports = new Proxy({}, { get: () => () => 0, has: () => true });",
        (F,),
        None,
    ),
    ("finalizers", attempt("new FinalizationRegistry(() => { for (;;); }).register({}, 0);"), (F,), None),
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
    report = run(Language.JAVASCRIPT, {"answer.js": program}, {"answer.spec.js": TESTS}, limits=LIMITS)
    assert report.outcome in outcomes, report
    assert limit is None or limit in report.limits_hit, report
    assert [result for result in report.results if result.status is TestStatus.PASSED] == []
    assert report.duration_seconds < LIMITS.wall_clock_seconds + 10
    assert len(report.output) + sum(len(result.output) for result in report.results) <= LIMITS.output_bytes
    assert left_behind() == []
