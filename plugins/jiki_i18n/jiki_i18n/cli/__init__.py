"""`flask i18n …`."""

from __future__ import annotations

from jiki_i18n.cli.check import check_command
from jiki_i18n.cli.exchange import export_command, import_command
from jiki_i18n.cli.keys import extract_command, sync_command
from jiki_i18n.cli.namespaces import namespace_command
from jiki_i18n.cli.publishing import promote_command, publish_command, rollback_command, stats_command

COMMANDS = (
    sync_command,
    extract_command,
    namespace_command,
    import_command,
    export_command,
    check_command,
    publish_command,
    rollback_command,
    stats_command,
    promote_command,
)
