"""A return as the panel shows it: how it stands, whose turn it is, what runs out and why then (REF-09)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.kept_words import moment_words, what_is_left
from dashboard.order_clocks import Running
from marketplace import clocks
from marketplace.models import ReasonKind
from marketplace.reasons import Why, said
from refunds.models import ReturnLine, ReturnRequest
from refunds.return_ends import follow_url
from refunds.returning import judge
from refunds.states import AT_THE_SHOP, WINDOWS, RefundState, ReturnState
from sellers.desk import Actor

TONES: dict[str, str] = dict.fromkeys(ReturnState.values, "done") | {
    ReturnState.ASKED: "act",
    ReturnState.ACCEPTED: "act",
    ReturnState.INSTRUCTED: "wait",
    ReturnState.SENT: "go",
    ReturnState.RECEIVED: "act",
    ReturnState.INSPECTED: "act",
}

_WILL = {
    ReturnState.ASKED: gettext_lazy("Contesta como muy tarde %(when)s: si no, cuenta como aceptada."),
    ReturnState.ACCEPTED: gettext_lazy("Di al cliente cómo la manda, como muy tarde %(when)s."),
    ReturnState.INSTRUCTED: gettext_lazy("El cliente la manda como muy tarde %(when)s: si no, caduca."),
    ReturnState.SENT: gettext_lazy("Tendría que llegarte como muy tarde %(when)s."),
    ReturnState.RECEIVED: gettext_lazy("Revísala como muy tarde %(when)s: si no, cuenta como buena."),
    ReturnState.INSPECTED: gettext_lazy("Reembólsala o cámbiala como muy tarde %(when)s."),
}
_LATE = gettext_lazy("Su plazo acabó %(when)s. El operador lo ve, y el pedido no se cobra hasta que termine.")

ACTS = ("accept", "refuse", "instruct", "receive", "inspect", "pay", "replace", "reject")


@dataclass(frozen=True, slots=True)
class Shown:
    """A return with its words: the reason, the answer, whose turn it is, and the deadline that runs."""

    row: ReturnRequest
    lines: Sequence[ReturnLine]
    reason: str
    answer: str
    turn: str
    tone: str
    running: Running | None
    may: frozenset[str]
    page: str

    @property
    def titles(self) -> str:
        return ", ".join(f"{one.units} × {one.line.title}" for one in self.lines)

    @property
    def good(self) -> int:
        """Units that came back as they were sent."""
        return sum(one.good or 0 for one in self.lines)

    @property
    def follow(self) -> str:
        """Where its replacement can be followed."""
        return follow_url(self.row.new_carrier, self.row.new_tracking)

    @property
    def covers(self) -> bool:
        """Whether its refund waits for the operator."""
        return self.row.refund is not None and self.row.refund.state == RefundState.ASKED


def shown(returns: Iterable[ReturnRequest], *, by: Actor, at: datetime) -> list[Shown]:
    """The returns as they are given; each comes with its order, furnished, and its lines in `given`."""
    return [_shown(one, by=by, at=at) for one in returns]


def _shown(row: ReturnRequest, *, by: Actor, at: datetime) -> Shown:
    return Shown(
        row=row,
        lines=row.given,
        reason=said(ReasonKind.RETURN, Why(row.reason_code)),
        answer=said(ReasonKind.NO_RETURN, Why(row.answer_code)) if row.answer_code else "",
        turn=_turn(row),
        tone=TONES[row.state],
        running=clock_of(row, at),
        may=frozenset(verb for verb in ACTS if judge(row, verb, by=by, at=at) is None),
        page=reverse("return", args=[row.order.reference, row.number]),
    )


def _turn(row: ReturnRequest) -> str:
    if (
        row.refund is not None
        and row.state == ReturnState.INSPECTED
        and row.refund.state == RefundState.ASKED
    ):
        return _("le toca al operador")
    if row.state in AT_THE_SHOP:
        return _("te toca a ti")
    if row.state == ReturnState.INSTRUCTED:
        return _("le toca al cliente")
    return _("viene de camino") if row.state == ReturnState.SENT else ""


def clock_of(row: ReturnRequest, now: datetime) -> Running | None:
    """The deadline of the state that a return is in; None where nothing runs."""
    if row.due_by is None:
        return None
    calendar = row.order.channel.calendar
    words = {"when": moment_words(row.due_by, now, calendar.zone, ends=True)}
    says = str(_LATE if now > row.due_by else _WILL[ReturnState(row.state)]) % words
    span = getattr(row.order.policy.rules, WINDOWS[row.state]).span
    why = partial(_why, row.since, span, calendar, now)
    return Running("return", row.due_by, what_is_left(row.due_by, now, calendar.zone), says, why)


def _why(start: datetime, span: clocks.Span, calendar: clocks.Calendar, now: datetime) -> str:
    return clocks.explain(start, span, calendar).sentence(now=now)
