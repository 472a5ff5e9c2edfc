"""What the operator bills shops for: invoices of commissions, and credit notes for what is given back."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marketplace.models import Channel
from sellers.models import Shop, VatSeat
from settlements.models.payees import Issuer, Payee
from settlements.models.statements import Statement


class Series(models.Model):
    """The numbers of a channel's papers of one kind in one year; the row is locked while one is taken (I11)."""

    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", db_index=False)
    code = models.CharField(_("serie"), max_length=80, unique=True)
    last_number = models.PositiveIntegerField(_("último número"), default=0)

    class Meta:
        verbose_name = _("serie de facturas")
        verbose_name_plural = _("series de facturas")

    def __str__(self) -> str:
        return self.code


class InvoiceKind(models.TextChoices):
    """An invoice, or what corrects one."""

    INVOICE = "invoice", _("Factura")
    CREDIT = "credit", _("Factura rectificativa")


class Invoice(models.Model):
    """The commission of a statement billed to its shop, or what refunds gave back of an earlier one (SET-05).

    Made once, of the statement's own lines, with the details of both sides as they stood; never changed. Amounts of a
    credit note stand below zero. `refers_to` is the invoice that it corrects; none where that was never made here.
    """

    series = models.ForeignKey(Series, models.PROTECT, related_name="invoices", verbose_name=_("serie"))
    number = models.PositiveIntegerField(_("número"))
    kind = models.CharField(_("clase"), max_length=8, choices=InvoiceKind.choices)
    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", verbose_name=_("tienda"))
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", verbose_name=_("canal"))
    statement = models.ForeignKey(
        Statement, models.PROTECT, related_name="invoices", db_constraint=False, verbose_name=_("liquidación")
    )
    refers_to = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        related_name="+",
        db_constraint=False,
        verbose_name=_("rectifica a"),
    )
    issuer = models.ForeignKey(Issuer, models.PROTECT, related_name="+", verbose_name=_("emisor"))
    payee = models.ForeignKey(Payee, models.PROTECT, related_name="+", db_constraint=False)
    vat_seat = models.CharField(_("IVA según su sede"), max_length=12, choices=VatSeat.choices)
    currency = models.CharField(_("moneda"), max_length=3)
    base_cents = models.BigIntegerField(_("base"))
    vat_cents = models.BigIntegerField(_("IVA"))
    issued_on = models.DateField(_("fecha"))
    made_at = models.DateTimeField(_("hecha"))

    class Meta:
        verbose_name = _("factura")
        verbose_name_plural = _("facturas")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["series", "number"], name="invoice_number_once"),
            models.UniqueConstraint(fields=["shop", "id"], name="invoice_of_shop"),
            models.UniqueConstraint(
                fields=["statement", "kind", "refers_to"], name="invoice_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(kind=InvoiceKind.CREDIT) | Q(refers_to__isnull=True), name="only_credit_refers"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.series.code}-{self.number:05}"

    @property
    def total_cents(self) -> int:
        return self.base_cents + self.vat_cents


class InvoiceRate(models.Model):
    """What an invoice has under one rate of VAT; 0 is without VAT."""

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False)
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="rates", db_constraint=False)
    vat_bp = models.PositiveIntegerField(_("tipo de IVA"))
    base_cents = models.BigIntegerField(_("base"))
    vat_cents = models.BigIntegerField(_("IVA"))

    class Meta:
        verbose_name = _("tipo de una factura")
        verbose_name_plural = _("tipos de las facturas")
        ordering = ["-vat_bp"]
        constraints = [models.UniqueConstraint(fields=["invoice", "vat_bp"], name="rate_of_invoice_once")]
