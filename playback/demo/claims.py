"""What goes wrong in the demonstration: incidents of the first shop, one in each place that one can be in."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from incidents import services
from incidents.models import Incident
from marketplace.reasons import Why
from marketplace.refusals import Outcome
from messaging import conversing
from messaging.conversing import Words
from messaging.recipients import CUSTOMER
from orders.models import Line
from orders.states import Verb
from playback.demo.photos import photo
from sellers.desk import Actor

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
CLAIMS = frozenset(
    {Verb.INCIDENT_OPENED, Verb.INCIDENT_RESOLVED, Verb.INCIDENT_SENT_BACK, Verb.INCIDENT_CLOSED}
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """An incident to come: how long ago its parcel left, its reason, what the customer writes, what is answered; and
    what is done about it, each so long ago."""

    left: timedelta
    reason: str
    text: str
    answer: str
    acts: tuple[tuple[timedelta, Verb], ...]
    photo: bool = False


TROUBLES = (
    Trouble(
        3 * _DAY,
        "damaged",
        "El jarrón ha llegado roto por el asa. La caja venía golpeada por una esquina. ¿Me podéis mandar otro?",
        "",
        ((50 * timedelta(minutes=1), Verb.INCIDENT_OPENED),),
        photo=True,
    ),
    Trouble(
        5 * _DAY,
        "incomplete",
        "En la caja falta una de las piezas.",
        "Sentimos el despiste. ¿Nos dices cuál falta? La enviamos en cuanto lo sepamos.",
        ((26 * _HOUR, Verb.INCIDENT_OPENED),),
    ),
    Trouble(
        8 * _DAY,
        "not-received",
        "Pone entregado y aquí no ha llegado nada.",
        "Hablamos con el transportista: lo dejó en la conserjería.",
        (
            (5 * _DAY, Verb.INCIDENT_OPENED),
            (4 * _DAY, Verb.INCIDENT_RESOLVED),
            (3 * _HOUR, Verb.INCIDENT_SENT_BACK),
        ),
    ),
    Trouble(
        7 * _DAY,
        "wrong-article",
        "El color no es el que pedí.",
        "Te cambiamos la pieza: sale mañana.",
        ((4 * _DAY, Verb.INCIDENT_OPENED), (20 * _HOUR, Verb.INCIDENT_RESOLVED)),
    ),
    Trouble(
        14 * _DAY,
        "damaged",
        "Dos platos tienen el borde saltado.",
        "Te enviamos dos nuevos sin coste.",
        ((11 * _DAY, Verb.INCIDENT_OPENED), (9 * _DAY, Verb.INCIDENT_RESOLVED)),
    ),
    Trouble(
        17 * _DAY,
        "not-as-described",
        "Es más pequeño de lo que parecía en la foto.",
        "Las medidas están en la ficha; si no te convence, lo recogemos.",
        (
            (14 * _DAY, Verb.INCIDENT_OPENED),
            (13 * _DAY, Verb.INCIDENT_RESOLVED),
            (6 * _DAY, Verb.INCIDENT_CLOSED),
        ),
    ),
)


def act_on(
    order_ids: Collection[int], verb: Verb, trouble: Trouble, *, by: Actor, at: datetime
) -> Outcome[Incident]:
    """Do what is done to the incidents of orders."""
    if verb == Verb.INCIDENT_OPENED:
        for order_id in order_ids:
            line = Line.objects.filter(order_id=order_id).order_by("id")[0]
            reason = Why(trouble.reason)
            files = photo("jarron-roto.jpg", line.order.policy.rules) if trouble.photo else []
            services.open_incident(
                order_id, [line.id], reason=reason, text=trouble.text, files=files, by=by, at=at
            )
        return Outcome()
    found = Incident.objects.filter(order_id__in=list(order_ids))
    if verb == Verb.INCIDENT_CLOSED:
        return services.close([one.id for one in found], by=by, at=at)
    for one in found:
        if verb == Verb.INCIDENT_RESOLVED:
            services.resolve(one.id, reason=Why("replaced"), by=by, at=at)
        else:
            why = "El cliente dice que en la conserjería no saben nada. Habla otra vez con el transportista."
            services.send_back(one.id, reason=why, by=by, at=at)
    return Outcome()


def answer(order_ids: Collection[int], trouble: Trouble, *, by: Actor, at: datetime) -> None:
    """The shop answers the customer in the conversation of an incident."""
    for thread_id in Incident.objects.filter(order_id__in=list(order_ids)).values_list(
        "thread_id", flat=True
    ):
        conversing.write(thread_id, Words(trouble.answer), to=CUSTOMER, take_back=False, by=by, at=at)
