"""JavaScript runs as a learner sees them, the Jest-like tests, and the modules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jiki_runner.engine import (
    Language,
    Limit,
    Limits,
    Outcome,
    Place,
    Report,
    TestResult,
    TestStatus,
    read_course_exercise,
    start_run,
)

pytestmark = pytest.mark.usefixtures("javascript_engine")

Run = Callable[..., Report]
EXERCISES = sorted((Path(__file__).parent / "javascript_exercises").iterdir())
RESULT_TIMEOUT_SECONDS = 60.0


def spec(*bodies: str, imports: str = "import { answer } from './answer';") -> str:
    tests = "\n".join(f"test('{number}', async () => {{\n{body}\n}});" for number, body in enumerate(bodies))
    return f"{imports}\n{tests}\n"


def report_of(run: Run, solution: str, *bodies: str, **more: object) -> Report:
    return run(Language.JAVASCRIPT, {"answer.js": solution}, {"answer.spec.js": spec(*bodies)}, **more)


def result_of(run: Run, solution: str, body: str, **more: object) -> TestResult:
    (result,) = report_of(run, solution, body, **more).results
    return result


def test_there_are_a_dozen_exercises() -> None:
    assert len(EXERCISES) >= 12


@pytest.mark.parametrize("folder", EXERCISES, ids=lambda folder: folder.name)
def test_the_reference_passes_and_the_stub_does_not(folder: Path, javascript_engine: Path, run_base: Path) -> None:
    exercise = read_course_exercise(folder, Language.JAVASCRIPT)
    reports = [
        start_run(given, engine_directory=javascript_engine, run_base=run_base).result(RESULT_TIMEOUT_SECONDS)
        for given in (exercise.reference, exercise.stub)
    ]
    wrong = [r for r in reports[0].results if r.status not in (TestStatus.PASSED, TestStatus.SKIPPED)]
    assert reports[0].outcome is Outcome.PASSED, (reports[0].message, reports[0].breakage, wrong)
    assert reports[1].outcome in (Outcome.FAILED, Outcome.BROKEN), reports[1]


def test_a_syntax_error_is_shown_with_its_line(run: Run) -> None:
    report = report_of(run, "export const one = 1;\nexport const answer = (=> 1;\n", "")
    assert report.outcome is Outcome.BROKEN
    assert report.breakage is not None
    assert (report.breakage.error_type, report.breakage.message) == ("SyntaxError", "Unexpected token")
    assert report.breakage.places == (Place("answer.js", 2, "", "export const answer = (=> 1;"),)
    assert report.breakage.column == 24


def test_what_the_top_level_throws_is_shown_with_its_place(run: Run) -> None:
    solution = "console.log('loading');\nexport const answer = () => 1;\nnull.missing;\n"
    report = report_of(run, solution, "")
    assert report.outcome is Outcome.BROKEN
    assert report.breakage is not None
    assert report.breakage.message == "Cannot read properties of null (reading 'missing')"
    assert [(place.file, place.line, place.text) for place in report.breakage.places] == [
        ("answer.js", 3, "null.missing;")
    ]
    assert report.output == "loading\n"


def test_a_missing_export_is_named(run: Run) -> None:
    report = report_of(run, "export const anser = () => 1;", "")
    assert report.outcome is Outcome.BROKEN
    assert report.breakage is not None
    assert "does not provide an export named 'answer'" in report.breakage.message


def test_a_missing_module_is_named(run: Run) -> None:
    report = report_of(run, "import { x } from './parts';\nexport const answer = () => x;", "")
    assert report.outcome is Outcome.BROKEN
    assert report.breakage is not None
    assert "Cannot find module './parts'" in report.breakage.message


def test_a_broken_test_file_is_not_the_learners_fault(run: Run) -> None:
    for tests in ("import { answer } from './answer';\ntest('x' () => {});", "undefinedName();"):
        report = run(Language.JAVASCRIPT, {"answer.js": "export const answer = 1;"}, {"answer.spec.js": tests})
        assert report.outcome is Outcome.FAULT
        assert report.message.startswith("The test file cannot be loaded: ")


#: expectation, expected, actual; the solution gives back what it is given
EXPECTATIONS = [
    ("expect(answer(1)).toBe(2);", "2", "1"),
    ("expect(answer('a')).toBe(\"b'c\");", "'b\\'c'", "'a'"),
    ("expect(answer([1, { a: 2 }])).toEqual([1, { a: 3 }]);", "[1, { a: 3 }]", "[1, { a: 2 }]"),
    ("expect(answer(1)).not.toBe(1);", "not 1", "1"),
    ("expect(answer(-0)).toBe(0);", "0", "-0"),
    ("expect(answer({ a: undefined })).toStrictEqual({});", "{}", "{ a: undefined }"),
    (
        "expect(answer(null)).toBeDefined(); expect(answer()).toBeDefined();",
        "anything but undefined",
        "undefined",
    ),
    ("expect(answer(0)).toBeTruthy();", "a truthy value", "0"),
    ("expect(answer(1.1)).toBeCloseTo(1.2);", "about 1.2", "1.1"),
    ("expect(answer('1')).toBeGreaterThan(0);", "a number", "'1'"),
    ("expect(answer([1])).toContain(2);", "something with 2 in it", "[1]"),
    ("expect(answer('abc')).toHaveLength(2);", "length 2", "length 3: 'abc'"),
    ("expect(answer('abc')).toMatch(/d/);", "a string matching /d/", "'abc'"),
    ("expect(() => answer(1)).toThrow('x');", "an error: 'x'", "nothing was thrown"),
    (
        "expect(() => { throw new TypeError('y'); }).toThrow(RangeError);",
        "an error: [Function: RangeError]",
        "TypeError: y",
    ),
    ("expect(answer(new Map([[1, 2]]))).toEqual(new Map([[1, 3]]));", "Map { 1 => 3 }", "Map { 1 => 2 }"),
    ("expect(answer(new Set([1]))).toEqual(new Set());", "Set {}", "Set { 1 }"),
    (
        "expect(answer(new Date(0))).toEqual(new Date(1));",
        "1970-01-01T00:00:00.001Z",
        "1970-01-01T00:00:00.000Z",
    ),
    ("expect(answer(class A {})).toBeNull();", "null", "[Function: A]"),
    ("expect(answer(1n)).toBe(1);", "1", "1n"),
    ("expect(answer(Symbol('s'))).toBeFalsy();", "a falsy value", "Symbol(s)"),
    ("await expect(answer(Promise.resolve(1))).resolves.toBe(2);", "2", "1"),
    ("await expect(answer(Promise.resolve(1))).rejects.toThrow();", "a rejected promise", "1"),
    ("expect(answer({ a: { b: 1 } })).toHaveProperty('a.b', 2);", "2", "1"),
    ("expect(jest.fn()).toHaveBeenCalled();", "at least one call", "no call"),
]


def test_every_expectation_says_what_it_compared(run: Run) -> None:
    report = report_of(run, "export const answer = (x) => x;", *(row[0] for row in EXPECTATIONS))
    told = [(row[0], r.expected, r.actual) for row, r in zip(EXPECTATIONS, report.results, strict=True)]
    assert told == EXPECTATIONS
    assert {result.status for result in report.results} == {TestStatus.FAILED}


#: expectations that hold
TRUTHS = [
    "expect(answer(NaN)).toBe(NaN); expect(answer(NaN)).toEqual(NaN); expect(answer(NaN)).toBeNaN();",
    "expect(answer({ a: 1, b: undefined })).toEqual({ a: 1 });",
    "expect(answer([undefined])).toEqual([undefined]); expect(answer([1, 2])).not.toEqual([2, 1]);",
    "const a = {}; a.a = a; const b = {}; b.a = b; expect(answer(a)).toEqual(b);",
    "class A { constructor() { this.x = 1; } } expect(answer(new A())).toEqual({ x: 1 });",
    "class A { constructor() { this.x = 1; } } expect(answer(new A())).not.toStrictEqual({ x: 1 });",
    "expect(answer(new Error('a'))).toEqual(new Error('a'));",
    "expect(answer(new Error('a'))).not.toEqual(new Error('b'));",
    "expect(answer(/a/g)).toEqual(/a/g); expect(answer(/a/)).not.toEqual(/a/g);",
    "expect(answer(new Uint8Array([1]))).toEqual(new Uint8Array([1]));",
    "expect(answer(new Set([[1], [2]]))).toEqual(new Set([[2], [1]]));",
    "expect(answer([[1], [2]])).toContainEqual([2]);",
    "expect(answer({ a: [1, { b: 2 }], c: 3 })).toMatchObject({ a: [1, { b: 2 }] });",
    "expect(() => expect(1).toBe(2)).toThrow('expected 2, got 1');",
    "expect(() => { throw 'text'; }).toThrow('tex');",
    "const f = jest.fn((x) => x + 1); expect(f(1)).toBe(2); expect(f).toHaveBeenCalledWith(1);",
    "const f = jest.fn().mockReturnValue(3); expect(f()).toBe(3); expect(f.mock.calls).toEqual([[]]);",
    "await expect(Promise.reject(new RangeError('no'))).rejects.toThrow(RangeError);",
    "await expect(Promise.reject(new Error('no'))).rejects.toEqual(new Error('no'));",
]


def test_expectations_hold_as_they_do_in_jest(run: Run) -> None:
    report = report_of(run, "export const answer = (x) => x;", *TRUTHS)
    failed = [(text, r.message) for text, r in zip(TRUTHS, report.results, strict=True) if r.status != "passed"]
    assert failed == []


def test_an_error_is_shown_with_the_learners_lines(run: Run) -> None:
    solution = "const half = (n) => {\n  throw new RangeError('odd');\n};\nexport const answer = () => half(3);\n"
    result = result_of(run, solution, "answer();")
    assert result.status is TestStatus.ERROR
    assert (result.error_type, result.message) == ("RangeError", "RangeError: odd")
    assert [(p.line, p.function, p.text) for p in result.places] == [
        (4, "answer", "export const answer = () => half(3);"),
        (2, "half", "throw new RangeError('odd');"),
    ]
    assert result.test_line == 3


def test_an_endless_loop_times_out_and_keeps_what_came_before(run: Run) -> None:
    report = report_of(
        run,
        "export const answer = (n) => { console.log('n is', n); while (n); };",
        "answer(0);",
        "answer(1);",
        "answer(0);",
        limits=Limits(wall_clock_seconds=1.0),
    )
    assert report.outcome is Outcome.STOPPED
    assert [r.status for r in report.results] == [
        TestStatus.PASSED,
        TestStatus.TIMED_OUT,
        TestStatus.NOT_RUN,
    ]
    assert [r.output for r in report.results[:2]] == ["n is 0\n", "n is 1\n"]
    assert report.limits_hit == {Limit.WALL_CLOCK}


def test_output_is_cut_at_the_limit(run: Run) -> None:
    report = report_of(
        run,
        "export const answer = (n) => console.log('x'.repeat(n));",
        "answer(3);",
        "answer(5000);",
        "answer(4);",
        limits=Limits(output_bytes=1000),
    )
    assert report.outcome is Outcome.PASSED
    assert [len(r.output) for r in report.results] == [4, 996, 0]
    assert report.limits_hit == {Limit.OUTPUT}


def test_hooks_run_in_order_and_a_failing_one_fails_its_tests(run: Run) -> None:
    tests = """
import { log } from './answer';
beforeAll(() => log.push('all'));
afterAll(() => log.push('over'));
describe('outer', () => {
  beforeEach(() => log.push('outer'));
  afterEach(() => log.push('after outer'));
  describe('inner', () => {
    beforeEach(async () => log.push('inner'));
    test('one', () => expect(log).toEqual(['all', 'outer', 'inner']));
    it('two', () => expect(log.slice(3)).toEqual(['after outer', 'outer', 'inner']));
  });
});
describe('broken', () => {
  beforeAll(() => { throw new Error('no set-up'); });
  test('three', () => {});
  test('four', () => {});
});
"""
    report = run(Language.JAVASCRIPT, {"answer.js": "export const log = [];"}, {"answer.spec.js": tests})
    assert [(r.test.id, r.status) for r in report.results] == [
        ("outer > inner > one", TestStatus.PASSED),
        ("outer > inner > two", TestStatus.PASSED),
        ("broken > three", TestStatus.ERROR),
        ("broken > four", TestStatus.ERROR),
    ]
    assert report.results[3].message == "Error: no set-up"
    assert [r.test.line for r in report.results] == [10, 11, 16, 17]


def test_skipped_focused_and_tabled_tests(run: Run) -> None:
    tests = """
test('plain', () => {});
test.skip('skipped', () => { throw 1; });
describe.skip('group', () => { it('inside', () => { throw 1; }); });
test.todo('later');
test.each([['a', 1], ['b', 2]])('row %s is %d', (letter, number) => { expect(letter.length).toBe(number); });
test('same', () => {});
test('same', () => {});
"""
    report = run(Language.JAVASCRIPT, {"answer.js": ""}, {"answer.spec.js": tests})
    assert [(r.test.id, r.status) for r in report.results] == [
        ("plain", TestStatus.PASSED),
        ("skipped", TestStatus.SKIPPED),
        ("group > inside", TestStatus.SKIPPED),
        ("later", TestStatus.SKIPPED),
        ("row a is 1", TestStatus.PASSED),
        ("row b is 2", TestStatus.FAILED),
        ("same", TestStatus.PASSED),
        ("same (2)", TestStatus.PASSED),
    ]


def test_only_the_focused_test_runs(run: Run) -> None:
    tests = "test('a', () => { throw 1; });\ntest.only('b', () => {});\n"
    report = run(Language.JAVASCRIPT, {"answer.js": ""}, {"answer.spec.js": tests})
    assert [r.status for r in report.results] == [TestStatus.SKIPPED, TestStatus.PASSED]


MODULES = {
    "answer.js": """#!/usr/bin/env node
import main, { one as uno, default as again } from './parts';
import * as parts from './parts';
import './side-effect';
import data from './data.json';
export { two, one as eins } from './parts';
export * from './more';
export * as everything from './more';
export { main as 'in quotes' };
export let counter = 0;
export const increase = () => { counter += 1; };
export const { a, b: [c, ...rest], ...others } = { a: 1, b: [2, 3, 4], d: 5 };
export function* generator() { yield uno; }
export class Thing { static #secret = 7; static get secret() { return Thing.#secret; } }
export default class { name = 'anonymous'; }
export const text = `import x from 'y';
export const z = 1;`;
const module = 'a name of its own', require = module, exports = module;
export const own = [module, require, exports, main === again, Object.keys(parts).sort(), data.list];
""",
    "parts.js": "export const one = 1, two = 2;\nexport default function () { return 'main'; }\n",
    "more.js": """export const three = 3;
export async function four() { return 4; }
export default 'not passed on';
""",
    "side-effect.js": "globalThis.Math;\n",
    "data.json": '{"list": [1, 2]}',
}
MODULE_TRUTHS = """
import Thing2, * as all from './answer.js';
import { counter, increase } from './answer';
test('names', () => {
  expect(Object.keys(all).sort()).toEqual([
    'Thing', 'a', 'c', 'counter', 'default', 'eins', 'everything', 'four', 'generator',
    'in quotes', 'increase', 'others', 'own', 'rest', 'text', 'three', 'two',
  ]);
});
test('values', async () => {
  expect([all.two, all.eins, all.three]).toEqual([2, 1, 3]);
  expect([all.a, all.c, all.rest, all.others]).toEqual([1, 2, [3, 4], { d: 5 }]);
  expect(await all.four()).toBe(4);
  expect(all.everything.three).toBe(3);
  expect(all['in quotes']()).toBe('main');
  expect([...all.generator()]).toEqual([1]);
  expect(all.Thing.secret).toBe(7);
  expect(new Thing2().name).toBe('anonymous');
  expect(all.text).toContain("import x from 'y';\\nexport const z");
});
test('live', () => {
  increase();
  expect(all.counter).toBe(1);
  expect(counter).toBe(0);
});
test('own names', () => {
  const own = 'a name of its own';
  expect(all.own).toEqual([own, own, own, true, ['default', 'one', 'two'], [1, 2]]);
});
"""


def test_modules_work_as_the_language_has_them(run: Run) -> None:
    support = {name: text for name, text in MODULES.items() if name.endswith(".json")}
    solution = {name: text for name, text in MODULES.items() if name not in support}
    report = run(Language.JAVASCRIPT, solution, {"answer.spec.js": MODULE_TRUTHS}, support=support)
    assert report.outcome is Outcome.PASSED, (report.breakage, [r.message for r in report.results])


#: What programs do in earnest with the language's own objects, which are frozen.
EARNEST = """
export class Mistake extends Error {
  constructor(text) { super(text); this.name = 'Mistake'; this.message = `!${text}`; this.extra = 1; }
}
export function Old(name) { this.name = name; }
Old.prototype.toString = function () { return `old ${this.name}`; };
Old.prototype.constructor = Old;
export const plain = {};
plain.toString = () => 'plain';
plain.hasOwnProperty = 'shadowed';
export const list = [];
list.length = 3;
list.toString = () => 'list';
export const fn = () => {};
fn.extra = 1;
export const table = Object.assign(Object.create(null), { constructor: 1, toString: 2 });
export const parsed = JSON.parse('{"toString": 1, "__proto__": 2}');
export const map = new Map([['constructor', 1]]);
"""


def test_frozen_built_ins_do_not_hinder_honest_programs(run: Run) -> None:
    tests = """
import * as it from './answer';
test('all of it', () => {
  const mistake = new it.Mistake('x');
  expect([mistake.name, mistake.message, mistake.extra]).toEqual(['Mistake', '!x', 1]);
  expect(`${mistake}`).toBe('Mistake: !x');
  expect(`${new it.Old('one')}`).toBe('old one');
  expect([`${it.plain}`, it.plain.hasOwnProperty]).toEqual(['plain', 'shadowed']);
  expect([it.list.length, `${it.list}`]).toEqual([3, 'list']);
  expect([it.fn.extra, it.table.constructor, it.parsed.toString]).toEqual([1, 1, 1]);
  expect(it.map.get('constructor')).toBe(1);
});
test('extending the language is refused', () => {
  expect(() => { Array.prototype.last = () => {}; }).toThrow(TypeError);
});
"""
    report = run(Language.JAVASCRIPT, {"answer.js": EARNEST}, {"answer.spec.js": tests})
    assert report.outcome is Outcome.PASSED, (report.breakage, [r.message for r in report.results])
