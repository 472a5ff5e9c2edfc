"""Who looks after a conversation: one of the shop's own people, by their own hand or a colleague's (MSG-01)."""

from datetime import datetime

from django.db import transaction

from marketplace.policy import Role
from marketplace.refusals import Code, MoveRefused, Refusal
from messaging.models import Thread
from sellers.desk import RIGHTS, Actor, Right
from sellers.models import Membership

_ANSWER = [role for role, rights in RIGHTS.items() if Right.ANSWER in rights]


def colleagues(shop_id: int) -> list[Membership]:
    """The people of a shop who may answer, by name."""
    rows = Membership.objects.filter(shop_id=shop_id, supplier=None, role__in=_ANSWER, user__is_active=True)
    return list(rows.select_related("user").order_by("user__name", "user__email"))


@transaction.atomic
def assign(thread_id: int, to: int | None, *, was: int | None, by: Actor, at: datetime) -> None:
    """Give a conversation to a member of its shop who may answer, or to nobody; `was` is who had it when it was seen.

    Raises MoveRefused: `not_allowed`, `changed` when somebody else has it meanwhile.
    """
    if by.role != Role.SELLER or not by.may(Right.ANSWER):
        raise MoveRefused(Refusal(thread_id, Code.NOT_ALLOWED))
    thread = Thread.objects.select_for_update(of=("self",), no_key=True).get(id=thread_id)
    if to is not None and to not in {one.id for one in colleagues(thread.shop_id)}:
        raise MoveRefused(Refusal(thread_id, Code.NOT_ALLOWED))
    if thread.assignee_id == to:
        return
    if thread.assignee_id != was:
        raise MoveRefused(Refusal(thread_id, Code.CHANGED))
    thread.assignee_id = to
    thread.save(update_fields=["assignee"])
