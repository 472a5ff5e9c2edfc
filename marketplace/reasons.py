"""Why an act was done, kept as a code of the operators' list, a note, or both, and said in the reader's language.

The code is kept and never its words: who acts and who reads may speak different languages. A note stays as it was
written, and so does what was kept as text alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import get_language, gettext_lazy

from marketplace import queries

OTHER = "other"
"""The code of a reason that only its note tells."""

OF_PROVIDERS = "debit_failed"
"""The act whose reasons are not ours: a note is what the payment provider answered (PAY-05)."""


@dataclass(frozen=True, slots=True)
class Why:
    """A reason as it is given; empty, and false, when nothing was."""

    code: str = ""
    note: str = ""

    def __bool__(self) -> bool:
        return bool(self.code or self.note)

    @property
    def kept(self) -> str | dict[str, str]:
        """What a history keeps of it: {"code", "note"}, or the text of a reason that is a note alone."""
        if not self.code:
            return self.note
        return {"code": self.code, "note": self.note} if self.note else {"code": self.code}


ANSWERS = {
    "already returned": gettext_lazy("ya se había devuelto"),
    "authentication required": gettext_lazy("el banco pide que el cliente confirme el pago"),
    "authorisation gone": gettext_lazy("la autorización ya no vale"),
    "authorisation too small": gettext_lazy("la autorización no llega al importe"),
    "authorised in another currency": gettext_lazy("autorizado en otra moneda"),
    "card declined": gettext_lazy("tarjeta rechazada"),
    "card expired": gettext_lazy("tarjeta caducada"),
    "card gone": gettext_lazy("la tarjeta ya no existe"),
    "currency not supported": gettext_lazy("moneda no admitida"),
    "kept for another order": gettext_lazy("se guarda para otro pedido de la misma compra"),
    "insufficient funds": gettext_lazy("saldo insuficiente"),
    "no means of payment": gettext_lazy("sin medio de pago"),
    "no such payment": gettext_lazy("el proveedor no conoce ese pago"),
    "payment disputed": gettext_lazy("el cliente ha reclamado el pago a su banco"),
    "payment taken already": gettext_lazy("el pago ya se había cobrado"),
    "refund failed": gettext_lazy("el banco no aceptó la devolución"),
    "the provider does not answer": gettext_lazy("el proveedor no contesta"),
}
"""Words for what payment providers answer in a language of their own."""


def answer_words(message: str) -> str:
    """What a payment provider answered, in the active language where there are words for it."""
    return str(ANSWERS.get(message, message))


type Reasoned = Why | str
"""A reason, or one's own words for it."""


def why(reason: Reasoned) -> Why:
    """The reason itself; a text is a note."""
    return reason if isinstance(reason, Why) else Why(note=reason)


def listed(kind: str) -> dict[str, str]:
    """The reasons of a list by code, in the active language, those that are no longer given too."""
    english = (get_language() or "es").startswith("en")
    return {code: words[english] for (of, code), words in queries.reason_labels().items() if of == kind}


def said(kind: str, reason: object) -> str:
    """A reason for an act of this kind, in the active language: a `Why`, or what a history keeps of one or more.

    Of a reason called "other" the note says it all; a code that is on no list stands for itself.
    """
    if isinstance(reason, list):
        return "; ".join(dict.fromkeys(said(kind, one) for one in reason))
    if isinstance(reason, Mapping):
        reason = Why(str(reason.get("code", "")), str(reason.get("note", "")))
    given = reason if isinstance(reason, Why) else Why(note=str(reason or ""))
    if not given.code or (given.code == OTHER and given.note):
        return answer_words(given.note) if kind == OF_PROVIDERS else given.note
    spanish, english = queries.reason_labels().get((kind, given.code), (given.code, given.code))
    label = english if (get_language() or "es").startswith("en") else spanish
    return f"{label} ({given.note})" if given.note else label
