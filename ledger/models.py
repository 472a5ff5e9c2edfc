"""The books: double entry, integer cents, only ever added to; PostgreSQL holds what is said here.

The migrations add what Django cannot say: an entry has at least two postings and sums to zero in each currency,
postings join their entry only in the transaction that made it, and nothing is updated, deleted or emptied.
"""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from marketplace.models import Channel
from sellers.models import Shop


class Account(models.TextChoices):
    """Where money stands. Debits are positive, credits negative."""

    PROVIDER = "provider", _("Proveedor de pagos")
    COURIER = "courier", _("Mensajero")
    BANK = "bank", _("Banco")
    PENDING = "pending", _("Pendiente de recibir")
    PAYABLE = "payable", _("A pagar a la tienda")
    IN_TRANSIT = "in_transit", _("Transferencia en curso")
    REFUND_DUE = "refund_due", _("Devolución debida")
    COMMISSION = "commission", _("Comisión")
    COMMISSION_VAT = "commission_vat", _("IVA de la comisión")
    OPERATOR_COVER = "operator_cover", _("Cubierto por el operador")


class EntryKind(models.TextChoices):
    """What moved the money."""

    CHARGE = "charge", _("Cobro al cliente")
    COLLECT = "collect", _("Cobro del mensajero al entregar")
    REMIT = "remit", _("Entrega del dinero por el mensajero")
    RECEIVE = "receive", _("Pedido recibido")
    REFUND = "refund", _("Devolución al cliente")
    REFUND_UNDONE = "refund_undone", _("Devolución anulada")
    COVER = "cover", _("Devolución cubierta por el operador")
    PAID_BACK = "paid_back", _("Devuelto por el proveedor")
    STATEMENT = "statement", _("Liquidación")
    PAYOUT_PAID = "payout_paid", _("Transferencia hecha")
    PAYOUT_FAILED = "payout_failed", _("Transferencia fallida")
    ADJUSTMENT = "adjustment", _("Ajuste")


class Kind(models.TextChoices):
    """The field's own words for what a posting is about."""

    ORDER_AMOUNT = "ORDER_AMOUNT", _("Importe del pedido")
    COMMISSION_FEE = "COMMISSION_FEE", _("Comisión")
    COMMISSION_VAT = "COMMISSION_VAT", _("IVA de la comisión")
    REFUND_ORDER_AMOUNT = "REFUND_ORDER_AMOUNT", _("Devolución")
    PAYMENT = "PAYMENT", _("Pago a la tienda")
    MANUAL_CREDIT = "MANUAL_CREDIT", _("Abono")
    MANUAL_INVOICE = "MANUAL_INVOICE", _("Cargo")


class Entry(models.Model):
    """One balanced movement of money, under a key that makes a second try fail (SET-04)."""

    key = models.CharField(_("clave"), max_length=60, unique=True)
    kind = models.CharField(_("clase"), max_length=16, choices=EntryKind)
    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False)
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", db_index=False)
    order_id = models.BigIntegerField(_("pedido"), null=True)
    at = models.DateTimeField(_("momento"))
    note = models.CharField(_("explicación"), max_length=200, blank=True, default="")
    written_at = models.DateTimeField(_("escrito"), db_default=Now())

    class Meta:
        verbose_name = _("asiento")
        verbose_name_plural = _("asientos")
        constraints = [
            models.UniqueConstraint(fields=["shop", "id"], name="entry_of_shop"),
            models.CheckConstraint(condition=Q(kind__in=EntryKind.values), name="entry_kind_known"),
        ]
        indexes = [
            models.Index(fields=["order_id"], name="entry_of_order", condition=Q(order_id__isnull=False)),
            models.Index(
                fields=["channel", "shop", "id"],
                name="entry_loose",
                condition=Q(kind__in=["adjustment", "payout_failed", "refund", "refund_undone", "cover"]),
            ),
            BrinIndex(fields=["written_at"], name="entry_written"),
            models.Index(fields=["shop", "at"], name="entry_of_shop_at"),
        ]

    def __str__(self) -> str:
        return self.key


class Posting(models.Model):
    """One side of an entry: so many cents on an account, debit positive."""

    entry = models.ForeignKey(Entry, models.PROTECT, related_name="postings", db_constraint=False)
    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    account = models.CharField(_("cuenta"), max_length=16, choices=Account)
    kind = models.CharField(_("concepto"), max_length=24, choices=Kind)
    currency = models.CharField(_("moneda"), max_length=3)
    amount_cents = models.BigIntegerField(_("importe"))

    class Meta:
        verbose_name = _("apunte")
        verbose_name_plural = _("apuntes")
        constraints = [
            models.CheckConstraint(condition=~Q(amount_cents=0), name="posting_not_zero"),
            models.CheckConstraint(condition=Q(account__in=Account.values), name="posting_account_known"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.amount_cents}"


class Balance(models.Model):
    """What a shop is owed on a channel in a currency: the locked row that permits a refund or a payout.

    Kept with the postings it sums, and rebuilt from them by the invariant check.
    """

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False)
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", db_index=False)
    currency = models.CharField(_("moneda"), max_length=3)
    payable_cents = models.BigIntegerField(_("a pagar"), default=0)

    class Meta:
        verbose_name = _("saldo")
        verbose_name_plural = _("saldos")
        constraints = [models.UniqueConstraint(fields=["shop", "channel", "currency"], name="balance_once")]

    def __str__(self) -> str:
        return f"{self.payable_cents} {self.currency}"


class Seal(models.Model):
    """A day of the books under a digest that also covers the day sealed before it: a past that is changed shows.

    A day is that of `Entry.written_at`, in UTC; `digest` and `previous` are SHA-256 in hexadecimal.
    """

    day = models.DateField(_("día"), unique=True)
    entries_count = models.PositiveIntegerField(_("asientos"))
    previous = models.CharField(_("sello anterior"), max_length=64, blank=True)
    digest = models.CharField(_("sello"), max_length=64)
    sealed_at = models.DateTimeField(_("sellado"))

    class Meta:
        verbose_name = _("sello de un día")
        verbose_name_plural = _("sellos de los días")
        ordering = ["-day"]

    def __str__(self) -> str:
        return f"{self.day:%d/%m/%Y}"


class Proof(models.Model):
    """A night's proof of the books: that what must always hold does, and that sealed days are as they were sealed.

    `broken` says what was not so, in words; empty when all was.
    """

    at = models.DateTimeField(_("momento"))
    up_to = models.DateField(_("hasta el día"))
    days_count = models.PositiveIntegerField(_("días comprobados"))
    entries_count = models.PositiveBigIntegerField(_("asientos comprobados"))
    broken = models.JSONField(_("qué no cuadra"), default=list)

    class Meta:
        verbose_name = _("comprobación del libro")
        verbose_name_plural = _("comprobaciones del libro")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.at:%d/%m/%Y %H:%M}"
