"""Every mail on made-up facts, through the code that writes the real ones: each row of the table of notices (NOT-01).

A sample of a move is a `Moved` put into a payload by `messaging.services`, so that a template that asks for what no
payload has breaks here too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from dashboard.mail_cases import LONG, Case
from dashboard.mail_returns import RETURN_CASES
from marketplace.models import Channel
from marketplace.policy import Role
from messaging.models import Audience, Notice
from messaging.notice_table import TABLE
from messaging.services import payload_of
from messaging.suppliers import supplier_payload
from orders.signals import Moved
from orders.states import State, Verb
from sellers.desk import PLATFORM, Actor
from sellers.queries import Contact

SHOP = Contact(0, "Cerámicas Alba", "pedidos@alba.example", "es")
CUSTOMER, SHOPS, OPERATOR = "ana@cliente.example", SHOP.contact_email, "operador@trastienda.example"
SUPPLIER = "taller@norte.example"
_ADDRESSES = {
    Audience.CUSTOMER: CUSTOMER,
    Audience.SELLER: SHOPS,
    Audience.OPERATOR: OPERATOR,
    Audience.SUPPLIER: SUPPLIER,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A mail to look at: its event and audience, how it came about, and the notice, which is in no table."""

    name: str
    event: str
    audience: Audience
    what: object
    notice: Notice


_PARCEL = {
    "parcel": 1, "carrier": "SEUR", "tracking": "SE123456789", "tracking_url": "https://www.seur.com/livetracking/?n=1"
}  # fmt: skip
_REASON = {"reason": {"code": "out-of-stock", "note": "se rompió el último"}}
_SHORT = {"refused": [{"line": "2", "title": "Plato hondo", "units": 2, **_REASON}]}
_PAID = {"charged_cents": 8400}
_ALL_BACK = {**_PAID, "refunded_cents": 8400}
_CASH = {"cash_on_delivery": True}
_COVER = {
    "reference": "P-20977-A", "shop": "Cerámicas Alba", "currency": "EUR", "amount_cents": 8400, "cost_cents": 7180,
    "covered_cents": 4680,
}  # fmt: skip
_REFUND = {
    "amount_cents": 2000, "number": 1, "total": False, "refund": 1, "reason": {"code": "damaged"},
    "commission_cents": 240, "commission_vat_cents": 50, "covered_cents": 0, "received": True,
}  # fmt: skip

_MADE_OUT_TO = ["Ana Soler, S. L.", "B58378431", "Calle Mayor 14, 50001 Zaragoza"]
_NO_PARCEL = {"ships": False}
_PATTERN = {
    "title": "Patrón de falda",
    "quantity": 1,
    "kind": "download",
    "access": "https://tienda.example/p/7f3a",
}
_TICKET = {
    "title": "Taller de torno",
    "quantity": 2,
    "kind": "ticket",
    "access": "Calle Mayor 14, sábado a las 10",
}

_INCIDENT = {
    "incident": "P-20977-A/1", "number": 1, "thread": 1, "answer_by": "2026-12-01T18:00:00+01:00",
    "close_due_at": "2026-12-04T12:00:00+01:00",
}  # fmt: skip
_BROKEN = {
    "reason": {"code": "damaged"}, "lines": [{"line": "1", "title": "Jarrón azul"}],
    "text": ["El jarrón ha llegado roto por el asa.", "¿Me mandáis otro?"],
}  # fmt: skip
_SOLVED = {"reason": {"code": "replaced"}, "text": ["Le llegó otro ayer; nos lo ha confirmado por teléfono."]}

CASES: dict[str, tuple[Case, ...]] = {
    Verb.PLACE: (
        Case(),
        Case(_("se paga antes"), move={"accept_by": None, "after": State.PENDING_PAYMENT}),
        Case(_("contra reembolso"), move=_CASH),
        Case(_("contra reembolso, sin aceptar"), move={**_CASH, "accept_by": None, "after": State.AWAITING_SHIPMENT}),
        Case(_("nombres largos"), move={"items": LONG, "customer_name": "María de los Ángeles " * 3}),
    ),
    Verb.CONFIRM_PAYMENT: (Case(),),
    Verb.LAPSE: (Case(),),
    Verb.ACCEPT: (
        Case(by=Role.SELLER, data={"refused": []}),
        Case(
            _("en parte"), Role.SELLER, {"total_cents": 7000},
            {"refused": [{"line": "2", "title": "Plato hondo", **_REASON}]},
        ),
        Case(_("contra reembolso"), Role.SELLER, {**_CASH, "after": State.AWAITING_SHIPMENT}, {"refused": []}),
    ),
    Verb.REFUSE: (Case(by=Role.SELLER, data=_REASON),),
    Verb.EXPIRE: (Case(),),
    Verb.CANCEL: (
        Case(_("por la tienda, cobrado"), Role.SELLER, _ALL_BACK, _REASON),
        Case(_("por el cliente"), Role.CUSTOMER, {"before": State.PENDING_ACCEPTANCE}, {"reason": "ya no lo quiere"}),
        Case(_("durante el cobro"), Role.OPERATOR, {"before": State.DEBIT}, _REASON),
    ),
    Verb.DEBIT_SUCCEEDED: (Case(), Case(_("en espera"), move={"held": True})),
    Verb.DEBIT_FAILED: (Case(data={"reason": "card declined"}),),
    Verb.SHORTEN: (
        Case(by=Role.SELLER, data=_SHORT, move=_ALL_BACK), Case(_("contra reembolso"), Role.SELLER, _CASH, _SHORT),
    ),
    Verb.HAND_OVER: (Case(by=Role.SELLER, data=_PARCEL),),
    Verb.SHIP: (
        Case(by=Role.SELLER, data=_PARCEL),
        Case(_("último bulto, sin enlace"), Role.SELLER, data={**_PARCEL, "parcel": 2, "tracking_url": ""}),
    ),
    Verb.REPORT_EXCEPTION: (Case(by=Role.OPERATOR, data={"reason": {"code": "absent", "note": ""}}),),
    Verb.RETRY: (
        Case(by=Role.SELLER),
        Case(_("con los datos corregidos"), Role.SELLER, data={"corrected": {
            "postal_code": ["50001", "50003"], "courier_note": ["", "Llamar"], "customer_phone": ["", "600111222"],
        }}),
    ),
    Verb.RETURN_TO_SENDER: (
        Case(by=Role.SELLER, move=_ALL_BACK), Case(_("sin cobrar"), move=_CASH),
    ),
    Verb.REDIRECT: (
        Case(by=Role.SELLER, move=_ALL_BACK, data={"to_order": "P-20978-A"}), Case(_("contra reembolso"), move=_CASH),
    ),
    Verb.DELIVER: (Case(by=Role.OPERATOR), Case(_("contra reembolso"), move=_CASH)),
    Verb.HOLD: (
        Case(by=Role.OPERATOR, data={"kind": "operator", "note": "comprobamos el pago", "until": None}),
        Case(_("preventa"), Role.OPERATOR, data={"kind": "presale", "note": "", "until": "2026-12-01T00:00:00+01:00"}),
    ),
    Verb.RELEASE: (
        Case(by=Role.OPERATOR, move={"after": State.AWAITING_SHIPMENT}, data={"kind": "operator", "note": "resuelto"}),
        Case(_("queda otra"), Role.OPERATOR, {"held": True}, {"kind": "stock"}),
    ),
    Verb.FULFIL: (
        Case(data={"confirmed": [_PATTERN]}, move={**_NO_PARCEL, "after": State.DELIVERED}),
        Case(_("una entrada"), Role.SELLER, {**_NO_PARCEL, "after": State.DELIVERED}, {"confirmed": [_TICKET]}),
    ),
    Verb.CONFIRM: (Case(data={"confirmed": [_PATTERN]}, move={"to_confirm": 1, "after": State.AWAITING_SHIPMENT}),),
    Verb.INVOICE_ASKED: (
        Case(by=Role.CUSTOMER, move=_PAID, data={"invoice_to": _MADE_OUT_TO, "owed": True}),
        Case(_("sin cobrar"), Role.CUSTOMER, data={"invoice_to": _MADE_OUT_TO, "owed": False}),
    ),
    Verb.INCIDENT_OPENED: (
        Case(_("del cliente"), Role.CUSTOMER, data={**_INCIDENT, **_BROKEN}),
        Case(_("del operador, sin texto"), Role.OPERATOR, data={**_INCIDENT, **_BROKEN, "text": []}),
    ),
    Verb.INCIDENT_RESOLVED: (
        Case(_("con un mensaje"), Role.SELLER, data={**_INCIDENT, **_SOLVED}),
        Case(_("sin mensaje"), Role.SELLER, data={**_INCIDENT, **_SOLVED, "text": []}),
    ),
    Verb.INCIDENT_SENT_BACK: (
        Case("", Role.OPERATOR, data={**_INCIDENT, "reason": "Ana dice que no le ha llegado nada."}),
    ),
    Verb.INCIDENT_CLOSED: (
        Case(_("por el operador"), Role.OPERATOR, data={**_INCIDENT, "how": "operator", "stands": False}),
        Case(_("queda otra"), Role.OPERATOR, data={**_INCIDENT, "how": "operator", "stands": True}),
        Case(_("por el silencio"), data={**_INCIDENT, "how": "silence", "stands": False}),
        Case(_("por la devolución"), Role.SELLER, _ALL_BACK, {**_INCIDENT, "how": "refund", "stands": False}),
    ),
    Verb.LATE_CHARGE: (Case(move=_PAID, data=_PAID),),
    **RETURN_CASES,
    Verb.REFUND: (
        Case(_("de todo lo que queda"), Role.SELLER, _ALL_BACK, _REFUND | {"amount_cents": 8400, "total": True}),
        Case(_("de una parte"), Role.SELLER, _PAID | {"refunded_cents": 2000}, _REFUND),
    ),
    Verb.PAID_BACK: (Case(move=_ALL_BACK, data={"amount_cents": 8400}),),
}  # fmt: skip
"""How each move that is told can come about."""

_SAID = {
    "thread": 1, "message": 1, "reference": "P-20977-A", "customer": "Ana Soler", "shop": SHOP.name,
    "supplier": "", "supplier_id": None, "files": [],
    "subject": "El jarrón azul", "from_customer": False, "answer_by": None,
    "text": ["Buenos días:", "¿Sabéis cuándo llega el jarrón? El sábado no estaré en casa.", "Gracias, Ana"],
}  # fmt: skip
_BOUGHT = {"reference": "P-20977-A", "shop": SHOP.name, "customer": "Ana Soler", "items": "Jarrón azul ×2",
    "total_cents": 8400, "currency": "EUR"}  # fmt: skip
_WISH = {"shop": SHOP.name, "name": "Portes Norte", "website": "https://portes.example", "order": "P-20977-A"}
_ASK = {"reference": "P-20977-A", "shop": SHOP.name, "amount_cents": 8400, "currency": "EUR"}


def _others(at: datetime) -> dict[str, tuple[tuple[object, dict[str, Any]], ...]]:
    """The payloads of what is told and is no move."""
    orders = [{"reference": f"P-20977-{letter}", "shop": SHOP.name} for letter in "AB"]
    closed = {"shop": SHOP.name, "closes_at": at.isoformat(), "orders": 12, "currency": "EUR"}
    return {
        "message": (
            (_("del cliente"), {**_SAID, "role": "customer", "author": "Ana Soler", "at": at.isoformat(),
                "answer_by": (at + timedelta(days=1)).isoformat()}),
            (_("del proveedor"), {**_SAID, "role": "supplier", "author": "Nuria Norte", "supplier": "Talleres Norte",
                "supplier_id": 1, "at": at.isoformat()}),
            (_("de la tienda"), {**_SAID, "role": "seller", "author": "Lucía Alba", "at": at.isoformat()}),
            (_("de la tienda, con la factura"), {**_SAID, "role": "seller", "author": "Lucía Alba", "invoice": True,
                "subject": "Tu factura", "text": ["Va con el IVA desglosado."],
                "files": ["factura.pdf"], "at": at.isoformat()}),
            (_("de la tienda, por correo"), {**_SAID, "role": "seller", "author": "Lucía Alba", "misdirected": True,
                "at": at.isoformat()}),
            (_("del operador"), {**_SAID, "role": "operator", "author": "Olga", "subject": "", "at": at.isoformat()}),
        ),
        "review_asked": (("", {**_BOUGHT, "at": at.isoformat()}),),
        "review_reminder": (("", {**_BOUGHT, "author": "Lucía Alba", "text": _SAID["text"], "at": at.isoformat()}),),
        "review_written": (
            ("", {**_BOUGHT, "author": "Ana Soler", "stars": 5, "text": ["Precioso."], "at": at.isoformat()}),
            (_("sin palabras"), {**_BOUGHT, "author": "Ana Soler", "stars": 1, "text": [], "at": at.isoformat()}),
        ),
        "astray": (
            (_("sobre un pedido"), {**_SAID, "can_send_on": True, "at": at.isoformat()}),
            (_("sobre ningún pedido"), {**_SAID, "reference": "", "can_send_on": False, "at": at.isoformat()}),
        ),
        "new_link": (("", {**_SAID, "at": at.isoformat()}),),
        "debit_stuck": (("", {**_ASK, "since": (at - timedelta(hours=2)).isoformat()}),),
        "payback_refused": (("", {**_ASK, "message": "card gone"}),),
        "cover_asked": (("", {**_COVER, "by": "Lucía"}),),
        "cover_granted": (("", _COVER),),
        "cover_declined": (("", {**_COVER, "answer": "Ahora no puede ser"}),),
        "mismatch": (
            ("", {"commercial_id": "P-20977", "orders": orders, "currency": "EUR", "paid_cents": 8300,
                  "total_cents": 8400, "accept_by": (at + timedelta(days=3)).isoformat()}),
        ),
        "invariant_broken": (
            ("", {"code": "held_mirrors", "says": "held_at is set while a hold stands.", "rows": ["P-20977-A"]}),
        ),
        "prepare": (
            ("", _to_supplier(_moved(Verb.ACCEPT, Case(), at))),
            (_("en espera"), _to_supplier(_moved(Verb.ACCEPT, Case(move={"held": True}), at))),
            (_("lo que no viaja"), _to_supplier(_moved(Verb.ACCEPT, Case(), at), [], _TO_CONFIRM)),
            (_("de las dos clases"), _to_supplier(_moved(Verb.ACCEPT, Case(), at), confirms=_TO_CONFIRM)),
        ),
        "asked_inside": (
            ("", {**_ASK, "customer": "Ana Soler", "by": "Bruno", "act": {"verb": "cancel", "facts": {}},
                  "reason": {"code": "customer-asks", "note": ""}}),
        ),
        "relieved": (("", _to_supplier(_moved(Verb.ASSIGN, Case(by=Role.SELLER), at))),),
        "carrier_asked": (("", {**_WISH, "by": "Lucía"}),),
        "carrier_granted": (("", {**_WISH, "carrier": "Portes Norte", "note": ""}),),
        "carrier_declined": (("", {**_WISH, "note": "No da seguimiento"}),),
        "statement_closed": (
            ("", {**closed, "payout_cents": 341820, "carried_cents": 0}),
            (_("saldo en contra"), {**closed, "orders": 1, "payout_cents": 0, "carried_cents": -1220}),
        ),
        "payout_failed": (
            ("", {**closed, "statement_id": 1, "amount_cents": 341820, "answer": "AC04"}),
            (_("sin motivo"), {**closed, "statement_id": 1, "amount_cents": 341820, "answer": ""}),
        ),
    }  # fmt: skip


def samples(at: datetime, language: str) -> list[Sample]:
    """A sample of every row of the table in each of its ways, in the order of the table."""
    return list(_samples(at, language))


def sample(name: str, at: datetime, language: str) -> Sample | None:
    """The one of this name, without making the others."""
    return next((one for one in _samples(at, language, name) if one.name == name), None)


def _samples(at: datetime, language: str, like: str = "") -> Iterator[Sample]:
    """All of them, or those of the event and the audience that a name begins with."""
    channel = Channel.objects.order_by("id").first()
    channel_id, others = channel.id if channel else None, _others(at)
    for event, audiences in TABLE.items():
        for audience in audiences:
            if like and not like.startswith(f"{slugify(event)}-{audience}"):
                continue
            told = [(case.what, _payload(Verb(event), case, audience, at)) for case in CASES.get(event, ())]
            for n, (what, payload) in enumerate(told or others[event]):
                name = f"{slugify(event)}-{audience}" + (f"-{n + 1}" if n else "")
                notice = Notice(
                    event=event, audience=audience, email=_ADDRESSES[audience], language=language, created_at=at,
                    payload={**payload, "channel_id": channel_id}, message_id=f"<{name}@example.org>",
                )  # fmt: skip
                yield Sample(name, str(event), audience, what, notice)


def _payload(verb: Verb, case: Case, audience: Audience, at: datetime) -> dict[str, Any]:
    if audience == Audience.SUPPLIER:
        return _to_supplier(_moved(verb, case, at))
    by = PLATFORM if case.by == Role.PLATFORM else Actor(case.by, "Lucía Alba", None)
    return payload_of(_moved(verb, case, at), SHOP, by)


_GOODS = ("Jarrón azul ×2", "Plato hondo ×1")
_TO_CONFIRM = ("Taller de torno ×2", "Visita guiada ×1", "Socio, un año ×1")


def _to_supplier(move: Moved, goods: Sequence[str] = _GOODS, confirms: Sequence[str] = ()) -> dict[str, Any]:
    return supplier_payload(move, goods, confirms, supplier="Talleres Norte", shop=SHOP.name)


def _moved(verb: Verb, case: Case, at: datetime) -> Moved:
    told: dict[str, Any] = {
        "order_id": 1, "shop_id": 1, "channel_id": 0, "policy_id": 1, "reference": "P-20977-A", "currency": "EUR",
        "verb": verb.value, "before": State.PENDING_ACCEPTANCE, "after": State.PENDING_ACCEPTANCE, "at": at,
        "total_cents": 8400, "charged_cents": 0, "refunded_cents": 0, "commission_cents": 1008,
        "commission_vat_cents": 212, "commission_back_cents": 0, "commission_vat_back_cents": 0,
        "held": False, "payment_token": "", "customer_name": "Ana Soler",
        "customer_email": CUSTOMER, "customer_language": "es", "items": "Jarrón azul ×2 · Plato hondo",
        "cash_on_delivery": False, "ships": True, "at_once": 0, "to_confirm": 0, "supplier_id": None, "shared": False,
        "pay_by": at + timedelta(hours=36), "accept_by": at + timedelta(hours=72),
        "ship_by": at + timedelta(hours=48), "deliver_by": at + timedelta(days=6),
        "receive_at": at + timedelta(days=21), "data": case.data,
    }  # fmt: skip
    return Moved(**{**told, **case.move})
