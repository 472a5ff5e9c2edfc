"""What can be done to an order by the one who looks at it, what comes next, and why not (CAN-01, ROL-05)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from dashboard.order_queries import offered
from marketplace.moments import length_words
from marketplace.policy import ROLE_LABELS, Role
from marketplace.refusals import Code
from orders import services
from orders.models import Hold, Line, Order
from orders.states import ASSIGNABLE, FINAL, SELLER_HOLDS, Decision, State, Verb
from sellers.desk import Actor, Right, who_has
from sellers.models import Supplier

TEXTS = {
    Verb.ACCEPT: gettext_lazy("Aceptar"),
    Verb.REFUSE: gettext_lazy("Rechazar el pedido"),
    Verb.SHIP: gettext_lazy("Enviar"),
    Verb.FULFIL: gettext_lazy("Confirmar al cliente"),
    Verb.READY: gettext_lazy("Listo para recoger"),
    Verb.RETRY: gettext_lazy("Enviar otra vez"),
    Verb.RETURN_TO_SENDER: gettext_lazy("Ha vuelto a la tienda"),
    Verb.CANCEL: gettext_lazy("Cancelar el pedido"),
    Verb.SHORTEN: gettext_lazy("Faltan unidades"),
    Verb.DELIVER: gettext_lazy("Confirmar la entrega"),
    Verb.HOLD: gettext_lazy("Poner en espera"),
    Verb.RELEASE: gettext_lazy("Quitar la espera"),
    Verb.ASSIGN: gettext_lazy("Decir quién lo sirve"),
}
PANELS = {
    Verb.REFUSE: "rechazar",
    Verb.CANCEL: "cancelar",
    Verb.HOLD: "espera",
    Verb.SHORTEN: "faltan",
    Verb.ASSIGN: "servir",
}
"""The acts that ask something first, by the word that opens them in an address."""

NEXT = {
    State.PENDING_ACCEPTANCE: Verb.ACCEPT,
    State.DEBIT: Verb.SHIP,
    State.AWAITING_SHIPMENT: Verb.SHIP,
    State.AWAITING_PICKUP: Verb.SHIP,
    State.EXCEPTION: Verb.RETRY,
}


@dataclass(frozen=True, slots=True)
class Act:
    """A button: `href` is a page that asks first, `action` a form to post with `fields`.

    `why_not` disables it and says who may; `ask` is the supplier who may, to be written to.
    """

    verb: str
    text: str
    why_not: str = ""
    href: str = ""
    action: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    ask: Supplier | None = None

    @property
    def code(self) -> str:
        """What tells the act from the others of its page."""
        return "_".join((self.verb, *(value for _name, value in self.fields)))


@dataclass(frozen=True, slots=True)
class Acts:
    """The act that comes next, where there is one, and all the others."""

    next: Act | None
    more: list[Act]

    def may(self, verb: str) -> bool:
        """Whether a form for this act is worth showing."""
        return any(act.verb == verb and not act.why_not for act in (self.next, *self.more) if act)


def order_url(order: Order, **parameters: str) -> str:
    """The address of an order's page; the first tab needs no name."""
    return reverse("order", args=[order.reference], query=parameters or None)


def acts_of(
    order: Order,
    holds: Sequence[Hold],
    lines: Sequence[Line],
    *,
    has_suppliers: bool = False,
    by: Actor,
    at: datetime,
) -> Acts:
    """Every act that exists for people in this state, in the order of use; `lines` are those that the person sees.

    A supplier is offered what the policy gives to suppliers, and no more (ROL-04).
    """
    served = offered(order)
    verbs = [verb for verb in TEXTS if verb in served]
    if order.state == State.DEBIT and (order.ships or order.to_confirm):
        verbs.insert(0, Verb.SHIP if order.ships else Verb.FULFIL)
    if Verb.SHIP in offered(order) and _something_may_be_missing(order, lines):
        verbs.append(Verb.SHORTEN)
    if Verb.READY in verbs and not order.policy.rules.pickup:
        verbs.remove(Verb.READY)
    if by.role == Role.SUPPLIER:
        verbs = [
            verb
            for verb in verbs
            if verb == Verb.SHIP or Role.SUPPLIER in served.get(verb, ())
            if verb != Verb.SHIP or _left(order, lines)
            if verb != Verb.FULFIL or any(line.to_confirm and not line.instant for line in lines)
        ]
    found = {verb: _act(order, verb, lines, by=by, at=at) for verb in verbs}
    releases = _releases(order, holds, by)
    comes = found.pop(NEXT[State(order.state)], None) if order.state in NEXT else None
    comes = comes or found.pop(Verb.FULFIL, None)
    lifted = next((act for act in releases if not act.why_not), None)
    if comes and comes.why_not and lifted:
        found[Verb(comes.verb)], comes = comes, lifted
        releases.remove(lifted)
    more = [*found.values(), *releases]
    may_change = by.role == Role.SELLER and any(not services.is_theirs(order, line) for line in lines)
    if order.state in ASSIGNABLE and may_change and (has_suppliers or served_by_others(order)):
        more.append(_assign(order, by))
    if order.state not in FINAL and by.role != Role.SUPPLIER:
        why_not = "" if by.may(Right.WORK_ORDERS) else _not_allowed((Role.SELLER, Role.OPERATOR), by)
        more.append(
            Act(Verb.HOLD, str(TEXTS[Verb.HOLD]), why_not, href=order_url(order, acto=PANELS[Verb.HOLD]))
        )
    if by.role == Role.SELLER and order.customer_email and by.may(Right.TEAM):
        action = reverse("order_links_revoked", args=[order.reference])
        more.append(Act(Verb.LINKS_REVOKED, _("Anular los enlaces"), action=action))
    return Acts(comes, more)


def served_by_others(order: Order) -> bool:
    """Whether suppliers fulfil the order, or a part of it (ROL-04)."""
    return order.supplier_id is not None or order.shared


def _left(order: Order, lines: Sequence[Line]) -> bool:
    """Whether there are units to hand over, now or once the customer is charged."""
    return order.state == State.DEBIT or any(line.to_ship for line in lines)


def _assign(order: Order, by: Actor) -> Act:
    why_not = "" if by.may(Right.WORK_ORDERS) else _not_allowed((Role.SELLER, Role.OPERATOR), by)
    return Act(Verb.ASSIGN, str(TEXTS[Verb.ASSIGN]), why_not, href=order_url(order, acto=PANELS[Verb.ASSIGN]))


def _act(order: Order, verb: Verb, lines: Sequence[Line], *, by: Actor, at: datetime) -> Act:
    code = _judged(order, verb, by=by, at=at)
    why_not, ask = "", None
    if code == Code.NOT_ALLOWED:
        roles = offered(order).get(Verb.SHIP if verb == Verb.SHORTEN else verb, ())
        why_not = _not_allowed(roles, by)
        if Role.SUPPLIER in roles and served_by_others(order) and Role.SELLER not in roles:
            why_not, ask = _theirs(order, lines, by)
    elif code is not None:
        why_not = str(code.label)
    text = str(TEXTS[verb])
    if verb in PANELS:
        return Act(verb, text, why_not, href=order_url(order, acto=PANELS[verb]), ask=ask)
    if verb == Verb.SHIP:
        text = _("Enviar otro bulto") if order.parcels else text
        return Act(verb, text, why_not, href=order_url(order, tab="envio") + "#enviar")
    if verb == Verb.FULFIL:
        return Act(verb, text, why_not, href=order_url(order) + "#confirmar")
    if verb == Verb.DELIVER:
        return Act(verb, text, why_not)
    fields = (("all", "1"),) if verb == Verb.ACCEPT else ()
    return Act(
        verb, text, why_not, action=reverse(f"order_{verb}", args=[order.reference]), fields=fields, ask=ask
    )


def _theirs(order: Order, lines: Sequence[Line], by: Actor) -> tuple[str, Supplier | None]:
    """That it is up to whoever fulfils the order, and who that is; only the operator's, where several do (CAN-03)."""
    if order.shared:
        return f"{Code.NOT_ALLOWED.label} {_('Lo sirven varios: solo puede hacerlo el operador.')}", None
    one = next((line.supplier for line in lines if line.supplier_id == order.supplier_id), None)
    if by.role == Role.SUPPLIER or one is None:
        return str(Code.NOT_ALLOWED.label), None
    words = _("Lo sirve %(who)s: pídeselo, o al operador.") % {"who": one}
    return f"{Code.NOT_ALLOWED.label} {words}", one


def _something_may_be_missing(order: Order, lines: Sequence[Line]) -> bool:
    """Whether something would be left of the order without a unit of it; a single unit is cancelled instead."""
    units = sum(line.to_ship for line in lines)
    accepted = [line for line in lines if line.decision == Decision.ACCEPTED]
    return units > 1 or (units == 1 and (order.parcels > 0 or len(accepted) > 1))


def _judged(order: Order, verb: Verb, *, by: Actor, at: datetime) -> Code | None:
    if verb == Verb.SHORTEN:
        return services.may_shorten(order, by=by, at=at)
    return services.judge(order, verb, by=by, at=at)


def _releases(order: Order, holds: Sequence[Hold], by: Actor) -> list[Act]:
    """One act a hold; those of the operator and the platform are theirs to lift."""
    if by.role == Role.SUPPLIER:
        return []
    acts = []
    for hold in holds:
        why_not = ""
        if hold.kind not in SELLER_HOLDS:
            why_not = _not_allowed((Role.OPERATOR,), by)
        elif not by.may(Right.WORK_ORDERS):
            why_not = _not_allowed((Role.SELLER, Role.OPERATOR), by)
        text = _("Quitar la espera") if len(holds) == 1 else _("Quitar «%(kind)s»") % {"kind": hold}
        action = reverse("order_release", args=[order.reference])
        acts.append(Act(Verb.RELEASE, text, why_not, action=action, fields=(("kind", hold.kind),)))
    return acts


def _not_allowed(roles: Sequence[str], by: Actor) -> str:
    """That this person may not, and who may: the shop's own roles by name, then the others (ROL-05)."""
    who = [str(ROLE_LABELS[Role(role)]) for role in roles if role not in (Role.SELLER, Role.SUPPLIER)]
    if {Role.SELLER, Role.SUPPLIER} & set(roles) and not by.may(Right.WORK_ORDERS):
        who = [*who_has(Right.WORK_ORDERS), *who]
    words = ngettext("Puede hacerlo: %(who)s.", "Pueden hacerlo: %(who)s.", len(who)) % {
        "who": ", ".join(who)
    }
    return f"{Code.NOT_ALLOWED.label} {words}"


def lateness(order: Order, at: datetime) -> list[str]:
    """What was late when it happened, in words; of what is still to come its deadline tells (SHP-09)."""
    said = []
    late = services.late_by(order.ship_by, order.shipped_at, at)
    if late and order.shipped_at:
        said.append(_("Enviado con %(length)s de retraso") % {"length": length_words(late)})
    late = None if order.ships else services.late_by(order.ship_by, order.confirmed_at, at)
    if late and order.confirmed_at:
        said.append(_("Confirmado con %(length)s de retraso") % {"length": length_words(late)})
    late = services.late_by(order.deliver_by, order.delivered_at, at)
    if late and order.delivered_at:
        said.append(_("Entregado con %(length)s de retraso") % {"length": length_words(late)})
    return said
