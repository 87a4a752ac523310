"""Settings: typed, from file and environment, all mistakes at once, never a value shown."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from jiki_core.configuration import read_configuration
from jiki_core.settings import (
    ConfigurationError,
    Secret,
    Sources,
    load_section,
    setting,
    unknown_sections,
    unknown_variables,
)


@dataclass(frozen=True)
class Settings:
    needed: str = setting(help="Needed", example="something")
    size: int = setting(5, help="Size", minimum=1, maximum=10, example="5")
    mode: str = setting("fast", help="Mode", choices=("fast", "slow"))
    on: bool = setting(False, help="Switch")
    names: tuple[str, ...] = setting((), help="Names")
    key: Secret = setting(Secret(""), help="Key")


def load(file=None, **environment):
    return load_section(Settings, "acme", Sources({"acme": file or {}}, environment))


def test_environment_wins_over_file_and_file_over_default():
    loaded = load({"size": 3, "mode": "slow", "needed": "x"}, JIKI_ACME_SIZE="7")
    assert (loaded.instance.size, loaded.instance.mode, loaded.instance.on) == (7, "slow", False)
    assert [one.origin for one in loaded.effective][1:4] == ["JIKI_ACME_SIZE", "jiki.toml", "default"]


@pytest.mark.parametrize(
    ("file", "environment", "name", "reason"),
    [
        ({}, {}, "JIKI_ACME_NEEDED", "is required"),
        ({"needed": "x", "size": 0}, {}, "[acme] size", "must be at least 1"),
        ({"needed": "x"}, {"JIKI_ACME_SIZE": "11"}, "JIKI_ACME_SIZE", "must be at most 10"),
        ({"needed": "x"}, {"JIKI_ACME_SIZE": "many"}, "JIKI_ACME_SIZE", "must be a whole number"),
        ({"needed": "x", "size": True}, {}, "[acme] size", "must be a number"),
        ({"needed": "x"}, {"JIKI_ACME_ON": "perhaps"}, "JIKI_ACME_ON", "must be true or false"),
        ({"needed": "x", "mode": "odd"}, {}, "[acme] mode", "must be one of fast, slow"),
        ({"needed": "x", "names": "a"}, {}, None, None),
        ({"needed": "x", "names": [1]}, {}, "[acme] names", "must be a list of strings"),
        ({"needed": 5}, {}, "[acme] needed", "must be a string"),
        ({"needed": "x", "sise": 5}, {}, "[acme] sise", "is not a setting; did you mean size?"),
    ],
)
def test_a_mistake_names_the_setting_and_the_reason(file, environment, name, reason):
    found = [(one.name, one.reason) for one in load(file, **environment).mistakes]
    assert found == ([] if name is None else [(name, reason)])


def test_all_mistakes_are_told_at_once():
    loaded = load({"size": 0, "mode": "odd"}, JIKI_ACME_ON="perhaps")
    assert {one.name for one in loaded.mistakes} == {"[acme] size", "[acme] mode", "JIKI_ACME_ON", "JIKI_ACME_NEEDED"}


def test_a_secret_is_never_shown():
    loaded = load({"needed": "x"}, JIKI_ACME_KEY="hunter2-canary")
    assert loaded.instance.key.reveal() == "hunter2-canary"
    assert "canary" not in repr(loaded)
    assert "canary" not in str(loaded.effective)


def test_unknown_names_get_the_nearest_match():
    sources = Sources({"leaning": {}}, {"JIKI_ACME_SISE": "1", "JIKI_OTHER_X": "1"})
    assert [str(one) for one in unknown_variables(sources, {"acme": Settings}, ["other"])] == [
        "JIKI_ACME_SISE: is not a setting; did you mean JIKI_ACME_SIZE?"
    ]
    assert "did you mean learning?" in str(unknown_sections(sources, ["core", "learning"])[0])


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"JIKI_ENV": "production"}, "JIKI_SECRET_KEY"),
        ({"JIKI_ENV": "production", "JIKI_SECRET_KEY": "short"}, "JIKI_SECRET_KEY"),
        (
            {"JIKI_ENV": "production", "JIKI_SECRET_KEY": "x" * 40, "JIKI_PUBLIC_URL": "http://api.jiki.io"},
            "JIKI_PUBLIC_URL",
        ),
        ({"JIKI_ENV": "development", "DATABASE_URL": "sqlite:///x"}, "DATABASE_URL"),
        ({"JIKI_ENV": "development", "JIKI_TRUSTED_PROXIES": "everybody"}, "JIKI_TRUSTED_PROXIES"),
        ({"JIKI_ENV": "staging"}, "JIKI_ENV"),
        ({"JIKI_ENV": "development", "JIKI_STORAGE_SERVICE": "s3"}, "JIKI_STORAGE_S3_BUCKET"),
        ({"JIKI_ENV": "development", "JIKI_STORAGE_SERVICE": "tape"}, "JIKI_STORAGE_SERVICE"),
        ({"JIKI_ENV": "development", "JIKI_FILES_URL": "files.jiki.io"}, "JIKI_FILES_URL"),
        ({"JIKI_ENV": "development", "JIKI_STORAGE_PUBLIC_URL": "ftp://x"}, "JIKI_STORAGE_PUBLIC_URL"),
    ],
)
def test_what_production_and_the_core_refuse(environment, name):
    with pytest.raises(ConfigurationError) as refused:
        read_configuration(Sources({}, environment))
    assert name in {one.name for one in refused.value.mistakes}


def test_development_trusts_loopback_and_the_two_usual_origins():
    core = read_configuration(Sources({}, {"JIKI_ENV": "development"})).core
    assert "http://local.jiki.io:3061" in core.allowed_origins
    assert core.trusted_networks == ("127.0.0.0/8", "::1/128")


def test_production_trusts_nobody_by_itself():
    environment = {
        "JIKI_ENV": "production",
        "JIKI_SECRET_KEY": "x" * 40,
        "JIKI_PUBLIC_URL": "https://api.jiki.io",
        "JIKI_FRONTEND_URL": "https://jiki.io",
    }
    core = read_configuration(Sources({}, environment)).core
    assert core.trusted_networks == ()
    assert set(core.allowed_origins) == {"https://jiki.io", "https://api.jiki.io"}
