"""The Jinja2 environment of our pages, mails and PDFs: what a template may call, and how it writes things.

Templates speak through gettext with named variables (`{{ _("Quedan %(n)s", n=3) }}`). Words that belong to an
app above this one are wired by name, as addresses are.
"""

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.module_loading import import_string
from django_htmx.jinja import htmx_script
from jinja2 import Environment, StrictUndefined, pass_context

from marketplace.countries import country_word
from marketplace.moments import day_words, last_day, moment_words, stamp, what_is_left
from marketplace.money import format_money

_SPANISH = str.maketrans(",", ".")


def url(name: str, *args: object, **kwargs: object) -> str:
    """The address of a page by the name it has in `marketplace.urls`."""
    return reverse(name, args=args or None, kwargs=kwargs or None)


def number(value: int) -> str:
    """A whole number for people, grouped as the active language does: "1.284", "1,284"."""
    grouped = f"{value:,}"
    return grouped if (translation.get_language() or "es").startswith("en") else grouped.translate(_SPANISH)


def moment(at: datetime, now: datetime, zone: tzinfo | None = None, ends: bool = False) -> str:
    """A moment, or an end, in words, to follow a verb, in the site's zone unless another is given."""
    return moment_words(at, now, zone or timezone.get_current_timezone(), ends=ends)


def figures(at: datetime, zone: tzinfo | None = None, ends: bool = False) -> str:
    """A moment, or an end, in figures, in the site's zone unless another is given."""
    return stamp(at, zone or timezone.get_current_timezone(), ends=ends)


def last_day_in_words(at: datetime, zone: tzinfo | None = None) -> str:
    """The day on which something ends, with its year, to follow a preposition."""
    return day_words(last_day(at, zone or timezone.get_current_timezone()), year=True)


def _wired(path: str) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return import_string(path)(*args, **kwargs)

    return call


def _anew(function: Callable[..., Any]) -> Callable[..., Any]:
    """Ask a filter at every reading: on constants Jinja would ask once, in whatever language it is then."""

    @pass_context
    def asked(_: object, *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return asked


GLOBALS: dict[str, object] = {
    "url": url,
    "static": static,
    "now": timezone.now,
    "here": timezone.get_current_timezone,
    "language": translation.get_language,
    "languages": settings.LANGUAGES,
    "what_is_left": what_is_left,
    "htmx_script": htmx_script,
    "state_of": _wired("dashboard.words.state_of"),
    "desk_counts": _wired("sellers.desk_counts.of"),
    "count_words": _wired("sellers.desk_counts.words"),
}

FILTERS: dict[str, Callable[..., Any]] = {
    "country": _anew(country_word),
    "money": _anew(format_money),
    "number": _anew(number),
    "moment": _anew(moment),
    "stamp": _anew(figures),
    "last_day": _anew(last_day_in_words),
    "who": _anew(_wired("sellers.desk.who")),
    "filesizeformat": _anew(filesizeformat),
    "brief": _anew(_wired("dashboard.words.brief")),
}


def environment(**options: Any) -> Environment:
    """Build the environment: a name that is not there is an error, and what is not a text file is escaped."""
    options["undefined"] = StrictUndefined
    options["autoescape"] = _escapes
    options.setdefault("extensions", ["jinja2.ext.i18n"])
    env = Environment(**options)
    env.globals.update(GLOBALS)
    env.filters.update(FILTERS)
    env.install_gettext_callables(  # type: ignore[attr-defined]
        translation.gettext,
        translation.ngettext,
        newstyle=True,
        pgettext=translation.pgettext,
        npgettext=translation.npgettext,
    )
    return env


def _escapes(name: str | None) -> bool:
    return not (name or "").removesuffix(".jinja").endswith(".txt")
