"""What frozen keeps about a person."""

from __future__ import annotations

from jiki_core import DELETE, PersonalTable, anonymise, retain

PERSONAL_DATA = [
    PersonalTable("notes", "user_id", ("text", "written_at"), DELETE),
    PersonalTable("thanks", "user_id", ("text",), anonymise(user_id=None)),
    PersonalTable("visits", "user_id", ("visited_at",), retain("visits are counted for a year")),
]
