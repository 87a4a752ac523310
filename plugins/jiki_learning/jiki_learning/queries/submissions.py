"""Stored submissions as JSON, made by PostgreSQL (contract.md 2.2)."""

from __future__ import annotations

#: JSON text of a submission `s`, files ordered by name as bytes
SUBMISSION_JSON = """
    json_build_object(
        'uuid', s.uuid,
        'files', (
            select coalesce(json_agg(json_build_object('filename', f.filename, 'content', t.content)
                                     order by f.filename collate "C"), '[]')
            from learning.submission_files f
            join learning.file_texts t on t.digest = f.digest
            where f.submission_id = s.id
        ),
        'stored_at', to_char(s.stored_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    )::text
"""
