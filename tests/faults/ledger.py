"""The ledger: what was answered with success, what is in the tables, what took effect; each exactly once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

#: what the laboratory's schedules count by themselves
SCHEDULED = frozenset({"minute", "hour"})


def effects(lab: Any) -> Counter[str]:
    """Key -> how often it took effect."""
    rows = lab.sql("select split_part(key, ':', 1) as key from core.seed_records")
    return Counter(row.key for row in rows if row.key not in SCHEDULED)


def assert_each_once(lab: Any, keys: Iterable[str]) -> None:
    """Every key took effect once, and nothing else did."""
    counted = effects(lab)
    wanted = set(keys)
    doubled = {key: count for key, count in counted.items() if count != 1}
    assert not doubled, f"took effect more than once: {doubled}"
    missing, foreign = wanted - set(counted), set(counted) - wanted
    assert not missing, f"lost: {sorted(missing)[:10]} and {len(missing)} in all"
    assert not foreign, f"nobody asked for: {sorted(foreign)[:10]}"


def unfinished(lab: Any) -> dict[str, int]:
    """State -> rows, of jobs, events and broadcasts that are not done."""
    rows = lab.sql("select state, count(*) from core.outbox where state <> 'done' and queue <> 'heavy' group by state")
    return {row.state: row.count for row in rows}


def without_receipt(lab: Any) -> int:
    """Jobs that are done and have no receipt."""
    found = lab.sql(
        "select count(*) from core.outbox o where kind = 'job' and state = 'done' "
        "and not exists (select 1 from core.job_receipts r where r.outbox_id = o.id)"
    )
    count: int = found[0][0]
    return count
