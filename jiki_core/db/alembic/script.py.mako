"""${message}

Lock and statement time-outs are set by `flask db upgrade` (4 s, retried). A new index on a filled table is made
CONCURRENTLY in a revision of its own; a NOT NULL or foreign key on one is added NOT VALID and validated later.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
