"""Refunds after shipping, and what of which line they give back (REF-02, REF-03)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField

from messaging.models import Message
from orders.models import Line, Order
from payments.models import Payback
from refunds.states import RefundMachine, RefundState
from sellers.models import Shop


class Refund(RefundMachine, models.Model):
    """Money that a shop or an operator gives back to a customer, of the lines that it names.

    Amounts are `_cents`, taxes included; `goods_tax_cents` and `shipping_tax_cents` are of them. `commission_cents` and
    its VAT come back to the shop with it (REF-07), `covered_cents` of what it costs the shop the operator pays
    (REF-04). `key` is of the click: the same one again is the same refund. `agreed` says how a partial one was agreed
    with the customer, `agreed_in` in which message (REF-08). `received` tells whether the order had been received:
    then the shop's balance paid it, before it what was pending of the order.
    """

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False)
    order = models.ForeignKey(
        Order, models.PROTECT, related_name="refunds", db_constraint=False, db_index=False
    )
    number = models.PositiveSmallIntegerField(_("número"))
    key = models.UUIDField(_("clave"))
    state = FSMField(
        _("estado"), max_length=10, choices=RefundState.choices, default=RefundState.DUE, protected=True
    )
    total = models.BooleanField(_("total"))
    reason_code = models.CharField(_("código del motivo"), max_length=50)
    reason_note = models.CharField(_("nota"), max_length=160, blank=True, default="")
    currency = models.CharField(_("moneda"), max_length=3)
    amount_cents = models.BigIntegerField(_("importe"))
    goods_cents = models.BigIntegerField(_("artículos"))
    goods_tax_cents = models.BigIntegerField(_("IVA de los artículos"))
    shipping_cents = models.BigIntegerField(_("envío"))
    shipping_tax_cents = models.BigIntegerField(_("IVA del envío"))
    commission_cents = models.BigIntegerField(_("comisión devuelta"), default=0)
    commission_vat_cents = models.BigIntegerField(_("IVA de la comisión devuelto"), default=0)
    covered_cents = models.BigIntegerField(_("cubierto por el operador"), default=0)
    received = models.BooleanField(_("pedido ya recibido"), default=False)
    agreed = models.CharField(_("acordado con el cliente"), max_length=200, blank=True, default="")
    agreed_in = models.ForeignKey(
        Message, models.PROTECT, null=True, related_name="+", verbose_name=_("mensaje del acuerdo")
    )
    made_at = models.DateTimeField(_("hecho"))
    made_by = models.CharField(_("lo hace"), max_length=160)
    made_role = models.CharField(_("como"), max_length=10)
    decided_at = models.DateTimeField(_("decidido"), null=True)
    decided_by = models.CharField(_("lo decide"), max_length=160, blank=True, default="")
    answer = models.CharField(_("respuesta"), max_length=200, blank=True, default="")
    answered_at = models.DateTimeField(_("respuesta del proveedor"), null=True)
    payback = models.OneToOneField(Payback, models.PROTECT, null=True, related_name="refund")

    class Meta:
        verbose_name = _("reembolso")
        verbose_name_plural = _("reembolsos")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "id"], name="refund_of_shop"),
            models.UniqueConstraint(fields=["order", "number"], name="refund_numbered"),
            models.UniqueConstraint(fields=["shop", "key"], name="refund_once_a_click"),
            models.CheckConstraint(condition=Q(state__in=RefundState.values), name="refund_state_known"),
            models.CheckConstraint(
                condition=Q(amount_cents__gt=0)
                & Q(amount_cents=F("goods_cents") + F("shipping_cents"))
                & Q(goods_tax_cents__gte=0)
                & Q(goods_tax_cents__lte=F("goods_cents"))
                & Q(shipping_tax_cents__gte=0)
                & Q(shipping_tax_cents__lte=F("shipping_cents"))
                & Q(commission_cents__gte=0)
                & Q(commission_vat_cents__gte=0)
                & Q(covered_cents__gte=0),
                name="refund_adds_up",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], name="refund_to_cover", condition=Q(state="asked")),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.number}"

    @property
    def cost_cents(self) -> int:
        """What it takes from the shop: the amount less what comes back of the commission."""
        return self.amount_cents - self.commission_cents - self.commission_vat_cents


class RefundLine(models.Model):
    """What a refund gives back of a line; amounts in cents, taxes included."""

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False)
    refund = models.ForeignKey(
        Refund, models.CASCADE, related_name="lines", db_constraint=False, db_index=False
    )
    line = models.ForeignKey(Line, models.PROTECT, related_name="refund_lines", db_constraint=False)
    units = models.PositiveIntegerField(_("unidades"))
    goods_cents = models.BigIntegerField(_("importe"))
    goods_tax_cents = models.BigIntegerField(_("IVA"))
    shipping_cents = models.BigIntegerField(_("envío"))
    shipping_tax_cents = models.BigIntegerField(_("IVA del envío"))

    class Meta:
        verbose_name = _("línea de un reembolso")
        verbose_name_plural = _("líneas de los reembolsos")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["refund", "line"], name="refund_line_once"),
            models.CheckConstraint(
                condition=Q(units__gt=0)
                & Q(goods_cents__gte=0)
                & Q(shipping_cents__gte=0)
                & (Q(goods_cents__gt=0) | Q(shipping_cents__gt=0)),
                name="refund_line_of_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.line_id} ×{self.units}"
