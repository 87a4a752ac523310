"""Which plugins may load, and in which order: a pure decision."""

from __future__ import annotations

import itertools

import pytest

from jiki_core.plugins.resolve import Candidate, resolve

FIRST_PARTY = {
    "auth": Candidate("auth", "1.0.0"),
    "learning": Candidate("learning", "1.0.0", ("auth>=1.0",), ("payments>=1.0", "i18n>=1.0")),
    "payments": Candidate("payments", "1.0.0", ("auth>=1.0",)),
    "i18n": Candidate("i18n", "1.0.0"),
}


def solve(*candidates, failed=(), core_version="1.0.0"):
    installed = {name: one.version for name, one in FIRST_PARTY.items()} | {one.name: one.version for one in candidates}
    return resolve(candidates, core_version=core_version, installed=installed, failed=failed)


def test_the_order_is_the_same_however_the_plugins_are_listed():
    orders = {solve(*listed).order for listed in itertools.permutations(FIRST_PARTY.values())}
    assert orders == {("auth", "i18n", "payments", "learning")}


@pytest.mark.parametrize("size", range(5))
def test_ten_subsets_are_whole(size):
    for names in itertools.combinations(FIRST_PARTY, size):
        solved = solve(*(FIRST_PARTY[name] for name in names))
        lacks_auth = {"learning", "payments"} & set(names) if "auth" not in names else set()
        assert set(solved.problems) == lacks_auth


def test_exactly_ten_subsets_are_valid():
    every = itertools.chain.from_iterable(itertools.combinations(FIRST_PARTY, size) for size in range(5))
    assert sum(not solve(*(FIRST_PARTY[name] for name in names)).problems for names in every) == 10


def test_without_auth_the_message_says_what_blocks_whom():
    problem = solve(FIRST_PARTY["learning"]).problems["learning"]
    assert problem.state == "blocked"
    assert problem.cause == "learning requires auth>=1.0, which is installed but not listed"
    assert problem.remedy == "add auth to [plugins] enabled"


def test_a_block_spreads_to_dependents():
    upper = Candidate("upper", "1.0", ("learning>=1.0",))
    problems = solve(FIRST_PARTY["learning"], upper).problems
    assert problems["upper"].cause == "upper requires learning, which does not run"


def test_a_failed_import_blocks_its_dependents():
    assert solve(FIRST_PARTY["learning"], failed=["auth"]).problems["learning"].state == "blocked"


@pytest.mark.parametrize(
    ("candidate", "words"),
    [
        (Candidate("old", "1.0", ("auth>=2.0",)), "auth 1.0.0 is installed"),
        (Candidate("new", "1.0", core=">=9"), "needs jiki-core >=9, but 1.0.0"),
    ],
)
def test_versions_that_do_not_fit_are_incompatible(candidate, words):
    problem = solve(FIRST_PARTY["auth"], candidate).problems[candidate.name]
    assert problem.state == "incompatible"
    assert words in problem.cause


def test_a_circle_is_named():
    problems = solve(
        Candidate("aa", "1", ("bb",)), Candidate("bb", "1", ("cc",)), Candidate("cc", "1", ("aa",))
    ).problems
    assert "aa -> bb -> cc -> aa" in problems["aa"].cause


def test_a_circle_of_uses_is_no_problem():
    solved = solve(Candidate("aa", "1", uses=("bb",)), Candidate("bb", "1", uses=("aa",)))
    assert solved.problems == {}
    assert solved.order == ("aa", "bb")
