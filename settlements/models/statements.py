"""Settlement as rows: a cycle of a channel, one statement a shop, its lines, and the payout."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField

from ledger.models import Entry
from marketplace.models import Channel
from sellers.models import Shop
from settlements.states import (
    CarriedWhy,
    PayoutMachine,
    PayoutState,
    Section,
    StatementMachine,
    StatementState,
)


class Cycle(models.Model):
    """One closing of a channel's calendar; what was received up to `closes_at` belongs to it (SET-01)."""

    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", db_index=False)
    closes_at = models.DateTimeField(_("cierra"))
    ended_at = models.DateTimeField(_("cerrado"), null=True)
    asked_by = models.CharField(_("pedido por"), max_length=150, blank=True, default="")

    class Meta:
        verbose_name = _("ciclo")
        verbose_name_plural = _("ciclos")
        ordering = ["-closes_at"]
        constraints = [models.UniqueConstraint(fields=["channel", "closes_at"], name="cycle_once")]

    def __str__(self) -> str:
        return f"{self.closes_at:%d/%m/%Y}"


class Statement(StatementMachine, models.Model):
    """What a shop gets of a cycle in one currency: opening balance, lines, payout, what is carried over (SET-08).

    `commission_cents` and its VAT are what orders cost, `…_back_cents` what refunds gave back of it; what is the
    customers' again stands below zero in `refunds_cents`, and so does a charge in `adjustments_cents`.
    """

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
    refunds_cents = models.BigIntegerField(_("reembolsos"), default=0)
    commission_back_cents = models.BigIntegerField(_("comisión devuelta"), default=0)
    commission_vat_back_cents = models.BigIntegerField(_("IVA devuelto de la comisión"), default=0)
    cover_cents = models.BigIntegerField(_("cubierto por el operador"), default=0)
    adjustments_cents = models.BigIntegerField(_("ajustes"), default=0)
    returned_cents = models.BigIntegerField(_("transferencias devueltas"), default=0)
    payout_cents = models.BigIntegerField(_("pago"), default=0)
    carried_cents = models.BigIntegerField(_("saldo que pasa"), default=0)
    carried_why = models.CharField(
        _("por qué pasa"), max_length=10, choices=CarriedWhy.choices, blank=True, default=CarriedWhy.NONE
    )
    lines_count = models.PositiveIntegerField(_("líneas"), default=0)
    to_invoice = models.BooleanField(_("por facturar"), default=False)
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
                    + F("refunds_cents")
                    + F("commission_back_cents")
                    + F("commission_vat_back_cents")
                    + F("cover_cents")
                    + F("adjustments_cents")
                    + F("returned_cents")
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
            ),
            models.Index(fields=["id"], name="statement_to_invoice", condition=Q(to_invoice=True)),
        ]

    def __str__(self) -> str:
        return f"{self.shop_id} · {self.cycle_id}"

    @property
    def other_cents(self) -> int:
        """What moved the balance besides orders and what they cost."""
        refunds = self.refunds_cents + self.commission_back_cents + self.commission_vat_back_cents
        return refunds + self.cover_cents + self.adjustments_cents + self.returned_cents


class StatementLine(models.Model):
    """One movement of the payable balance that a statement takes: an order's, or a loose one. Taken once (I5).

    Only an order's has `orders_cents`, the others have `other_cents`; of a refund the commission that the shop has
    back stands below zero.
    """

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    statement = models.ForeignKey(Statement, models.PROTECT, related_name="lines", db_constraint=False)
    order_id = models.BigIntegerField(_("pedido"), null=True)
    entry = models.OneToOneField(Entry, models.PROTECT, null=True, related_name="+", db_constraint=False)
    section = models.CharField(_("apartado"), max_length=10, choices=Section.choices, default=Section.ORDERS)
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
                condition=Q(section=Section.ORDERS),
            ),
            models.CheckConstraint(condition=Q(section__in=Section.values), name="statement_section_known"),
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
        constraints = [
            models.UniqueConstraint(fields=["shop", "id"], name="payout_of_shop"),
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="payout_of_something"),
        ]

    def __str__(self) -> str:
        return f"{self.amount_cents} {self.currency}"
