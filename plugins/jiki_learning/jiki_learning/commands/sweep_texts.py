"""Drops submitted texts that no submission refers to any more."""

from __future__ import annotations

from sqlalchemy import text

from jiki_core.db import UnitOfWork

#: texts of one transaction; submissions wait while it runs
BATCH = 500

_UNUSED = """
    select texts.digest from learning.file_texts texts
    where not exists (select from learning.submission_files files where files.digest = texts.digest)
"""


def sweep_unused_texts(uow: UnitOfWork) -> bool:
    """One batch; whether there may be more.

    Candidates are looked for without a lock, then looked at again while nobody can refer to them: who stores a
    submission holds a lock on submission_files before looking which texts are there (commands/store_submission.py).
    """
    candidates = list(uow.session.execute(text(f"{_UNUSED} limit :batch"), {"batch": BATCH}).scalars())
    if candidates:
        uow.session.execute(text("lock table learning.submission_files in share mode"))
        uow.session.execute(
            text(f"delete from learning.file_texts where digest in ({_UNUSED}) and digest = any(:candidates)"),
            {"candidates": candidates},
        )
    return len(candidates) == BATCH
