"""flask-smorest's Blueprint with our parser, our errors and a record of its routes that the host can check before mounting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import flask_smorest

from jiki_core.errors import DomainError
from jiki_core.http.error_schemas import ErrorReply
from jiki_core.http.mounts import Body
from jiki_core.http.parsing import ArgumentsParser
from jiki_core.security import Policy, requires

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class RouteRecord:
    """One route of a blueprint, as declared."""

    rule: str
    endpoint: str
    methods: frozenset[str]
    function_name: str
    policy: Policy | None
    body: Body
    raises: Mapping[type[DomainError], int | tuple[int, str]]
    body_limit: int | None = None


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # flask-smorest ships no types
    """What `Mount` takes. `arguments`, `response` and `doc` are flask-smorest's; a `response` documents, `reply` serialises."""

    ARGUMENTS_PARSER = ArgumentsParser()

    def __init__(self, name: str, import_name: str, *, url_prefix: str = "", description: str = "") -> None:
        super().__init__(name, import_name, url_prefix=url_prefix or None, description=description)
        self.routes: list[RouteRecord] = []

    def add_url_rule(self, rule: str, endpoint: str | None = None, view_func: Any = None, **options: Any) -> None:
        super().add_url_rule(rule, endpoint, view_func, **options)
        methods = frozenset(options.get("methods") or ("GET",))
        self.routes.append(
            RouteRecord(
                rule=rule,
                endpoint=self._endpoints[-1],
                methods=methods,
                function_name=f"{view_func.__module__}.{view_func.__qualname__}",
                policy=getattr(view_func, "jiki_policy", None),
                body=getattr(view_func, "jiki_body", "json"),
                raises=dict(getattr(view_func, "jiki_raises", {})),
                body_limit=getattr(view_func, "jiki_body_limit", None),
            )
        )

    def arguments(self, schema: Any, *, location: str = "json", **options: Any) -> Callable[[View], View]:
        """flask-smorest's `arguments`; a form or file location makes the route take multipart bodies."""
        decorate = super().arguments(schema, location=location, **options)

        def mark(view: View) -> View:
            decorated: View = decorate(view)
            if location in ("form", "files"):
                decorated.jiki_body = "multipart"  # type: ignore[attr-defined]  # read by add_url_rule
            return decorated

        return mark

    def route(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Flask's `route`; also documents and records the view."""
        return super().route(rule, **options)  # type: ignore[no-any-return]  # flask-smorest ships no types

    def response(self, status_code: int, schema: Any = None, **options: Any) -> Callable[[View], View]:
        """Documents the success response; the view returns `reply(...)`, which is not dumped again."""
        return super().response(status_code, schema, **options)  # type: ignore[no-any-return]  # flask-smorest ships no types

    def raises(
        self, *errors: type[DomainError] | Mapping[type[DomainError], int | tuple[int, str]]
    ) -> Callable[[View], View]:
        """Documents the errors a route answers with; a mapping gives one another status (and symbol) at this door."""
        statuses: dict[type[DomainError], int | tuple[int, str]] = {}
        for given in errors:
            statuses.update(given if isinstance(given, Mapping) else {given: given.status})

        def mark(view: View) -> View:
            documented: Any = view
            by_status: dict[int, list[str]] = {}
            for error, told in statuses.items():
                status, symbol = told if isinstance(told, tuple) else (told, error.symbol)
                by_status.setdefault(status, []).append(symbol)
            for status, symbols in by_status.items():
                documented = self.alt_response(status, schema=ErrorReply, description=", ".join(symbols))(documented)
            documented.jiki_raises = {**getattr(view, "jiki_raises", {}), **statuses}
            return documented  # type: ignore[no-any-return]  # the same view, documented

        return mark

    def body_limit(self, max_bytes: int) -> Callable[[View], View]:
        """Lets a route take larger bodies than the installation's `max_body_bytes`: files in multipart bodies."""

        def mark(view: View) -> View:
            view.jiki_body_limit = max_bytes  # type: ignore[attr-defined]  # read by add_url_rule
            return view

        return mark

    def raw_body(self, view: View) -> View:
        """Leaves the body to the view (webhooks, whose signature covers the bytes)."""
        view.jiki_body = "raw"  # type: ignore[attr-defined]  # read by add_url_rule
        return view


def policy(who: Policy | str, *, reason: str = "") -> Callable[[View], View]:
    """Overrides the audience's default policy for a route: `public`, `signed_in`, `signature(verify)` or a permission."""
    chosen = (
        requires(who, reason=reason) if isinstance(who, str) else Policy(who.kind, who.permission, who.verifier, reason)
    )

    def mark(view: View) -> View:
        view.jiki_policy = chosen  # type: ignore[attr-defined]  # read by Blueprint.add_url_rule
        return view

    return mark
