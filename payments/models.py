"""What was asked of a payment provider, once, and what it answered."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField

from marketplace.models import Carrier, Channel, Claimable
from orders.models import Basket, Order
from payments.states import AskMachine, AskState, Heard, Learned, TurnedAway
from sellers.models import Shop


class Ask(AskMachine, Claimable):
    """Something asked of the provider under one idempotency key; drained by the clock.

    `due_at` is null when there is nothing to do: answered, void, or waiting while its order is held.
    """

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    key = models.UUIDField(_("clave"), default=uuid.uuid4, unique=True)
    provider = models.SlugField(_("proveedor"))
    state = FSMField(
        _("estado"), max_length=12, choices=AskState.choices, default=AskState.WAITING, protected=True
    )
    amount_cents = models.BigIntegerField(_("importe"))
    currency = models.CharField(_("moneda"), max_length=3)
    asked_at = models.DateTimeField(_("preguntado"), null=True)
    answered_at = models.DateTimeField(_("respondido"), null=True)
    reference = models.CharField(_("referencia del proveedor"), max_length=120, blank=True, default="")
    message = models.CharField(_("respuesta"), max_length=200, blank=True, default="")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.key)


class Charge(Ask):
    """The charge of one order's accepted total to the customer's card (PAY-01)."""

    order = models.ForeignKey(
        Order, models.PROTECT, related_name="charges", db_index=False, db_constraint=False
    )
    attempt = models.PositiveSmallIntegerField(_("intento"), default=1)
    card = models.CharField(_("tarjeta"), max_length=120, blank=True, default="")
    not_before = models.DateTimeField(_("no antes de"), null=True)
    alert_at = models.DateTimeField(_("se avisa"), null=True)
    alerted_at = models.DateTimeField(_("avisado"), null=True)

    class Meta:
        verbose_name = _("cobro")
        verbose_name_plural = _("cobros")
        constraints = [
            models.UniqueConstraint(fields=["order", "attempt"], name="charge_once_an_attempt"),
            models.UniqueConstraint(
                fields=["order"],
                name="charge_one_open",
                condition=Q(state__in=["waiting", "asked", "succeeded"]),
            ),
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="charge_of_something"),
        ]
        indexes = [
            Claimable.due_index("charge_due"),
            models.Index(fields=["alert_at"], name="charge_to_alert", condition=Q(alert_at__isnull=False)),
            models.Index(
                fields=["alerted_at"],
                name="charge_stuck",
                condition=Q(alerted_at__isnull=False, state__in=["waiting", "asked"]),
            ),
            models.Index(fields=["reference"], name="charge_at_stripe", condition=Q(provider="stripe")),
        ]


class Payback(Ask):
    """Money to return to a customer through the provider that charged it (CAN-05); where a courier was paid, by
    transfer, which an operator makes by hand. Refused, it is asked for anew, or `undone` with the refund that it was
    of.
    """

    order = models.ForeignKey(Order, models.PROTECT, related_name="paybacks", db_constraint=False)
    charge = models.ForeignKey(Charge, models.PROTECT, null=True, related_name="paybacks")
    asked_anew = models.BooleanField(_("pedida de nuevo"), default=False)
    undone = models.BooleanField(_("ya no se debe"), default=False, db_default=False)

    class Meta:
        verbose_name = _("devolución al cliente")
        verbose_name_plural = _("devoluciones al cliente")
        constraints = [models.CheckConstraint(condition=Q(amount_cents__gt=0), name="payback_of_something")]
        indexes = [
            Claimable.due_index("payback_due"),
            models.Index(
                fields=["order"],
                name="payback_refused",
                condition=Q(state="refused", asked_anew=False, undone=False),
            ),
        ]


class Release(Ask):
    """An authorisation that nobody will charge, to be let go so that the customer has the money again (ORD-02)."""

    order = models.ForeignKey(
        Order, models.PROTECT, related_name="releases", db_index=False, db_constraint=False
    )
    card = models.CharField(_("medio de pago"), max_length=120)

    class Meta:
        verbose_name = _("autorización que se suelta")
        verbose_name_plural = _("autorizaciones que se sueltan")
        indexes = [Claimable.due_index("release_due")]


class PaymentReference(models.Model):
    """What the bank or the provider calls a payment made beforehand: it pays one basket and no other (ORD-07)."""

    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", verbose_name=_("canal"))
    reference = models.CharField(_("referencia del pago"), max_length=120)
    basket = models.ForeignKey(Basket, models.PROTECT, related_name="+", verbose_name=_("cesta"))

    class Meta:
        verbose_name = _("referencia de pago")
        verbose_name_plural = _("referencias de pago")
        constraints = [models.UniqueConstraint(fields=["channel", "reference"], name="payment_of_one_basket")]

    def __str__(self) -> str:
        return self.reference


class Inquiry(Claimable):
    """A payment that the storefront or a webhook named: the provider is asked whether it was made (ORD-07).

    `due_at` is null once that is known, or once nobody waits for it any more (`ask_until`).
    """

    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", verbose_name=_("canal"))
    basket = models.ForeignKey(Basket, models.PROTECT, related_name="+", verbose_name=_("cesta"))
    provider = models.SlugField(_("proveedor"))
    reference = models.CharField(_("referencia del pago"), max_length=120)
    ask_until = models.DateTimeField(_("se pregunta hasta"))
    learned = models.CharField(_("qué se supo"), max_length=12, choices=Learned, default=Learned.NOTHING)
    amount_cents = models.BigIntegerField(_("importe"), null=True)
    message = models.CharField(_("respuesta"), max_length=200, blank=True, default="")
    learned_at = models.DateTimeField(_("se supo"), null=True)

    class Meta:
        verbose_name = _("pago por comprobar")
        verbose_name_plural = _("pagos por comprobar")
        constraints = [models.UniqueConstraint(fields=["basket", "reference"], name="inquiry_once")]
        indexes = [
            Claimable.due_index("inquiry_due"),
            models.Index(fields=["channel", "reference"], name="inquiry_by_reference"),
        ]

    def __str__(self) -> str:
        return self.reference


class Remittance(models.Model):
    """Cash that a courier handed over, under a number of its own; it may come in several goes (PAY-06).

    `amount_cents` and `orders_count` are those of its collections, `stated_cents` what the courier says it is.
    """

    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", verbose_name=_("canal"))
    carrier = models.ForeignKey(
        Carrier, models.PROTECT, null=True, related_name="+", verbose_name=_("transportista")
    )
    courier = models.CharField(_("mensajero"), max_length=80)
    courier_key = models.CharField(_("clave del mensajero"), max_length=90)
    reference = models.CharField(_("referencia de la remesa"), max_length=80)
    currency = models.CharField(_("moneda"), max_length=3)
    amount_cents = models.BigIntegerField(_("importe"), default=0)
    orders_count = models.PositiveIntegerField(_("pedidos"), default=0)
    stated_cents = models.BigIntegerField(_("importe según el mensajero"), null=True)
    received_at = models.DateTimeField(_("recibida"))
    recorded_at = models.DateTimeField(_("registrada"))
    recorded_by = models.CharField(_("por"), max_length=150)

    class Meta:
        verbose_name = _("remesa")
        verbose_name_plural = _("remesas")
        constraints = [
            models.UniqueConstraint(fields=["channel", "courier_key", "reference"], name="remittance_once"),
            models.CheckConstraint(
                condition=Q(amount_cents__gte=0) & (Q(stated_cents=None) | Q(stated_cents__gt=0)),
                name="remittance_of_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.courier} {self.reference}"


class Collection(models.Model):
    """What a courier was paid at one order's door, and with which remittance it handed it over (PAY-06).

    `remitted_at` and `remitted_by` are of the go that it was recorded in: a remittance may come in several.
    """

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    order = models.OneToOneField(Order, models.PROTECT, related_name="collection", db_constraint=False)
    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="+", verbose_name=_("canal"), db_index=False
    )
    carrier = models.ForeignKey(
        Carrier,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("transportista"),
        db_index=False,
    )
    courier = models.CharField(_("mensajero"), max_length=80, blank=True, default="")
    courier_key = models.CharField(_("clave del mensajero"), max_length=90)
    currency = models.CharField(_("moneda"), max_length=3)
    amount_cents = models.BigIntegerField(_("importe"))
    collected_at = models.DateTimeField(_("cobrado en la puerta"))
    remittance = models.ForeignKey(
        Remittance,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="collections",
        verbose_name=_("remesa"),
    )
    remitted_at = models.DateTimeField(_("registrado"), null=True)
    remitted_by = models.CharField(_("por"), max_length=150, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("cobro en la puerta")
        verbose_name_plural = _("cobros en la puerta")
        constraints = [
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="collection_of_something")
        ]
        indexes = [
            models.Index(
                fields=["channel", "courier_key", "collected_at", "id"],
                name="collection_owed",
                condition=Q(remittance=None),
            ),
        ]

    def __str__(self) -> str:
        return str(self.order)


class WebhookReceipt(models.Model):
    """Something that a provider told us of its own accord, signed and heard once; nothing is believed for it."""

    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", verbose_name=_("canal"))
    event_id = models.CharField(_("aviso"), max_length=120)
    kind = models.CharField(_("clase"), max_length=80)
    subject = models.CharField(_("de qué"), max_length=120, blank=True, default="")
    heard = models.CharField(_("resultado"), max_length=12, choices=Heard.choices)
    received_at = models.DateTimeField(_("recibido"))
    times = models.PositiveIntegerField(_("veces recibido"), default=1)
    last_at = models.DateTimeField(_("última vez"))

    class Meta:
        verbose_name = _("aviso del proveedor")
        verbose_name_plural = _("avisos del proveedor")
        constraints = [models.UniqueConstraint(fields=["channel", "event_id"], name="webhook_event_once")]

    def __str__(self) -> str:
        return self.event_id


class WebhookRefusal(models.Model):
    """How often on one day a webhook was turned away for one reason; of what it said nothing is kept.

    Anybody can send one, so a thousand a second are one row. Without a channel, it was for one that does not exist.
    """

    channel = models.ForeignKey(
        Channel, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("canal")
    )
    reason = models.CharField(_("motivo"), max_length=12, choices=TurnedAway.choices)
    day = models.DateField(_("día"))
    times = models.PositiveIntegerField(_("veces"), default=1)
    last_at = models.DateTimeField(_("última vez"))

    class Meta:
        verbose_name = _("aviso rechazado")
        verbose_name_plural = _("avisos rechazados")
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "reason", "day"], name="webhook_refusals_a_day", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.reason}"


class SandboxBook(models.Model):
    """The sandbox provider's own books: what it really did, whatever it answered."""

    key = models.UUIDField(_("clave"), unique=True)
    kind = models.CharField(_("clase"), max_length=8)
    card = models.CharField(_("tarjeta"), max_length=120, blank=True, default="")
    of = models.CharField(_("de"), max_length=120, blank=True, default="")
    amount_cents = models.BigIntegerField(_("importe"))
    currency = models.CharField(_("moneda"), max_length=3)
    status = models.CharField(_("estado"), max_length=10)
    asked_at = models.DateTimeField(_("preguntado"))
    settles_at = models.DateTimeField(_("se resuelve"), null=True)
    times_asked = models.PositiveIntegerField(_("veces preguntado"), default=1)

    class Meta:
        verbose_name = _("apunte del proveedor de pruebas")
        verbose_name_plural = _("apuntes del proveedor de pruebas")

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
