"""What an act on many orders would do to each, said before it is done: judged as it will be, and nothing written."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketplace.refusals import Code
from marketplace.rooms import money
from orders import services
from orders.models import Order
from orders.states import State, Verb
from sellers.desk import Actor


@dataclass(frozen=True, slots=True)
class Foreseen:
    """An order, and why the act would be refused on it; None when it would be done."""

    order: Order
    code: Code | None

    @property
    def moves_cents(self) -> int:
        return self.order.charged_cents - self.order.refunded_cents


def foresee(orders: Iterable[Order], verb: Verb, *, by: Actor, at: datetime) -> list[Foreseen]:
    """Judge each order as the act itself will; what the form still has to say is judged when it is done."""
    return [Foreseen(order, _why_not(order, verb, by=by, at=at)) for order in orders]


def _why_not(order: Order, verb: Verb, *, by: Actor, at: datetime) -> Code | None:
    if verb not in (Verb.HOLD, Verb.RELEASE):
        return services.judge(order, verb, by=by, at=at)
    code = services.judge_hold(order, verb, by=by, at=at)
    if code is None and verb == Verb.RELEASE and not order.held_at:
        return Code.NO_SUCH_HOLD
    return code


def why_words(order: Order, code: Code) -> str:
    """Why an order is left as it is; where its state is the reason, which that is."""
    if code == Code.WRONG_STATE:
        return _("está en «%(state)s»") % {"state": State(order.state).label}
    return str(code.label).rstrip(".")


def done_words(one: Foreseen, verb: Verb) -> str:
    """What the act will do to an order that it may be done to."""
    order = one.order
    if verb in (Verb.CANCEL, Verb.RETURN_TO_SENDER):
        done = _("se cancela") if verb == Verb.CANCEL else _("ha vuelto a la tienda")
        if one.moves_cents:
            back = _("se devuelven %(amount)s") % {"amount": money(one.moves_cents, order.currency)}
        elif order.state == State.DEBIT:
            back = _("si el cobro llega, se devuelve")
        else:
            back = _("no hay nada que devolver")
        return "; ".join([done, back, *_overridden(order, verb)])
    if verb == Verb.ACCEPT:
        amount = money(order.total_cents, order.currency)
        if order.cash_on_delivery:
            paid = _("lo cobra el mensajero: %(amount)s")
        elif order.held_at is not None:
            paid = _("está en espera: no se cobran %(amount)s hasta que se levante")
        else:
            paid = _("se cobrarán %(amount)s")
        return f"{_('se acepta entero')}; {paid % {'amount': amount}}"
    if verb == Verb.CONFIRM_PAYMENT:
        return _("se da por pagado: %(amount)s") % {"amount": money(order.total_cents, order.currency)}
    return {
        Verb.REFUSE: _("se rechaza; no se cobra nada"),
        Verb.READY: _("listo para recoger"),
        Verb.DELIVER: _("se da por entregado"),
        Verb.REPORT_EXCEPTION: _("entrega fallida"),
        Verb.RETRY: _("sale otra vez"),
        Verb.HOLD: _("queda en espera"),
        Verb.RELEASE: _("se levanta la espera de la clase que elijas"),
    }[verb]


def _overridden(order: Order, verb: Verb) -> list[str]:
    """What would stop anybody but an operator from cancelling."""
    if verb != Verb.CANCEL:
        return []
    stops = [
        (order.parcels, _("ojo: ya hay un bulto en camino")),
        (order.confirmed_at, _("ojo: ya se ha confirmado algo al cliente")),
    ]
    return [words for stop, words in stops if stop]


def _is_charged_now(order: Order) -> bool:
    return not order.cash_on_delivery and order.held_at is None


def summary(foreseen: Sequence[Foreseen], verb: Verb) -> list[str]:
    """What will become of them all, in a sentence for those that go and one for each reason that holds others back."""
    going = [one for one in foreseen if one.code is None]
    said = []
    if going:
        n = len(going)
        words = ngettext("Se hará en %(n)s pedido.", "Se hará en %(n)s pedidos.", n) % {"n": n}
        said.append(f"{words} {_amounts(going, verb)}".strip())
        overridden = sum(1 for one in going if _overridden(one.order, verb))
        if overridden:
            words = ngettext(
                "Ojo: %(n)s ya tiene algo en camino o confirmado al cliente.",
                "Ojo: %(n)s ya tienen algo en camino o confirmado al cliente.",
                overridden,
            )
            said.append(words % {"n": overridden})
    why = Counter(why_words(one.order, one.code) for one in foreseen if one.code is not None)
    said += [
        ngettext("%(n)s no: %(why)s.", "%(n)s no: %(why)s.", n) % {"n": n, "why": words}
        for words, n in why.most_common()
    ]
    return said


def _amounts(going: Sequence[Foreseen], verb: Verb) -> str:
    """The money that the act moves, by currency: what goes back, is asked for, or is taken as paid."""
    sums: Counter[str] = Counter()
    for one in going:
        if verb in (Verb.CANCEL, Verb.RETURN_TO_SENDER):
            sums[one.order.currency] += one.moves_cents
        elif verb == Verb.CONFIRM_PAYMENT or (verb == Verb.ACCEPT and _is_charged_now(one.order)):
            sums[one.order.currency] += one.order.total_cents
    amounts = " + ".join(money(cents, currency) for currency, cents in sorted(sums.items()) if cents)
    if not amounts:
        return ""
    words = {
        Verb.ACCEPT: _("Se cobrarán %(amount)s."),
        Verb.CONFIRM_PAYMENT: _("Se dan por pagados %(amount)s."),
    }.get(verb, _("Se devolverán %(amount)s."))
    return words % {"amount": amounts}
