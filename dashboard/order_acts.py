"""What can be done to an order by the one who looks at it, what comes next, and why not (CAN-01, ROL-05)."""

from collections.abc import Collection, Sequence
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
from orders.models import Asking, Hold, Line, Order, Request
from orders.states import ASSIGNABLE, FINAL, SELLER_HOLDS, Decision, State, Verb
from sellers.desk import Actor, Right, who_has

TEXTS = {
    Verb.ACCEPT: gettext_lazy("Aceptar"),
    Verb.REFUSE: gettext_lazy("Rechazar el pedido"),
    Verb.SHIP: gettext_lazy("Enviar"),
    Verb.FULFIL: gettext_lazy("Confirmar al cliente"),
    Verb.READY: gettext_lazy("Listo para recoger"),
    Verb.RETRY: gettext_lazy("Enviar otra vez"),
    Verb.RETURN_TO_SENDER: gettext_lazy("Ha vuelto a la tienda"),
    Verb.REDIRECT: gettext_lazy("Redirigir a otro pedido"),
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
    Verb.RETRY: "reintentar",
}
"""The acts that ask something first, by the word that opens them in an address."""

PAGES = {Verb.REDIRECT: "order_redirect"}
"""The acts that have a page of their own, by its name."""

ASK = "pedir"
"""The word that opens the form in which an act is asked for; `que` names the act."""

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

    `why_not` disables it and says who may; with `asks` the button asks them for it (ROL-05).
    """

    verb: str
    text: str
    why_not: str = ""
    href: str = ""
    action: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    asks: bool = False

    @property
    def code(self) -> str:
        """What tells the act from the others of its page."""
        return "_".join((self.verb, *(value for _name, value in self.fields)))


@dataclass(frozen=True, slots=True)
class Acts:
    """The act that comes next, where there is one, and all the others."""

    next: Act | None
    more: list[Act]

    def may_ask(self, verb: str, kind: str = "") -> bool:
        """Whether this act can be asked for, about this hold where it is about one."""
        return any(
            act.verb == verb and act.asks and dict(act.fields).get("kind", "") == kind
            for act in (self.next, *self.more)
            if act
        )

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
    requests: Sequence[Request] = (),
    *,
    has_suppliers: bool = False,
    by: Actor,
    at: datetime,
) -> Acts:
    """Every act that exists for people in this state, in the order of use; `lines` are those that the person sees.

    A supplier is offered what the policy gives to suppliers, and no more (ROL-04). What one may not do oneself is asked
    for by the same button, unless it is among the `requests` that wait for an answer (ROL-05).
    """
    waits = {request.verb for request in requests if request.state == Asking.OPEN}
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
    found = {verb: _act(order, verb, lines, waits, by=by, at=at) for verb in verbs}
    releases = _releases(order, holds, waits, by)
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
    if order.state == State.SHIPPED and by.role != Role.SUPPLIER:
        more.append(Act(Verb.CANCEL, str(TEXTS[Verb.CANCEL]), in_transit()))
    if order.state not in FINAL and by.role != Role.SUPPLIER:
        why_not = "" if by.may(Right.WORK_ORDERS) else _not_allowed((Role.SELLER, Role.OPERATOR), by)
        more.append(
            Act(Verb.HOLD, str(TEXTS[Verb.HOLD]), why_not, href=order_url(order, acto=PANELS[Verb.HOLD]))
        )
    refundable = services.judge_refund(order, by=by, at=max(at, order.moved_at))
    if by.role != Role.SUPPLIER and refundable in (None, Code.NOT_ALLOWED):
        why_not = "" if refundable is None else _who_may(who_has(Right.REFUND))
        more.append(
            Act(Verb.REFUND, _("Reembolso"), why_not, reverse("order_refund", args=[order.reference]))
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


def _act(
    order: Order, verb: Verb, lines: Sequence[Line], waits: Collection[str], *, by: Actor, at: datetime
) -> Act:
    text = str(TEXTS[verb])
    if verb == Verb.SHIP and order.parcels:
        text = _("Enviar otro bulto")
    code = _judged(order, verb, by=by, at=at)
    if code is not None:
        return _barred(order, verb, text, code, lines, waits, by=by, at=at)
    if verb in PANELS:
        return Act(verb, text, href=order_url(order, acto=PANELS[verb]))
    if verb in PAGES:
        return Act(verb, text, href=reverse(PAGES[verb], args=[order.reference]))
    if verb == Verb.SHIP:
        return Act(verb, text, href=order_url(order, tab="envio") + "#enviar")
    if verb == Verb.FULFIL:
        return Act(verb, text, href=order_url(order) + "#confirmar")
    if verb == Verb.DELIVER:
        return Act(verb, text)
    fields = (("all", "1"),) if verb == Verb.ACCEPT else ()
    return Act(verb, text, action=reverse(f"order_{verb}", args=[order.reference]), fields=fields)


def _barred(
    order: Order,
    verb: Verb,
    text: str,
    code: Code,
    lines: Sequence[Line],
    waits: Collection[str],
    *,
    by: Actor,
    at: datetime,
) -> Act:
    """An act that one may not do: why, and where somebody else may, the button that asks them."""
    if verb in waits:
        return Act(verb, text, _("Está pedido: falta la respuesta."))
    asked = services.asked_of(order, verb, by=by, at=at)
    if asked is not None:
        return Act(
            verb,
            _("Pedir: %(act)s") % {"act": text},
            _asked_words(asked, lines, by),
            href=order_url(order, acto=ASK, que=verb),
            asks=True,
        )
    why_not = str(code.label)
    if code == Code.NOT_ALLOWED:
        roles = offered(order).get(Verb.SHIP if verb == Verb.SHORTEN else verb, ())
        why_not = _not_allowed(roles, by)
        if Role.SUPPLIER in roles and served_by_others(order) and Role.SELLER not in roles:
            why_not = _theirs(order)
    return Act(verb, text, why_not)


def _asked_words(asked: Role, lines: Sequence[Line], by: Actor) -> str:
    """Who is asked, and that they decide."""
    if asked == Role.SELLER and by.role == Role.SELLER:
        who = ", ".join(who_has(Right.WORK_ORDERS))
    elif asked == Role.SUPPLIER:
        who = ", ".join(dict.fromkeys(str(line.supplier) for line in lines if line.supplier))
    else:
        who = str(ROLE_LABELS[asked])
    return _("Lo decide: %(who)s.") % {"who": who}


def _theirs(order: Order) -> str:
    """That it is up to whoever fulfils the order; only the operator's, where several do (CAN-03)."""
    if order.shared:
        return f"{Code.NOT_ALLOWED.label} {_('Lo sirven varios: solo puede hacerlo el operador.')}"
    return str(Code.NOT_ALLOWED.label)


def in_transit() -> str:
    """Why nothing can be called back or sent elsewhere while a parcel travels (EXC-01, CAN-04)."""
    return _(
        "Está en camino: nadie puede cancelarlo ni cambiar a dónde va. Si el transportista avisa de que no puede "
        "entregarlo, podrás corregir la dirección, recogerlo de vuelta o redirigirlo."
    )


def _something_may_be_missing(order: Order, lines: Sequence[Line]) -> bool:
    """Whether something would be left of the order without a unit of it; a single unit is cancelled instead."""
    units = sum(line.to_ship for line in lines)
    accepted = [line for line in lines if line.decision == Decision.ACCEPTED]
    return units > 1 or (units == 1 and (order.parcels > 0 or len(accepted) > 1))


def _judged(order: Order, verb: Verb, *, by: Actor, at: datetime) -> Code | None:
    if verb == Verb.SHORTEN:
        return services.may_shorten(order, by=by, at=at)
    return services.judge(order, verb, by=by, at=at)


def _releases(order: Order, holds: Sequence[Hold], waits: Collection[str], by: Actor) -> list[Act]:
    """One act a hold; those of the operator and the platform are theirs to lift, and can be asked for."""
    if by.role == Role.SUPPLIER:
        return []
    acts = []
    for hold in holds:
        text = _("Quitar la espera") if len(holds) == 1 else _("Quitar «%(kind)s»") % {"kind": hold}
        fields = (("kind", hold.kind),)
        own = hold.kind in SELLER_HOLDS
        if own and by.may(Right.WORK_ORDERS):
            action = reverse("order_release", args=[order.reference])
            acts.append(Act(Verb.RELEASE, text, action=action, fields=fields))
        elif Verb.RELEASE in waits:
            acts.append(Act(Verb.RELEASE, text, _("Está pedido: falta la respuesta."), fields=fields))
        else:
            why = _asked_words(Role.SELLER if own else Role.OPERATOR, (), by)
            href = order_url(order, acto=ASK, que=Verb.RELEASE, kind=hold.kind)
            text = _("Pedir: %(act)s") % {"act": text}
            acts.append(Act(Verb.RELEASE, text, why, href=href, fields=fields, asks=True))
    return acts


def _not_allowed(roles: Sequence[str], by: Actor) -> str:
    """That this person may not, and who may: the shop's own roles by name, then the others (ROL-05)."""
    who = [str(ROLE_LABELS[Role(role)]) for role in roles if role not in (Role.SELLER, Role.SUPPLIER)]
    if {Role.SELLER, Role.SUPPLIER} & set(roles) and not by.may(Right.WORK_ORDERS):
        who = [*who_has(Right.WORK_ORDERS), *who]
    return _who_may(who)


def _who_may(who: Sequence[str]) -> str:
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
