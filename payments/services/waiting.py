"""Debits that take too long: operators are told, and may have them asked about at once (PAY-03)."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from marketplace.refusals import Code, Outcome, Refusal
from messaging import services as messaging
from payments.models import Charge
from payments.states import AskState


def alert_stuck(*, at: datetime) -> int:
    """Tell the operators of debits that have taken too long (PAY-03); answers how many. Each is told once."""
    with transaction.atomic():
        stuck = list(
            Charge.objects.filter(alert_at__lte=at, state__in=[AskState.WAITING, AskState.ASKED])
            .select_for_update(skip_locked=True, of=("self",))
            .select_related("order__shop")
            .order_by("alert_at", "id")[:500]
        )
        Charge.objects.filter(id__in=[charge.id for charge in stuck]).update(alert_at=None, alerted_at=at)
        messaging.tell_operators(
            "debit_stuck",
            [
                {
                    "reference": charge.order.reference,
                    "order_id": charge.order_id,
                    "channel_id": charge.order.channel_id,
                    "shop": charge.order.shop.name,
                    "amount_cents": charge.amount_cents,
                    "currency": charge.currency,
                    "since": (charge.order.accepted_at or charge.created_at).isoformat(),
                }
                for charge in stuck
            ],
            at=at,
        )
        return len(stuck)


@transaction.atomic
def hurry(charge_ids: Sequence[int], *, at: datetime) -> Outcome[int]:
    """Have open charges asked, or asked about, at `at` instead of at their turn (PAY-03); answers their ids.

    Refused as `wrong_state` when it is answered or void, `held` while its order waits.
    """
    open_states = (AskState.WAITING, AskState.ASKED)
    rows = Charge.objects.select_for_update(of=("self",)).filter(id__in=charge_ids).order_by("id")
    hurried, refused = [], []
    for charge in rows.select_related("order"):
        if charge.state not in open_states:
            refused.append(Refusal(charge.id, Code.WRONG_STATE))
        elif charge.state == AskState.WAITING and charge.order.held_at is not None:
            refused.append(Refusal(charge.id, Code.HELD))
        else:
            hurried.append(charge.id)
    Charge.objects.filter(id__in=hurried).update(due_at=at)
    return Outcome(hurried, refused)
