"""Where an order stands, told to its customer: what it is now, what comes next and by when, what has been (ROL-03).

The words are the customer's: what a shop calls a state, and what it keeps to itself, is not here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from customer.happened import Happened
from marketplace.moments import when
from marketplace.money import format_money
from marketplace.policy import StartsWith
from orders.models import Order
from orders.states import State, Verb


@dataclass(frozen=True, slots=True)
class Next:
    """A step that is still to come, and until when, in words; empty where nobody has said."""

    text: str
    until: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """What the page says first. tone: act (it is the customer's turn) | wait | done | bad."""

    tone: str
    title: str
    says: list[str]
    to_come: list[Next]


_TONES = {
    State.PENDING_PAYMENT: "act",
    State.EXCEPTION: "bad",
    State.DELIVERED: "done",
    State.RECEIVED: "done",
    State.CLOSED: "done",
    State.REFUSED: "bad",
    State.CANCELLED: "bad",
    State.FAILED: "bad",
    State.RETURNED: "bad",
}
_PREPARING = (State.AWAITING_SHIPMENT, State.AWAITING_PICKUP)


def story_of(order: Order, happened: Sequence[Happened], now: datetime) -> Story:
    """Tell the order as it stands; `happened` is what its customer is told of its history."""
    teller = _Teller(order, now, happened)
    return Story(
        _TONES.get(State(order.state), "wait"), teller.title(), list(teller.says()), list(teller.to_come())
    )


class _Teller:
    def __init__(self, order: Order, now: datetime, happened: Sequence[Happened]) -> None:
        self.order, self.now, self.happened = order, now, happened
        zone = order.channel.calendar.zone
        self.when = partial(when, zone=zone, now=now, ends=True)
        self.words = {
            "shop": order.shop.name,
            "amount": format_money(order.total_cents, order.currency),
        }

    def title(self) -> str:
        order = self.order
        if order.state in _PREPARING:
            return self._preparing()
        if order.state in (State.RECEIVED, State.CLOSED) and order.delivered_at is None and order.ships:
            return _("Completado")
        titles = {
            State.PENDING_PAYMENT: _("Falta pagarlo"),
            State.PENDING_ACCEPTANCE: _("Esperando a la tienda"),
            State.DEBIT: _("Confirmado"),
            State.SHIPPED: pgettext("order", "En camino"),
            State.EXCEPTION: _("No se ha podido entregar"),
            State.DELIVERED: _("Entregado") if order.ships else _("Listo"),
            State.RECEIVED: _("Entregado") if order.ships else _("Listo"),
            State.CLOSED: _("Entregado") if order.ships else _("Listo"),
            State.REFUSED: _("La tienda no puede servirlo"),
            State.CANCELLED: _("Cancelado"),
            State.FAILED: _("No se ha podido cobrar"),
            State.RETURNED: _("No llegará") if self._last() == Verb.REDIRECT else _("Ha vuelto a la tienda"),
        }
        return titles[State(order.state)]

    def _last(self) -> str:
        """What the order ended with."""
        return next((one.verb for one in reversed(self.happened) if one.ends), "")

    def _preparing(self) -> str:
        if self.order.parcels:
            return _("Parte va de camino")
        if self.order.state == State.AWAITING_PICKUP:
            return _("Listo para salir")
        return _("La tienda lo prepara") if self.order.ships else _("La tienda te lo confirma")

    def says(self) -> Iterator[str]:
        told = {
            State.PENDING_PAYMENT: self._to_pay,
            State.PENDING_ACCEPTANCE: self._to_accept,
            State.DEBIT: self._in_debit,
            State.AWAITING_SHIPMENT: self._to_ship,
            State.AWAITING_PICKUP: self._to_ship,
            State.SHIPPED: self._on_its_way,
            State.EXCEPTION: self._not_delivered,
            State.DELIVERED: self._delivered,
            State.RECEIVED: self._delivered,
            State.CLOSED: self._delivered,
        }.get(State(self.order.state), self._ended)
        yield from told()

    def _to_pay(self) -> Iterator[str]:
        if self.order.pay_by:
            words = {**self.words, "deadline": self._until(self.order.pay_by)}
            yield _("Tienes hasta %(deadline)s para pagar %(amount)s donde hiciste la compra.") % words
            yield _("Si no se paga a tiempo, se cancela solo.")

    def _to_accept(self) -> Iterator[str]:
        if self.order.accept_by:
            words = {**self.words, "deadline": self._until(self.order.accept_by)}
            yield _("%(shop)s tiene hasta %(deadline)s para confirmarlo.") % words
        if self.order.cash_on_delivery:
            yield _("Lo pagas al recibirlo: %(amount)s.") % self.words
        else:
            yield _("Hasta entonces no se te cobra nada. Si no responde a tiempo, se cancela solo.")

    def _in_debit(self) -> Iterator[str]:
        if self.order.held_at:
            yield _("Antes de cobrarlo se está comprobando. Te escribiremos cuando siga adelante.")
        else:
            yield (
                _("Se están cobrando %(amount)s en tu medio de pago. Suele ser cosa de un momento.")
                % self.words
            )

    def _to_ship(self) -> Iterator[str]:
        order = self.order
        if order.held_at:
            yield _("Ahora mismo está en espera. Te escribiremos cuando siga adelante.")
        elif order.ship_by and self.now > order.ship_by:
            words = {**self.words, "deadline": self.when(order.ship_by)}
            if order.ships:
                yield _("Debía salir, como muy tarde, %(deadline)s: va con retraso.") % words
            else:
                yield _("Debía confirmártelo, como muy tarde, %(deadline)s: va con retraso.") % words
            yield _("Puedes preguntar a %(shop)s.") % words
        elif order.ship_by:
            words = {**self.words, "deadline": self.when(order.ship_by)}
            if not order.ships:
                yield _("%(shop)s te confirma lo que falta, como muy tarde, %(deadline)s.") % words
            elif order.parcels:
                yield _("Lo que falta sale, como muy tarde, %(deadline)s.") % words
            else:
                yield _("Sale, como muy tarde, %(deadline)s.") % words
        yield from self._cash()

    def _cash(self) -> Iterator[str]:
        if self.order.cash_on_delivery and not self.order.charged_cents:
            yield _("Lo pagas al recibirlo: %(amount)s.") % self.words

    def _on_its_way(self) -> Iterator[str]:
        order = self.order
        if order.deliver_by and self.now > order.deliver_by:
            words = {**self.words, "deadline": self.when(order.deliver_by)}
            yield _("Debía llegarte, como muy tarde, %(deadline)s: va con retraso.") % words
            yield _("Puedes preguntar a %(shop)s.") % words
        elif order.deliver_by:
            yield _("Te llega, como muy tarde, %(deadline)s.") % {"deadline": self.when(order.deliver_by)}
        yield from self._cash()

    def _not_delivered(self) -> Iterator[str]:
        failed = next((one for one in reversed(self.happened) if one.verb == Verb.REPORT_EXCEPTION), None)
        if failed and failed.note:
            yield _("El transportista dice: %(reason)s.") % {"reason": failed.note.rstrip(".")}
        yield _(
            "%(shop)s decide si se intenta otra vez o si vuelve a la tienda. Te escribiremos con lo que sea."
        ) % (self.words)

    def _delivered(self) -> Iterator[str]:
        if self.order.delivered_at and self.order.ships:
            yield _("Te llegó %(moment)s.") % {"moment": self._at(self.order.delivered_at)}
        if self.order.to_confirm:
            yield _("Queda algo por confirmar: te escribiremos en cuanto lo esté.")

    def _ended(self) -> Iterator[str]:
        order = self.order
        last = next((one for one in reversed(self.happened) if one.ends), None)
        if last and last.note:
            yield last.note if last.note.endswith(".") else f"{last.note}."
        if order.refunded_cents:
            amount = format_money(order.refunded_cents, order.currency)
            yield _("Se te devuelven %(amount)s en el mismo medio de pago.") % {"amount": amount}
        elif not order.charged_cents:
            yield _("No se te ha cobrado nada y no tienes que hacer nada más.")

    def to_come(self) -> Iterator[Next]:
        """The steps ahead, in their order; of an order that has ended or arrived there are none."""
        order, state = self.order, State(self.order.state)
        if state == State.PENDING_PAYMENT:
            yield Next(_("Se paga"), self._by(order.pay_by))
        if state == State.PENDING_ACCEPTANCE:
            yield Next(_("La tienda lo confirma"), self._by(order.accept_by))
        waits = state in (State.PENDING_PAYMENT, State.PENDING_ACCEPTANCE, State.DEBIT)
        charged_later = order.policy.rules.starts_with == StartsWith.ACCEPTANCE and not order.cash_on_delivery
        if waits and state != State.PENDING_PAYMENT and charged_later:
            yield Next(_("Se cobra"))
        if not order.ships and (waits or state in _PREPARING) and order.unconfirmed:
            yield Next(_("Te llega por correo lo que has comprado"), self._by(order.ship_by))
        if order.ships and (waits or state in _PREPARING):
            text = _("Sale lo que falta") if order.parcels else _("Sale de la tienda")
            yield Next(text, self._by(order.ship_by))
        if order.ships and (waits or state in (*_PREPARING, State.SHIPPED, State.EXCEPTION)):
            pays = order.cash_on_delivery and not order.charged_cents
            text = _("Te llega y lo pagas al mensajero") if pays else _("Te llega")
            yield Next(text, self._by(order.deliver_by))

    def _by(self, deadline: datetime | None) -> str:
        return self.when(deadline) if deadline and deadline >= self.now else ""

    def _until(self, deadline: datetime) -> str:
        return self.when(deadline, since=True)

    def _at(self, moment: datetime) -> str:
        return self.when(moment, ends=False)
