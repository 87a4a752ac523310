"""`bin/dev`: the whole product on one machine, from an empty folder to `jiki ready`, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from jiki_core.devserver.author_plugins import install, packages_of, read_plugins, selection_with
from jiki_core.devserver.data_dir import DataDir
from jiki_core.devserver.engines import read_json, write_json
from jiki_core.devserver.errors import ServiceError
from jiki_core.devserver.listening import listen
from jiki_core.devserver.ports import free_port
from jiki_core.devserver.preparation import Preparation, forget_preparation
from jiki_core.devserver.processes import LogPrinter, ProcessGroup, Program
from jiki_core.devserver.programs import development_environment, flask_program, serving_programs, working_programs
from jiki_core.devserver.reaper import Reaper
from jiki_core.devserver.reload import CodeWatcher, Reloader
from jiki_core.devserver.services import Services
from jiki_core.devserver.standin_processes import Placed, placed_standins
from jiki_core.plugins.quality import Distribution

HEALTH_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says."""

    project: Path
    port: int
    host: str
    data_dir: Path
    is_reset: bool
    is_split: bool
    cable_port: int
    is_reloading: bool
    #: folders of plugins that are not part of the project
    plugins: tuple[Path, ...] = ()

    @property
    def public_host(self) -> str:
        """How this machine's browser reaches us."""
        return "localhost" if self.host in ("0.0.0.0", "::") else self.host


class Stopped(BaseException):
    """Somebody asked us to end."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until asked to stop; the exit status."""
    options = _parse(arguments)
    for asked in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(asked, _stop)
    stack = Stack(options)
    try:
        stack.run()
    except Stopped:
        return 0
    except ServiceError as error:
        stack.say(str(error))
        return 1
    finally:
        for asked in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(asked, signal.SIG_IGN)  # each step of the way down is bounded
        stack.stop()
    return 0


class Stack:
    """Everything `bin/dev` starts, in order; `stop` undoes what `run` did, in the opposite order."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._printer = LogPrinter()
        self._data_dir = DataDir(options.data_dir)
        self._services: Services | None = None
        self._reaper: Reaper | None = None
        #: In the order of their start; the last one is stopped first.
        self._groups: list[ProcessGroup] = []
        self._watcher: CodeWatcher | None = None
        self._started_at = time.monotonic()

    def say(self, message: str) -> None:
        """A progress line of our own, among those of the processes."""
        for line in message.splitlines():
            self._printer.line("jiki", line)

    def run(self) -> None:
        """Start everything, say that it is ready, look after it. Raises ServiceError; leaves by Stopped."""
        options = self._options
        self._data_dir.take()
        web = listen(options.host, options.port)
        cable = listen(options.host, options.cable_port) if options.is_split else None
        if options.is_reset:
            self.say(f"deleting all data in {self._data_dir.path}")
            self._data_dir.reset()
        url = f"http://{options.public_host}:{options.port}"
        services = self._services = Services(self._data_dir.path, progress=self.say)
        services.start()
        reaper = self._reaper = Reaper(self._data_dir.lock_descriptor)
        foundation, group = ProcessGroup(self._printer, reaper), ProcessGroup(self._printer, reaper)
        self._groups = [foundation, group]
        smtp_port = self._start_mail_catcher(foundation)
        own = development_environment(options.project, self._data_dir.path, url, smtp_port)
        authored = self._install_plugins(own)
        standins = tuple(placed_standins(self._data_dir.path, url, {**os.environ, **own}))
        for placed in standins:
            foundation.start(placed.program(options.project))
            own |= placed.environment
        self._data_dir.announce(url, own | services.given())
        environment = {**os.environ, **own, **services.environment(), "PYTHONUNBUFFERED": "1"}
        Preparation(
            options.project,
            self._data_dir.path,
            services.database_url,
            is_embedded="DATABASE_URL" not in services.given(),
        ).run(lambda title, arguments: self._run_step(group, title, arguments, environment))

        self.say("starting web, worker and scheduler")
        if options.is_reloading:
            self._watcher = CodeWatcher(options.project, packages_of(authored))
        reloader = Reloader(
            group,
            serving_programs(options.project, environment, web, cable),
            working_programs(options.project, environment),
            self._data_dir.path,
            self.say,
            lambda: self._watcher is not None and self._watcher.has_saved(),
        )
        self._start_serving(reloader)
        for placed in standins:
            placed.await_health()
        self._await_health(url)
        self._announce_ready(url, standins, reloader.findings.notices)
        while True:
            saved = self._watcher.saved(0.2) if self._watcher else _nap(0.2)
            if saved:
                reloader.reload(saved)
            for each in self._groups:
                each.look_after()

    def stop(self) -> None:
        """End all that was started."""
        if self._watcher is not None:
            self._watcher.close()
        if self._groups:
            self.say("stopping")
        for group in reversed(self._groups):
            group.stop()
        if self._services is not None:
            self._services.stop()
        if self._reaper is not None:
            self._reaper.close()
        self._data_dir.leave()

    def _install_plugins(self, own: dict[str, str]) -> list[Distribution]:
        """The authors' plugins, installed and enabled in `own`, the environment of the stack."""
        authored = read_plugins(self._options.plugins)
        if authored:
            self.say(f"installing {', '.join(one.plugin for one in authored)}")
            install(authored)
            own |= selection_with(authored, {**os.environ, **own})
            forget_preparation(self._data_dir.path)  # their migrations may have changed
        return authored

    def _start_mail_catcher(self, group: ProcessGroup) -> int:
        remembered = self._data_dir.path / "mail.json"
        known = read_json(remembered).get("port")
        port = free_port(known if isinstance(known, int) else None)
        write_json(remembered, {"port": port})
        command = (
            sys.executable,
            "-m",
            "jiki_core.devserver.mailcatcher",
            str(self._data_dir.mail),
            str(port),
        )
        group.start(Program("mail", command, {**os.environ, "PYTHONUNBUFFERED": "1"}, self._options.project))
        return port

    def _run_step(
        self, group: ProcessGroup, title: str, arguments: tuple[str, ...], environment: dict[str, str]
    ) -> None:
        self.say(title)
        ended = group.run_to_end(flask_program(arguments, self._options.project, environment, arguments[0]))
        if ended.poll():
            raise ServiceError(
                f"{title} failed (flask {' '.join(arguments)}, exit {ended.poll()})", "see the lines above"
            )

    def _start_serving(self, reloader: Reloader) -> None:
        if breakage := reloader.first_start():
            raise ServiceError(breakage.cause(), breakage.remedy)
        broken = reloader.findings.broken_plugins()
        for sentence in broken:
            self.say(sentence)
        if broken:  # their tables and seeds were left out, so the database is not prepared for them
            forget_preparation(self._data_dir.path)

    def _await_health(self, url: str) -> None:
        deadline = time.monotonic() + HEALTH_SECONDS
        answer = "no answer"
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{url}/health-check", timeout=5) as response:
                    if response.status == 200:
                        return
                    answer = f"status {response.status}"
            except urllib.error.HTTPError as error:
                answer = f"status {error.code}"
            except OSError as error:
                answer = str(error)
            time.sleep(0.05)
        raise ServiceError(f"{url}/health-check did not answer with 200: {answer}", "see the lines above")

    def _announce_ready(self, url: str, standins: Sequence[Placed], notices: Sequence[str]) -> None:
        self.say(f"ready after {time.monotonic() - self._started_at:.1f} s")
        lines = [
            f"jiki ready at {url}",
            f"  API docs         {url}/openapi/docs",
            f"  mail outbox      {url}/dev/mail",
            f"  plugins          {url}/dev",
        ]
        if self._options.is_split:
            lines.append(f"  sockets          ws://{self._options.public_host}:{self._options.cable_port}/cable")
        lines += [f"  {title:<16} {address}" for title, address in filter(None, (each.link for each in standins))]
        lines += [f"  {notice}" for notice in notices]
        print("\n".join(lines), flush=True)


def _parse(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="bin/dev", description="Run all of Jiki on this machine, until Ctrl-C.")
    parser.add_argument("--port", type=int, default=3060, help="port of the API (3060)")
    parser.add_argument("--host", default="localhost", help="address to listen on (localhost)")
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=Path(os.environ.get("JIKI_DATA_DIR") or ".jiki"),
        help="folder of all state (JIKI_DATA_DIR, else .jiki)",
    )
    parser.add_argument("--reset", action="store_true", help="delete that state first")
    parser.add_argument(
        "--processes",
        choices=("together", "split"),
        default="together",
        help="split: sockets in a process of their own, as in production",
    )
    cable_help = "their port with --processes split (port + 2: port + 1 is the web client's)"
    parser.add_argument("--cable-port", type=int, help=cable_help)
    parser.add_argument(
        "--plugin",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="install the plugin in this folder as it is edited, and enable it for this stack; may be repeated",
    )
    parser.add_argument("--no-reload", action="store_true", help="keep running the code of the start")
    parser.add_argument("--project", type=Path, default=Path.cwd(), help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    return Options(
        project=given.project.resolve(),
        port=given.port,
        host=given.host,
        data_dir=given.data_dir.absolute(),
        is_reset=given.reset,
        is_split=given.processes == "split",
        cable_port=given.cable_port or given.port + 2,
        is_reloading=not given.no_reload,
        plugins=tuple(given.plugin),
    )


def _stop(signal_number: int, frame: FrameType | None) -> None:
    raise Stopped


def _nap(seconds: float) -> set[Path]:
    time.sleep(seconds)
    return set()


if __name__ == "__main__":
    sys.exit(main())
