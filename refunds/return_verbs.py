"""What is done to a return on its way: answered, explained, sent, taken back, received, looked at (REF-09)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from marketplace.files import Checked
from marketplace.reasons import OTHER, Reasoned, Why, why
from marketplace.refusals import Code, MoveRefused, Outcome, Refusal
from messaging import conversing
from messaging.conversing import Words
from messaging.recipients import CUSTOMER
from orders.models import Order
from orders.services import Refuse
from orders.states import Verb
from refunds.models import ReturnLine, ReturnRequest
from refunds.queries import left_of
from refunds.returning import LATE, Doing, Done, act, single
from refunds.states import ReturnState
from sellers.desk import Actor

LONGEST_ANSWER = 2000
LONGEST_FLAW = 300
LONGEST_NAME = 80


def paragraphs(text: str) -> list[str]:
    """A text as a notice carries it."""
    return [line for line in text.splitlines() if line.strip()]


@transaction.atomic
def accept(
    return_id: int, *, instructions: str = "", files: Sequence[Checked] = (), by: Actor, at: datetime
) -> ReturnRequest:
    """Accept a return; with instructions, or a label as a file, the customer can send it at once.

    Raises MoveRefused: `return_elsewhere`, `not_allowed`, `deadline_passed`, what `conversing` refuses.
    """

    def doing(row: ReturnRequest, order: Order, lines: Sequence[ReturnLine]) -> Done:
        del lines
        row.accepted_at = at
        if not instructions.strip() and not files:
            return Done()
        return _instructed(row, order, instructions, files, by=by, at=at)

    return single(act([return_id], "accept", doing, by=by, at=at))


@transaction.atomic
def instruct(
    return_id: int, *, instructions: str = "", files: Sequence[Checked] = (), by: Actor, at: datetime
) -> ReturnRequest:
    """Tell the customer how to send what they give back, in words or with a label; the time to send it starts.

    Raises MoveRefused: `return_elsewhere`, `not_allowed`, `empty_message`, what `conversing` refuses.
    """

    def doing(row: ReturnRequest, order: Order, lines: Sequence[ReturnLine]) -> Done:
        del lines
        return _instructed(row, order, instructions, files, by=by, at=at)

    return single(act([return_id], "instruct", doing, by=by, at=at))


def _instructed(
    row: ReturnRequest, order: Order, text: str, files: Sequence[Checked], *, by: Actor, at: datetime
) -> Done:
    """Instructions are a message to the customer: read, handed out and kept as every other (MSG-13, DOC-04)."""
    with translation.override(order.customer_language):
        subject = _("Cómo mandar la devolución %(number)s") % {"number": row.number}
    words = Words(text, files=files, told=False)
    row.instructions = conversing.start(
        order.shop, words, to=CUSTOMER, order=order, subject=subject, take_back=False, by=by, at=at
    )
    row.instructed_at = at
    return Done({"label": bool(files)}, {"text": paragraphs(text)})


@transaction.atomic
def refuse(return_id: int, *, reason: Reasoned, answer: str = "", by: Actor, at: datetime) -> ReturnRequest:
    """Do not take a return, for a reason of the list and with an answer to the customer.

    Raises MoveRefused: `reason_needed`, `too_long`, `return_elsewhere`, `not_allowed`, `deadline_passed`.
    """
    given = _answered(return_id, reason, answer)

    def doing(row: ReturnRequest, order: Order, lines: Sequence[ReturnLine]) -> Done:
        del order, lines
        row.answer_code, row.answer = given.code, answer.strip()
        return Done({"reason": given.kept}, {"text": paragraphs(answer)})

    return single(act([return_id], "refuse", doing, by=by, at=at))


@transaction.atomic
def reject(return_id: int, *, reason: Reasoned, answer: str = "", by: Actor, at: datetime) -> ReturnRequest:
    """Say of a return that nothing is given for it, and why: no unit was good, or what was good has been paid back.

    Raises MoveRefused: `reason_needed`, `too_long`, `units_are_good`, `return_elsewhere`, `not_allowed`.
    """
    given = _answered(return_id, reason, answer)

    def doing(row: ReturnRequest, order: Order, lines: Sequence[ReturnLine]) -> Done:
        left = left_of(order)
        if any(one.good and left[one.line_id].goods.left_cents for one in lines):
            raise Refuse(Code.UNITS_ARE_GOOD)
        row.answer_code, row.answer = given.code, answer.strip()
        return Done({"reason": given.kept}, {"text": paragraphs(answer)})

    return single(act([return_id], "reject", doing, by=by, at=at))


def _answered(return_id: int, reason: Reasoned, answer: str) -> Why:
    given = why(reason)
    if not given.code or (given.code == OTHER and not answer.strip()):
        raise _refused(return_id, Code.REASON_NEEDED)
    if len(answer.strip()) > LONGEST_ANSWER:
        raise _refused(return_id, Code.TOO_LONG)
    return Why(given.code)


def _refused(return_id: int, code: Code) -> MoveRefused:
    return MoveRefused(Refusal(return_id, code))


@transaction.atomic
def send(return_id: int, *, carrier: str = "", tracking: str = "", by: Actor, at: datetime) -> ReturnRequest:
    """The customer has sent it: with whom, and the number to follow it by.

    Raises MoveRefused: `too_long`, `return_elsewhere`, `not_allowed`, `deadline_passed`.
    """
    carrier, tracking = carrier.strip(), tracking.strip()
    if max(len(carrier), len(tracking)) > LONGEST_NAME:
        raise _refused(return_id, Code.TOO_LONG)

    def doing(row: ReturnRequest, order: Order, lines: Sequence[ReturnLine]) -> Done:
        del order, lines
        row.sent_at, row.sent_carrier, row.sent_tracking = at, carrier, tracking
        return Done({"carrier": carrier, "tracking": tracking})

    return single(act([return_id], "send", doing, by=by, at=at))


@transaction.atomic
def withdraw(return_id: int, *, by: Actor, at: datetime) -> ReturnRequest:
    """The customer keeps the articles after all, as long as they have not sent them.

    Raises MoveRefused: `return_elsewhere`, `not_allowed`.
    """
    return single(act([return_id], "withdraw", by=by, at=at))


@transaction.atomic
def receive(return_id: int, *, by: Actor, at: datetime) -> ReturnRequest:
    """It has come back to the shop, whether or not the customer said that they sent it; the time to look at it starts.

    Raises MoveRefused: `return_elsewhere`, `not_allowed`.
    """

    def doing(row: ReturnRequest, order: Order, lines: Sequence[ReturnLine]) -> Done:
        del order, lines
        row.received_at = at
        return Done()

    return single(act([return_id], "receive", doing, by=by, at=at))


@transaction.atomic
def inspect(
    return_id: int,
    good: Mapping[int, int],
    flaws: Mapping[int, str] | None = None,
    *,
    by: Actor,
    at: datetime,
) -> ReturnRequest:
    """Say of each line how many units came back as they were sent, and what is wrong with the others.

    Raises MoveRefused: `unknown_line`, `nothing_chosen` for a line of which nothing is said, `too_many_back`,
    `reason_needed` for units without a word, `too_long`, `return_elsewhere`, `not_allowed`, `deadline_passed`.
    """
    said = {line_id: text.strip() for line_id, text in (flaws or {}).items()}

    def doing(row: ReturnRequest, order: Order, lines: Sequence[ReturnLine]) -> Done:
        del order
        _check(lines, good, said)
        for one in lines:
            one.good = good[one.line_id]
            one.flaw = said.get(one.line_id, "") if one.good < one.units else ""
        return _inspected(row, lines, at=at)

    return single(act([return_id], "inspect", doing, by=by, at=at))


def _check(lines: Sequence[ReturnLine], good: Mapping[int, int], flaws: Mapping[int, str]) -> None:
    own = {one.line_id: one for one in lines}
    if set(good) - set(own) or set(flaws) - set(own):
        raise Refuse(Code.UNKNOWN_LINE)
    if set(own) - set(good):
        raise Refuse(Code.NOTHING_CHOSEN)
    if any(not 0 <= units <= own[line_id].units for line_id, units in good.items()):
        raise Refuse(Code.TOO_MANY_BACK)
    if any(good[pk] < one.units and not flaws.get(pk) for pk, one in own.items()):
        raise Refuse(Code.REASON_NEEDED)
    if any(len(text) > LONGEST_FLAW for text in flaws.values()):
        raise Refuse(Code.TOO_LONG)


def _inspected(row: ReturnRequest, lines: Sequence[ReturnLine], *, at: datetime) -> Done:
    row.inspected_at = at
    ReturnLine.objects.bulk_update(lines, ["good", "flaw"])
    told = [
        {"title": one.line.title, "units": one.units, "good": one.good, "flaw": one.flaw} for one in lines
    ]
    return Done({"inspected": told, "presumed": row.presumed})


def presume(return_ids: Collection[int], *, by: Actor, at: datetime) -> Outcome[ReturnRequest]:
    """A deadline of the shop has passed: what was asked counts as accepted, what came back as good (ADR 20)."""
    states = dict(ReturnRequest.objects.filter(id__in=list(return_ids)).values_list("id", "state"))
    asked = [pk for pk in return_ids if states.get(pk) == ReturnState.ASKED]
    here = [pk for pk in return_ids if states.get(pk) == ReturnState.RECEIVED]
    accepted = act(
        asked, "presume", _taken_for_yes(at), told=Verb.RETURN_ACCEPTED, skip_locked=True, by=by, at=at
    )
    found = act(
        here, "presume", _taken_for_good(at), told=Verb.RETURN_INSPECTED, skip_locked=True, by=by, at=at
    )
    return Outcome([*accepted.moved, *found.moved], [*accepted.refused, *found.refused])


def _taken_for_yes(at: datetime) -> Doing:
    def doing(row: ReturnRequest, order: Order, lines: Sequence[ReturnLine]) -> Done:
        del order, lines
        if row.state != ReturnState.ASKED:
            raise Refuse(Code.RETURN_ELSEWHERE)
        row.accepted_at, row.presumed = at, True
        return Done({"presumed": True})

    return doing


def _taken_for_good(at: datetime) -> Doing:
    def doing(row: ReturnRequest, order: Order, lines: Sequence[ReturnLine]) -> Done:
        del order
        if row.state != ReturnState.RECEIVED:
            raise Refuse(Code.RETURN_ELSEWHERE)
        for one in lines:
            one.good, one.flaw = one.units, ""
        row.presumed = True
        return _inspected(row, lines, at=at)

    return doing


def lapse(return_ids: Collection[int], *, by: Actor, at: datetime) -> Outcome[ReturnRequest]:
    """What was not sent in time is not given back any more; it can be asked for anew while that is in time."""
    return act(return_ids, "lapse", skip_locked=True, by=by, at=at)


def note_late(return_ids: Collection[int], *, by: Actor, at: datetime) -> Outcome[ReturnRequest]:
    """A deadline has passed from which nothing follows by itself: the shop and the operators are told, once."""

    def doing(row: ReturnRequest, order: Order, lines: Sequence[ReturnLine]) -> Done:
        del order, lines
        row.late_at = at
        return Done({"where": row.state})

    return act(return_ids, LATE, doing, skip_locked=True, by=by, at=at)


def pass_deadlines(return_ids: Collection[int], *, by: Actor, at: datetime) -> Outcome[ReturnRequest]:
    """See to returns whose deadline has passed: each by what its state comes to."""
    states = dict(ReturnRequest.objects.filter(id__in=list(return_ids)).values_list("id", "state"))
    silent = [pk for pk, state in states.items() if state in (ReturnState.ASKED, ReturnState.RECEIVED)]
    unsent = [pk for pk, state in states.items() if state == ReturnState.INSTRUCTED]
    late = [pk for pk in states if pk not in {*silent, *unsent}]
    done = (
        presume(silent, by=by, at=at),
        lapse(unsent, by=by, at=at),
        note_late(late, by=by, at=at),
    )
    return Outcome([row for one in done for row in one.moved], [no for one in done for no in one.refused])
