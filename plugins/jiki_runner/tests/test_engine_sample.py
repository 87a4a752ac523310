"""One solution that passes and one that does not, per language, through the real engine: the part of the engine's tests
that every run of the suite has. The rest is soak."""

from __future__ import annotations

import pytest

from jiki_runner.engine import Language, Outcome, TestStatus

TESTS = {
    Language.PYTHON: {"a_test.py": "from a import add\ndef test_sum():\n    assert add(2, 2) == 4\n"},
    Language.JAVASCRIPT: {
        "a.test.js": "import { add } from './a';\ntest('sum', () => expect(add(2, 2)).toBe(4));\n"
        "test('file', () => expect(require('node:fs').readFileSync('/exercise/a.js')).toContain('add'));\n"
    },
}
SOLUTIONS = {
    Language.PYTHON: {"a.py": "def add(one, other):\n    return one {sign} other\n"},
    Language.JAVASCRIPT: {"a.js": "export const add = (one, other) => one {sign} other;\n"},
}


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize(("sign", "outcome"), [("+", Outcome.PASSED), ("-", Outcome.FAILED)])
def test_an_engine_tells_right_from_wrong(run, request, language, sign, outcome, left_behind):
    request.getfixturevalue(f"{language}_engine")
    solution = {name: code.format(sign=sign) for name, code in SOLUTIONS[language].items()}
    report = run(language, solution, TESTS[language])
    assert report.outcome is outcome, report
    if outcome is Outcome.FAILED:
        failed = next(one for one in report.results if one.status is TestStatus.FAILED)
        assert (failed.expected, failed.actual) == ("4", "0")
    assert left_behind() == []
