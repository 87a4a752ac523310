"""Messages that a plugin's package brings: `data/messages/<namespace>/en.json` and a file for each further locale.

Any exchange format will do; JSON holds keys and texts, CSV, PO and XLIFF descriptions and length limits too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from jiki_i18n.exchange import FORMATS, Entries, ExchangeError
from jiki_i18n.locales import SOURCE_LOCALE

_BY_SUFFIX = {each.suffix: each for each in FORMATS.values() if each.name != "i18next"}


@dataclass(frozen=True, slots=True)
class PackageMessages:
    """One namespace of a package: its English messages and the translations that ship with it."""

    namespace: str
    source: Entries
    translations: tuple[Entries, ...] = ()


def package_messages(package: str) -> list[PackageMessages]:
    """The namespaces a package brings, by name; none when it has no such folder. Raises ExchangeError naming the file."""
    folder = files(package).joinpath("data", "messages")
    if not folder.is_dir():
        return []
    return [_namespace(each) for each in _sorted(folder.iterdir()) if each.is_dir() and not each.name.startswith("_")]


def _namespace(folder: Traversable) -> PackageMessages:
    found = {
        each.locale: each for each in (_read(path, folder.name) for path in _sorted(folder.iterdir()) if path.is_file())
    }
    source = found.pop(SOURCE_LOCALE, None)
    if source is None:
        raise ExchangeError([f"{folder.name} has no {SOURCE_LOCALE} file: it names the keys"])
    return PackageMessages(folder.name, source, tuple(found.values()))


def _read(path: Traversable, namespace: str) -> Entries:
    locale, dot, ending = path.name.partition(".")
    form = _BY_SUFFIX.get(dot + ending)
    if form is None:
        raise ExchangeError([f"{namespace}/{path.name}: the ending is none of {', '.join(sorted(_BY_SUFFIX))}"])
    try:
        return form.read(path.read_bytes(), locale=locale, namespace=namespace)
    except ExchangeError as error:
        raise ExchangeError([f"{namespace}/{path.name}: {fault}" for fault in error.faults]) from None


def _sorted(paths: Iterable[Traversable]) -> list[Traversable]:
    return sorted(paths, key=lambda path: path.name)
