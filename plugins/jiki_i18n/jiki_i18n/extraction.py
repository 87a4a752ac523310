"""The message keys a front-end uses, from its sources: `t("key")`, `<Trans i18nKey="key">` and the namespaces
of `useTranslation` (i18next) and `useTranslations` (next-intl), with file and line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from jiki_i18n.javascript import LITERAL, Source, literal_value, literal_values, read_source
from jiki_i18n.keys import join_key

SUFFIXES = frozenset({".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts", ".vue", ".svelte"})
#: Folders of what is built or installed, not written.
SKIPPED_FOLDERS = frozenset({"node_modules", "dist", "build", "out", "coverage", "vendor"})
#: Larger files are bundles.
FILE_LIMIT_BYTES = 2_000_000

_NAME = r"[A-Za-z_$][\w$]*"
_BINDING = re.compile(
    rf"\b(?:const|let|var)\s+(?P<pattern>\{{(?:[^{{}}=]|\{{[^{{}}=]*\}})*\}}|\[[^\[\]=]*\]|{_NAME})\s*(?::[^=;\n]+)?=\s*(?:await\s+)?"
    rf"(?:{_NAME}\.)?(?P<function>useTranslations?|getTranslations|getFixedT)\s*(?:<[^<>()]*>\s*)?\("
)
_RENAMED = re.compile(rf"(?:^|[{{,\s])t\s*:\s*({_NAME})")
_CALL = re.compile(
    rf"(?<![\w$.])(?:(?:this\.)?(?:props|i18n|i18next)\.)?(?P<name>{_NAME})"
    r"(?:\.(?:rich|markup|raw|has))?\s*(?:<[^<>()]*>\s*)?(?P<opening>\()"
)
_DEFINITION = re.compile(r"\bfunction\s*\*?\s*$")
_TRANS = re.compile(r"<Trans(?=[\s/>])")
_CONDITIONAL = re.compile(rf".*\?\s*(?P<yes>{LITERAL})\s*:\s*(?P<no>{LITERAL})", re.DOTALL)
_NAMESPACED = re.compile(r"(?P<namespace>[\w.-]+):(?P<key>[^\s/].*)", re.DOTALL)
_TEMPLATE_START = re.compile(r"`([^`\\$]*)\$\{")
_FREE_NAMES = frozenset({"t", "$t"})


@dataclass(frozen=True, slots=True, order=True)
class KeyUse:
    """One place where a key is used: namespace, key (escaped path), file (relative, with "/"), line from 1,
    and the text the source gives in case the key is missing."""

    namespace: str
    key: str
    file: str
    line: int
    default: str = ""


@dataclass(frozen=True, slots=True, order=True)
class ComputedUse:
    """One place whose key is only known when the page runs; `prefix` is how all its keys begin."""

    file: str
    line: int
    namespace: str
    expression: str
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Extraction:
    """What a source tree uses, in order of file and line; `skipped` are files and why they were not read."""

    uses: tuple[KeyUse, ...]
    computed: tuple[ComputedUse, ...]
    skipped: tuple[tuple[str, str], ...] = ()

    def missing(self, known: Mapping[str, Collection[str]]) -> tuple[KeyUse, ...]:
        """Uses of keys that are not among `known` (namespace → keys)."""
        return tuple(use for use in self.uses if use.key not in known.get(use.namespace, ()))

    def unused(self, known: Mapping[str, Collection[str]]) -> tuple[tuple[str, str], ...]:
        """Known keys that no source uses, as (namespace, key); those a computed key may name are left out."""
        used = {(use.namespace, use.key) for use in self.uses}
        prefixes: dict[str, tuple[str, ...]] = {}
        for each in self.computed:
            prefixes[each.namespace] = (*prefixes.get(each.namespace, ()), each.prefix)
        return tuple(
            (namespace, key)
            for namespace, keys in sorted(known.items())
            for key in sorted(keys)
            if (namespace, key) not in used and not key.startswith(prefixes.get(namespace, ()))
        )


@dataclass(frozen=True, slots=True)
class _Binding:
    """A name bound to a translation function from `start` to `end`; next-intl's namespace is a path."""

    name: str
    namespace: str | None
    prefix: str
    is_path: bool
    start: int = 0
    end: int = 0


_FREE = _Binding("t", None, "", is_path=False)


def extract_keys(root: Path, *, default_namespace: str = "translation") -> Extraction:
    """Read every source below `root` (or the one file it is); links to folders are not followed. Raises
    FileNotFoundError."""
    if not root.exists():
        raise FileNotFoundError(f"{root} does not exist")
    uses: list[KeyUse] = []
    computed: list[ComputedUse] = []
    skipped: list[tuple[str, str]] = []
    for path in _sources(root):
        name = path.relative_to(root).as_posix() if path != root else path.name
        try:
            if path.stat().st_size > FILE_LIMIT_BYTES:
                skipped.append((name, f"larger than {FILE_LIMIT_BYTES} bytes"))
                continue
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            skipped.append((name, str(error)))
            continue
        found = extract_from_text(text, file=name, default_namespace=default_namespace)
        uses += found.uses
        computed += found.computed
    return Extraction(tuple(uses), tuple(computed), tuple(skipped))


def extract_from_text(text: str, *, file: str, default_namespace: str = "translation") -> Extraction:
    """What one source text uses."""
    reader = _Reader(read_source(text), file, default_namespace)
    found = sorted([*reader.calls(), *reader.elements()], key=lambda use: use.line)
    return Extraction(
        tuple(use for use in found if isinstance(use, KeyUse)),
        tuple(use for use in found if isinstance(use, ComputedUse)),
    )


def _sources(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS and name[0] != ".")
        for name in sorted(files):
            if os.path.splitext(name)[1] in SUFFIXES:
                yield Path(folder, name)


class _Reader:
    def __init__(self, source: Source, file: str, default_namespace: str) -> None:
        self._source = source
        self._file = file
        self._default_namespace = default_namespace
        self._bindings = list(self._find_bindings())

    def calls(self) -> Iterator[KeyUse | ComputedUse]:
        """Uses in calls of translation functions."""
        code = self._source.code
        for match in _CALL.finditer(code):
            binding = self._binding(match["name"], match.start())
            if binding is None or _DEFINITION.search(code, max(0, match.start() - 20), match.start()):
                continue
            arguments = self._source.arguments(match.start("opening"))
            if not arguments:
                continue
            options = arguments[1] if len(arguments) > 1 else ""
            default = literal_value(options)
            yield from self._uses(
                arguments[0],
                binding,
                self._source.line(match.start()),
                namespace=_member(options, "ns"),
                default=default if default is not None else _member(options, "defaultValue") or "",
            )

    def elements(self) -> Iterator[KeyUse | ComputedUse]:
        """Uses in <Trans> elements."""
        for match in _TRANS.finditer(self._source.code):
            element = self._source.element(match.start())
            line = self._source.line(match.start())
            expression = _attribute(element, "i18nKey")
            if expression is None:
                yield ComputedUse(self._file, line, self._default_namespace, "<Trans> without i18nKey")
                continue
            function = _attribute(element, "t")
            binding = self._binding(function, match.start()) if function else None
            namespace = _attribute(element, "ns")
            yield from self._uses(
                expression,
                binding or _FREE,
                line,
                namespace=literal_value(namespace) if namespace else None,
                default=literal_value(_attribute(element, "defaults") or "") or "",
            )

    def _uses(
        self, expression: str, binding: _Binding, line: int, *, namespace: str | None, default: str
    ) -> Iterator[KeyUse | ComputedUse]:
        for value in _key_literals(expression):
            found_namespace, key = self._resolve(value, binding, namespace)
            yield KeyUse(found_namespace, join_key(tuple(key.split("."))), self._file, line, default)
        if not _key_literals(expression):
            start = _TEMPLATE_START.match(expression)
            found_namespace, prefix = self._resolve(start[1] if start else "", binding, namespace)
            yield ComputedUse(self._file, line, found_namespace, expression, prefix)

    def _resolve(self, value: str, binding: _Binding, namespace: str | None) -> tuple[str, str]:
        """Namespace and dotted key of what a translation function is called with."""
        key = f"{binding.prefix}.{value}" if binding.prefix else value
        if binding.is_path:
            path = f"{binding.namespace}.{key}" if binding.namespace else key
            first, dot, rest = path.partition(".")
            return (first, rest) if dot else (self._default_namespace, path)
        named = _NAMESPACED.fullmatch(value)
        if named is not None:
            return named["namespace"], named["key"]
        return namespace or binding.namespace or self._default_namespace, key

    def _binding(self, name: str, position: int) -> _Binding | None:
        """What `name` is bound to at a position: the innermost binding, else a free `t`, else nothing."""
        around = [each for each in self._bindings if each.name == name and each.start <= position < each.end]
        if around:
            return max(around, key=lambda each: each.start)
        return _FREE if name in _FREE_NAMES else None

    def _find_bindings(self) -> Iterator[_Binding]:
        for match in _BINDING.finditer(self._source.code):
            name = _bound_name(match["pattern"])
            if name is None:
                continue
            arguments = self._source.arguments(match.end() - 1)
            namespace, prefix = _namespace(match["function"], arguments)
            yield _Binding(
                name,
                namespace,
                prefix,
                is_path=match["function"] in ("useTranslations", "getTranslations"),
                start=match.end(),
                end=self._source.block_end(match.end()),
            )


def _bound_name(pattern: str) -> str | None:
    """The name that a declaration binds to the translation function."""
    names = re.findall(_NAME, pattern)
    if pattern[0] == "{":
        renamed = _RENAMED.search(pattern)
        return renamed[1] if renamed else ("t" if "t" in names else None)
    return names[0] if names else None


def _namespace(function: str, arguments: list[str]) -> tuple[str | None, str]:
    """Namespace and key prefix that a hook was called with."""
    padded = [*arguments, "", "", ""]
    if function == "getFixedT":
        return literal_value(padded[1]), literal_value(padded[2]) or ""
    if function == "getTranslations" and padded[0].startswith("{"):
        return _member(padded[0], "namespace"), ""
    first = literal_values(padded[0])
    namespace = first[0] if first else literal_value(padded[0])
    return namespace, _member(padded[1], "keyPrefix") or ""


def _key_literals(expression: str) -> list[str]:
    """The keys an expression can be, when all of them are literals."""
    value = literal_value(expression)
    if value is not None:
        return [value]
    conditional = _CONDITIONAL.fullmatch(expression)
    if conditional is not None:
        both = (literal_value(conditional["yes"]), literal_value(conditional["no"]))
        return [each for each in both if each is not None]
    return literal_values(expression)


def _member(options: str, name: str) -> str | None:
    """The literal value of a member of an object expression, or None."""
    match = re.search(rf"[{{,\s]{name}\s*:\s*(?P<value>{LITERAL})", options)
    return literal_value(match["value"]) if match and options.startswith("{") else None


def _attribute(element: str, name: str) -> str | None:
    """The expression of an attribute of a JSX element, or None."""
    match = re.search(
        rf"\s{name}\s*=\s*(?:(?P<literal>{LITERAL})|\{{(?P<expression>[^{{}}]*(?:\$\{{[^{{}}]*\}}[^{{}}]*)*)\}})",
        element,
    )
    if match is None:
        return None
    return (match["literal"] or match["expression"]).strip()
