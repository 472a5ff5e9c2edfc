"""What happens beside the way of an order in the demonstration: deliveries that fail, and acts that are asked for."""

from collections.abc import Iterable
from datetime import datetime

from marketplace.reasons import Why
from marketplace.refusals import Outcome
from orders import services
from orders.models import Asking, Order, Request
from orders.signals import Moved
from orders.states import Verb
from playback.demo.lives import Step
from refunds import redirecting
from sellers.desk import Actor

_NO = "El paquete ya está preparado y sale hoy. Si al recibirlo no lo quieres, lo recogemos."


def act_on(order_ids: Iterable[int], step: Step, *, by: Actor, at: datetime) -> Outcome[Moved]:
    """Do a step to each of these orders."""
    ids = list(order_ids)
    match step.verb:
        case Verb.REPORT_EXCEPTION:
            return services.report_exception(ids, reason=Why(step.told), by=by, at=at)
        case Verb.RETRY:
            return services.retry(ids, by=by, at=at)
    each = [_one(order_id, step, by=by, at=at) for order_id in ids]
    return Outcome([one for it in each for one in it.moved], [one for it in each for one in it.refused])


def _one(order_id: int, step: Step, *, by: Actor, at: datetime) -> Outcome[Moved]:
    match step.verb:
        case Verb.REDIRECT:
            return _goes_on(order_id, by=by, at=at)
        case Verb.REQUEST_MADE:
            return services.ask(order_id, Verb.CANCEL, reason=Why(step.told), by=by, at=at)
        case Verb.REQUEST_DECLINED:
            return services.decline(_asked(order_id), answer=_NO, by=by, at=at)
        case _:
            return services.approve(_asked(order_id), by=by, at=at)


def _goes_on(order_id: int, *, by: Actor, at: datetime) -> Outcome[Moved]:
    """The parcel goes on to the order that is proposed first."""
    source = Order.objects.select_related("policy", "channel").get(id=order_id)
    return redirecting.redirect(
        order_id, redirecting.propose(source, by=by, at=at).fits[0].order.id, by=by, at=at
    )


def _asked(order_id: int) -> int:
    return Request.objects.get(order_id=order_id, state=Asking.OPEN).id
