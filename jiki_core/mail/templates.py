"""Mail templates: `emails/<name>/<locale>.txt`, an optional `.html`, the first line of the text being the subject.

They are Jinja templates of the plugin's package; html is escaped. A locale falls back to its language, then to `en`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined, TemplateNotFound, select_autoescape

Category = Literal["transactional", "notifications", "marketing"]


@dataclass(frozen=True)
class EmailTemplate:
    """`key` is "<plugin>.<name>"; `context` names the template's variables, which a preview fills and a send must give.

    Those in `secrets`, such as the token of a link, are sealed while they wait in the outbox.
    """

    key: str
    category: Category = "transactional"
    context: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.key.partition(".")[2]

    def mistakes(self, plugin: str) -> list[str]:
        if not self.key.startswith(f"{plugin}."):
            return [f"the e-mail {self.key!r} must be named '{plugin}.<name>'"]
        return []


@dataclass(frozen=True)
class RenderedMail:
    """A mail ready to send."""

    subject: str
    text: str
    html: str | None


@dataclass(frozen=True)
class BoundTemplate:
    """A template with the environment of its plugin's package."""

    plugin: str
    template: EmailTemplate
    environment: Environment

    def render(self, locale: str, context: Mapping[str, Any]) -> RenderedMail:
        """Raises jinja2.UndefinedError for a variable that is missing, TemplateNotFound without an English text."""
        text = self._one(locale, "txt", context)
        if text is None:
            raise TemplateNotFound(f"{self.template.name}/en.txt")
        subject, _, body = text.partition("\n")
        return RenderedMail(subject.strip(), body.strip() + "\n", self._one(locale, "html", context))

    def _one(self, locale: str, ending: str, context: Mapping[str, Any]) -> str | None:
        for candidate in dict.fromkeys((locale, locale.partition("-")[0], "en")):
            try:
                return self.environment.get_template(f"{self.template.name}/{candidate}.{ending}").render(context)
            except TemplateNotFound:
                continue
        return None


def bind_templates(plugin: str, package: str, templates: tuple[EmailTemplate, ...]) -> tuple[BoundTemplate, ...]:
    """Raises ValueError when the package has no `emails` folder."""
    if not templates:
        return ()
    environment = Environment(
        loader=PackageLoader(package, "emails"),
        autoescape=select_autoescape(enabled_extensions=("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return tuple(BoundTemplate(plugin, template, environment) for template in templates)
