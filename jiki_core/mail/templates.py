"""Mail templates: `emails/<name>/<locale>.txt`, the first line being the subject, and beside it an `.mjml` or `.html`.

They are Jinja templates of the plugin's package; markup is escaped. A locale falls back to its language, then to that
language elsewhere (es-419 to es-ES), then to `en`, for the whole mail: text and markup are always of one language.
`{% extends "core/layout.mjml" %}` is the house's frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import mrml
from jinja2 import (
    ChoiceLoader,
    Environment,
    PackageLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateNotFound,
    select_autoescape,
)

Category = Literal["transactional", "notifications", "marketing"]


class TemplateBroken(Exception):
    """A template that cannot become a mail; the text says which and why."""


@dataclass(frozen=True)
class EmailTemplate:
    """`key` is "<plugin>.<name>"; `context` names the template's variables, which a preview fills and a send must give.

    Those in `secrets`, such as the token of a link, are sealed while they wait in the outbox. `samples` are what a
    preview shows for variables that are no text, such as lists and numbers.
    """

    key: str
    category: Category = "transactional"
    context: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    samples: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def name(self) -> str:
        return self.key.partition(".")[2]

    def mistakes(self, plugin: str) -> list[str]:
        if not self.key.startswith(f"{plugin}."):
            return [f"the e-mail {self.key!r} must be named '{plugin}.<name>'"]
        if self.category not in ("transactional", "notifications", "marketing"):
            return [
                f"the e-mail {self.key!r} has the category {self.category!r}; "
                "there are transactional, notifications and marketing"
            ]
        if foreign := sorted(self.samples.keys() - set(self.context)):
            return [f"the e-mail {self.key!r} has samples of {', '.join(foreign)}, which its context does not name"]
        return []

    def sample_context(self) -> dict[str, Any]:
        """A value for every variable."""
        return {name: self.samples.get(name, f"[{name}]") for name in self.context}


@dataclass(frozen=True)
class RenderedMail:
    """A mail ready to send."""

    subject: str
    text: str
    html: str | None
    #: the locale whose templates were used
    locale: str


@dataclass(frozen=True)
class BoundTemplate:
    """A template with the environment of its plugin's package."""

    plugin: str
    template: EmailTemplate
    environment: Environment

    def render(self, locale: str, context: Mapping[str, Any]) -> RenderedMail:
        """Raises jinja2.UndefinedError for a variable that is missing, TemplateBroken without an English text."""
        for candidate in self._candidates(locale):
            given = {"locale": candidate, **context}
            text = self._one(candidate, "txt", given)
            if text is None:
                continue
            subject, _, body = text.partition("\n")
            return RenderedMail(subject.strip(), body.strip() + "\n", self._markup(candidate, given), candidate)
        raise TemplateBroken(f"the e-mail {self.template.key} has no {self.template.name}/en.txt")

    def _candidates(self, locale: str) -> Iterator[str]:
        """Locales to look for, the nearest first."""
        language = locale.partition("-")[0]
        yield from dict.fromkeys((locale, language))
        texts = self.environment.list_templates(
            filter_func=lambda path: path.startswith(f"{self.template.name}/{language}-")
        )
        yield from sorted({path.rpartition("/")[2].rpartition(".")[0] for path in texts})
        yield "en"

    def _markup(self, locale: str, context: Mapping[str, Any]) -> str | None:
        source = self._one(locale, "mjml", context)
        if source is None:
            return self._one(locale, "html", context)
        try:
            return mrml.to_html(source).content
        except OSError as error:  # what mrml raises for markup that it cannot read
            raise TemplateBroken(f"{self.template.name}/{locale}.mjml of {self.template.key}: {error}") from error

    def _one(self, locale: str, ending: str, context: Mapping[str, Any]) -> str | None:
        name = f"{self.template.name}/{locale}.{ending}"
        try:
            template = self.environment.get_template(name)
        except TemplateNotFound as missing:
            if missing.name != name:
                raise
            return None
        return template.render(context)


def bind_templates(plugin: str, package: str, templates: tuple[EmailTemplate, ...]) -> tuple[BoundTemplate, ...]:
    """Raises ValueError when the package has no `emails` folder."""
    if not templates:
        return ()
    environment = Environment(
        loader=ChoiceLoader(
            [PackageLoader(package, "emails"), PrefixLoader({"core": PackageLoader("jiki_core.mail", "layouts")})]
        ),
        autoescape=select_autoescape(enabled_extensions=("html", "mjml"), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return tuple(BoundTemplate(plugin, template, environment) for template in templates)
