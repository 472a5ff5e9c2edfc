"""What the history and the holds of an order keep as codes and figures, put in the reader's words."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from marketplace.models import ReasonKind
from marketplace.money import format_money
from marketplace.reasons import OF_PROVIDERS, Why, said
from orders.models import Event, Hold, Line
from orders.states import Verb

_KINDS: dict[str, str] = {
    Verb.DEBIT_FAILED: OF_PROVIDERS,
    Verb.ACCEPT: ReasonKind.REFUSE,
    Verb.REFUSE: ReasonKind.REFUSE,
    Verb.SHORTEN: ReasonKind.REFUSE,
    Verb.HOLD: ReasonKind.HOLD,
    Verb.RETURN_ASKED: ReasonKind.RETURN,
}


def kind_of(verb: str) -> str:
    """The list that the reasons of a move are of: accepting an order gives those of the lines it refuses."""
    return str(_KINDS.get(verb, ReasonKind.CANCEL))


def refusal(line: Line) -> str:
    """Why a line was refused (ORD-05)."""
    return said(ReasonKind.REFUSE, Why(line.refuse_code, line.refuse_reason))


def confirmed(told: Any) -> list[str]:
    """What was confirmed to the customer and what was said of it, line by line (ORD-13)."""
    return [": ".join(filter(None, (str(one["title"]), str(one["access"])))) for one in told or ()]


def failed_delivery(event: Event) -> str:
    """What the carrier said when it could not deliver (SHP-06)."""
    return said(kind_of(event.verb), event.data.get("reason"))


def mismatch(told: Any, currency: str) -> str:
    """What was paid and what should have been, from {"paid_cents", "total_cents"}; an old text as it is (PAY-07)."""
    if not isinstance(told, Mapping):
        return str(told or "")
    paid, total = (format_money(told[name], currency) for name in ("paid_cents", "total_cents"))
    return _("Se pagó %(paid)s y el total es %(total)s.") % {"paid": paid, "total": total}


def explanation(hold: Hold, currency: str) -> str:
    """Why an order was put in wait, past the kind of the hold: its figures, its reason, its note."""
    figures = mismatch(hold.facts, currency) if hold.facts else ""
    reason = said(ReasonKind.HOLD, Why(hold.reason_code, hold.note))
    return " · ".join(filter(None, (figures, reason)))
