"""What an address of the inbox asks for: which conversations, with whom, about what, from where on; a link keeps it.

Nonsense is never an error: the part that is not understood is left out and named.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from dashboard.asked import Place, words_of

TAB_WORDS = {
    "": gettext_lazy("Todas"),
    "esperan": gettext_lazy("Esperan mi respuesta"),
    "retraso": gettext_lazy("Con retraso"),
    "sin-leer": gettext_lazy("Sin leer"),
    "mias": gettext_lazy("Mías"),
}
WHO_WORDS = {
    "cliente": gettext_lazy("cliente"),
    "operador": gettext_lazy("operador"),
    "proveedor": pgettext_lazy("of a shop", "proveedor"),
}
BY_DEADLINE = ("esperan", "retraso")
"""What is sorted by when it has to be answered, the first of all first."""

_NAMES = {
    "ver": gettext_lazy("Qué conversaciones"),
    "de": gettext_lazy("Con quién"),
    "motivo": gettext_lazy("Motivo"),
    "despues": gettext_lazy("Página"),
    "antes": gettext_lazy("Página"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to the inbox; `unclear` names what was not understood, in the active language."""

    tab: str = ""
    who: str = ""
    reason: str = ""
    words: str = ""
    after: Place | None = None
    before: Place | None = None
    unclear: tuple[str, ...] = ()

    @property
    def filtered(self) -> bool:
        """Whether something besides the tab narrows the list."""
        return bool(self.who or self.reason or self.words)

    @property
    def by_deadline(self) -> bool:
        return self.tab in BY_DEADLINE

    def parameters(self) -> dict[str, str]:
        """The question as parameters of an address; what is at its usual value is left out."""
        given = {
            "ver": self.tab,
            "de": self.who,
            "motivo": self.reason,
            "buscar": self.words,
            "despues": str(self.after) if self.after else "",
            "antes": str(self.before) if self.before else "",
        }
        return {name: value for name, value in given.items() if value}

    def link(self, **changes: object) -> str:
        """The address of the same question with something changed; it starts at the first page again."""
        other = replace(self, **({"after": None, "before": None} | changes))  # type: ignore[arg-type]
        return reverse("inbox", query=other.parameters() or None)


def read(given: Mapping[str, str], reasons: Mapping[str, object]) -> Asked:
    """Understand the parameters of an address; `reasons` are those that people write for, by code."""
    unclear: list[str] = []

    def name(parameter: str, value: str) -> None:
        shown = value.replace("\0", "\ufffd")
        shown = shown if len(shown) <= 40 else shown[:39] + "…"
        unclear.append(
            _("%(name)s: no se entiende “%(value)s”") % {"name": _NAMES[parameter], "value": shown}
        )

    def one_of(parameter: str, known: Mapping[str, object]) -> str:
        value = given.get(parameter, "")
        if value and value not in known:
            name(parameter, value)
        return value if value in known else ""

    def place(parameter: str) -> Place | None:
        value = given.get(parameter, "")
        try:
            return Place.read(value) if value else None
        except (ValueError, OverflowError):
            name(parameter, value)
            return None

    after = place("despues")
    return Asked(
        tab=one_of("ver", TAB_WORDS),
        who=one_of("de", WHO_WORDS),
        reason=one_of("motivo", reasons),
        words=words_of(given.get("buscar", "")),
        after=after,
        before=None if after else place("antes"),
        unclear=tuple(unclear),
    )
