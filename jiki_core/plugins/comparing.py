"""Two versions of a plugin side by side: what comes, what goes, and what of that breaks somebody. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jiki_core.plugins.surface import Facts, Surface


@dataclass(frozen=True, slots=True)
class Difference:
    """One part that differs. `sign` is "+", "-" or "~"; `breaks` says who is hurt, empty when nobody is."""

    sign: str
    kind: str
    part: str
    #: what is said of it, one line each
    details: tuple[str, ...] = ()
    breaks: str = ""

    def lines(self) -> Iterator[str]:
        yield f"{'!' if self.breaks else ' '} {self.sign} {self.kind} {self.part}" + (
            f": {self.breaks}" if self.breaks else ""
        )
        yield from (f"      {line}" for line in self.details)

    def as_json(self) -> dict[str, Any]:
        return {
            "change": {"+": "added", "-": "removed", "~": "changed"}[self.sign],
            "kind": self.kind,
            "part": self.part,
            "details": list(self.details),
            "breaks": self.breaks or None,
        }


def _nobody(_before: Facts, _after: Facts) -> str:
    return ""


@dataclass(frozen=True)
class _Rule:
    """What the changes of one kind mean. `lost` and `gained` may name a fact in braces."""

    #: one part of the kind, in words
    word: str
    lost: str = ""
    gained: Callable[[Facts], str] = lambda _facts: ""
    changed: Callable[[Facts, Facts], str] = _nobody
    #: whether facts are told of parts that come
    tells_facts: bool = False


def _members(word: str, facts: Facts) -> dict[str, str]:
    return {name: told for name, told in facts.items() if name.startswith(f"{word} ")}


def _needed(facts: Facts, before: Facts) -> list[str]:
    """Arguments and parameters that must be given now and need not be before."""
    return [name.partition(" ")[2] for name, told in facts.items() if told == "needed" and before.get(name) != "needed"]


def _job_change(before: Facts, after: Facts) -> str:
    gone = [name.partition(" ")[2] for name in _members("argument", before) if name not in after]
    needed = _needed(after, before)
    told = [f"work that waits carries {', '.join(gone)}, which it does not take"] if gone else []
    return "; ".join(told + ([f"work that waits does not carry {', '.join(needed)}"] if needed else []))


def _event_change(before: Facts, after: Facts) -> str:
    hurt = [name.partition(" ")[2] for name, told in _members("field", before).items() if after.get(name) != told]
    return f"listeners of others read {', '.join(hurt)}" if hurt else ""


def _channel_change(before: Facts, after: Facts) -> str:
    gone = [name for name in _members("parameter", before) if name not in after]
    if gone or _needed(after, before):
        return "subscriptions of the clients from before are rejected"
    return "who may subscribe changes" if before.get("permission") != after.get("permission") else ""


def _setting_change(before: Facts, after: Facts) -> str:
    if before.get("type") != after.get("type"):
        return "a value that is set may not fit any more"
    return "it must be set before the restart" if before.get("default") and not after.get("default") else ""


def _permission_change(before: Facts, after: Facts) -> str:
    gone = set(before.get("roles", "").split(", ")) - set(after.get("roles", "").split(", ")) - {""}
    return f"{', '.join(sorted(gone))} may not any more" if gone else ""


_RULES: Mapping[str, _Rule] = {
    "core": _Rule("core", changed=_nobody),
    "requires": _Rule("requirement", gained=lambda _: "it must be installed and enabled before", tells_facts=True),
    "uses": _Rule("use"),
    "routes": _Rule(
        "route",
        "who calls it gets 404",
        changed=lambda before, after: "who may call it changes" if before["policy"] != after["policy"] else "",
        tells_facts=True,
    ),
    "permissions": _Rule(
        "permission", "routes and roles of others may name it", changed=_permission_change, tells_facts=True
    ),
    "roles": _Rule("role", "permissions of others may name it"),
    "events": _Rule("event", "listeners of others hear nothing any more", changed=_event_change),
    "listeners": _Rule("listener"),
    "jobs": _Rule(
        "job", "work that waits under this name is never done; keep the name in `aliases`", changed=_job_change
    ),
    "channels": _Rule("channel", "subscriptions of clients are rejected", changed=_channel_change),
    "contracts": _Rule("answer to", "nobody answers it then; what holds is: {without it}"),
    "questions": _Rule(
        "question",
        "who asks it fails",
        gained=lambda _: "providers must answer it",
        changed=lambda _before, _after: "who asks it, and who answers it, must follow",
        tells_facts=True,
    ),
    "notifications": _Rule("notification", "who has switched it off has said so in vain"),
    "mails": _Rule("mail", "mails that wait under this key cannot be written"),
    "file kinds": _Rule("file kind", "no file of it is taken any more; what is kept stays readable", tells_facts=True),
    "settings": _Rule(
        "setting",
        "a configuration that sets it is refused",
        gained=lambda facts: "" if facts["default"] else "it must be set before the restart",
        changed=_setting_change,
        tells_facts=True,
    ),
    "personal data": _Rule("personal data", tells_facts=True),
    "migrations": _Rule(
        "migration",
        "its history is another one: tables at this revision count as ahead of the code",
        gained=lambda facts: (
            "the code from before fails on its tables: " + facts["breaks"].replace("\n", "; ")
            if facts.get("breaks")
            else ""
        ),
    ),
}


def compare(before: Surface, after: Surface) -> Iterator[Difference]:
    """Kind by kind, what goes before what comes. Kinds that one side does not tell of are left out."""
    for kind, rule in _RULES.items():
        if kind not in before or kind not in after:
            continue
        old, new = before[kind], after[kind]
        for part in sorted(old.keys() - new.keys()):
            known = {"without it": "its declared `absent` answers", **old[part]}
            yield Difference("-", rule.word, part, breaks=rule.lost.format(**known) if rule.lost else "")
        for part in [one for one in new if one in old]:
            told = _told_changes(old[part], new[part])
            if told and kind != "migrations":
                yield Difference("~", rule.word, part, tuple(told), rule.changed(old[part], new[part]))
        for part in [one for one in new if one not in old]:
            yield Difference("+", rule.word, part, _told(kind, rule, new[part]), rule.gained(new[part]))


def _told(kind: str, rule: _Rule, facts: Facts) -> tuple[str, ...]:
    if kind == "migrations":
        return tuple(facts["locks"].splitlines()) or ("locks nothing that others use",)
    return tuple(f"{name}: {told}" for name, told in facts.items() if told) if rule.tells_facts else ()


def _told_changes(before: Facts, after: Facts) -> list[str]:
    """Facts that both sides tell of, or that one of two told sides has more."""
    if not before or not after:
        return []  # one side tells only that it is there
    return [
        f"{name}: {before.get(name) or '-'} -> {after.get(name) or '-'}"
        for name in dict.fromkeys([*before, *after])
        if before.get(name, "") != after.get(name, "")
    ]
