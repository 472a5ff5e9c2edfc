"""What the rooms of orders do alike after an act: wake what follows, and tell what became of each order."""

from django.http import HttpRequest
from django.utils.translation import gettext as _

from marketplace import bell
from marketplace.refusals import Outcome
from marketplace.rooms import SHOWN_REFUSALS, tell
from orders.models import Order
from orders.signals import Moved

AT_MOST = 1000
"""How many orders one act of the list may be about."""

FOLLOWERS = ("charge", "payback", "notices")
"""The timers that do what follows from an act on orders."""


def report(request: HttpRequest, outcome: Outcome[Moved]) -> None:
    """Wake what follows, and say how many orders moved and which were refused and why."""
    if outcome.moved:
        bell.ring(*FOLLOWERS)
    ids = [refusal.id for refusal in outcome.refused[:SHOWN_REFUSALS]]
    names = dict(Order.objects.filter(id__in=ids).values_list("id", "reference"))
    tell(request, outcome, _("Hecho. Pedidos: %(n)s."), lambda order_id: names.get(order_id, str(order_id)))
