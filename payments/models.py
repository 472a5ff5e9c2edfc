"""What was asked of a payment provider, once, and what it answered."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField

from marketplace.models import Channel, Claimable
from orders.models import Order
from payments.states import AskMachine, AskState, Heard, TurnedAway
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
    """Money to return to a customer through the provider that charged it (CAN-05)."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="paybacks", db_constraint=False)
    charge = models.ForeignKey(Charge, models.PROTECT, related_name="paybacks")
    asked_anew = models.BooleanField(_("pedida de nuevo"), default=False)

    class Meta:
        verbose_name = _("devolución al cliente")
        verbose_name_plural = _("devoluciones al cliente")
        constraints = [models.CheckConstraint(condition=Q(amount_cents__gt=0), name="payback_of_something")]
        indexes = [
            Claimable.due_index("payback_due"),
            models.Index(
                fields=["order"], name="payback_refused", condition=Q(state="refused", asked_anew=False)
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
