"""Settlement as rows: a cycle of a channel, one statement a shop, its lines, and the payout."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField

from ledger.models import Entry
from marketplace.models import Channel
from sellers.models import Shop
from settlements.states import PayoutMachine, PayoutState, StatementMachine, StatementState


class Cycle(models.Model):
    """One closing of a channel's calendar; what was received up to `closes_at` belongs to it (SET-01)."""

    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", db_index=False)
    closes_at = models.DateTimeField(_("cierra"))
    ended_at = models.DateTimeField(_("cerrado"), null=True)

    class Meta:
        verbose_name = _("ciclo")
        verbose_name_plural = _("ciclos")
        ordering = ["-closes_at"]
        constraints = [models.UniqueConstraint(fields=["channel", "closes_at"], name="cycle_once")]

    def __str__(self) -> str:
        return f"{self.closes_at:%d/%m/%Y}"


class Statement(StatementMachine, models.Model):
    """What a shop gets of a cycle in one currency: opening balance, lines, payout, what is carried over (SET-08)."""

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="statements", db_index=False)
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", db_index=False)
    cycle = models.ForeignKey(Cycle, models.PROTECT, related_name="statements")
    currency = models.CharField(_("moneda"), max_length=3)
    state = FSMField(
        _("estado"),
        max_length=12,
        choices=StatementState.choices,
        default=StatementState.COLLECTING,
        protected=True,
    )
    opening_cents = models.BigIntegerField(_("saldo anterior"), default=0)
    orders_cents = models.BigIntegerField(_("pedidos"), default=0)
    commission_cents = models.BigIntegerField(_("comisión"), default=0)
    commission_vat_cents = models.BigIntegerField(_("IVA de la comisión"), default=0)
    other_cents = models.BigIntegerField(_("otros"), default=0)
    payout_cents = models.BigIntegerField(_("pago"), default=0)
    carried_cents = models.BigIntegerField(_("saldo que pasa"), default=0)
    lines_count = models.PositiveIntegerField(_("líneas"), default=0)
    closed_at = models.DateTimeField(_("cerrada"), null=True)

    class Meta:
        verbose_name = _("liquidación")
        verbose_name_plural = _("liquidaciones")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "id"], name="statement_of_shop"),
            models.UniqueConstraint(fields=["shop", "channel", "cycle", "currency"], name="statement_once"),
            models.CheckConstraint(
                condition=Q(
                    payout_cents=F("opening_cents")
                    + F("orders_cents")
                    - F("commission_cents")
                    - F("commission_vat_cents")
                    + F("other_cents")
                    - F("carried_cents")
                ),
                name="statement_adds_up",
            ),
            models.CheckConstraint(condition=Q(payout_cents__gte=0), name="statement_never_takes"),
        ]
        indexes = [
            models.Index(
                fields=["channel", "carried_cents"],
                name="statement_resting",
                condition=Q(carried_cents__gt=0),
            )
        ]

    def __str__(self) -> str:
        return f"{self.shop_id} · {self.cycle_id}"


class StatementLine(models.Model):
    """One movement of the payable balance that a statement takes: an order's, or a loose one. Taken once (I5)."""

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    statement = models.ForeignKey(Statement, models.PROTECT, related_name="lines", db_constraint=False)
    order_id = models.BigIntegerField(_("pedido"), null=True)
    entry = models.OneToOneField(Entry, models.PROTECT, null=True, related_name="+", db_constraint=False)
    orders_cents = models.BigIntegerField(_("pedido"), default=0)
    commission_cents = models.BigIntegerField(_("comisión"), default=0)
    commission_vat_cents = models.BigIntegerField(_("IVA de la comisión"), default=0)
    other_cents = models.BigIntegerField(_("otros"), default=0)

    class Meta:
        verbose_name = _("línea de liquidación")
        verbose_name_plural = _("líneas de liquidación")
        constraints = [
            models.UniqueConstraint(
                fields=["order_id"],
                name="order_settled_once",
                condition=Q(order_id__isnull=False, other_cents=0),
            )
        ]


class Payout(PayoutMachine, models.Model):
    """The transfer of a statement's money to the shop's bank."""

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="payouts", db_constraint=False)
    statement = models.OneToOneField(Statement, models.PROTECT, related_name="payout", db_constraint=False)
    amount_cents = models.BigIntegerField(_("importe"))
    currency = models.CharField(_("moneda"), max_length=3)
    state = FSMField(
        _("estado"),
        max_length=12,
        choices=PayoutState.choices,
        default=PayoutState.IN_TRANSIT,
        protected=True,
    )
    created_at = models.DateTimeField(_("creada"))
    answered_at = models.DateTimeField(_("respuesta del banco"), null=True)
    answer = models.CharField(_("qué dijo el banco"), max_length=200, blank=True, default="")
    written_at = models.DateTimeField(_("escrito"), db_default=Now())

    class Meta:
        verbose_name = _("transferencia")
        verbose_name_plural = _("transferencias")
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=Q(amount_cents__gt=0), name="payout_of_something")]

    def __str__(self) -> str:
        return f"{self.amount_cents} {self.currency}"
