"""A basket, its orders, and the words that an order is found by."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField

from marketplace.models import Channel, Policy
from orders.states import PAID, OrderMachine, State
from sellers.models import Shop, Supplier

LONGEST_INVOICE_TO = 300
OWES_INVOICE = Q(wants_invoice=True, invoiced_at=None, charged_cents__gt=F("refunded_cents"))
"""Orders whose shop owes their customer an invoice: of what was charged and not all given back (DOC-02)."""


class Basket(models.Model):
    """What a customer bought in one go, over one or several shops, under one commercial number (ORD-14)."""

    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", verbose_name=_("canal"))
    commercial_id = models.CharField(_("número comercial"), max_length=64)
    placed_at = models.DateTimeField(_("recibido"))
    currency = models.CharField(_("moneda"), max_length=3)
    total_cents = models.BigIntegerField(_("total"))
    paid_cents = models.BigIntegerField(_("pagado según el escaparate"))
    payments = models.JSONField(_("pagos"), default=list)

    class Meta:
        verbose_name = _("cesta")
        verbose_name_plural = _("cestas")
        constraints = [models.UniqueConstraint(fields=["channel", "commercial_id"], name="basket_once")]
        indexes = [models.Index(fields=["commercial_id"], name="basket_by_number")]

    def __str__(self) -> str:
        return self.commercial_id


class Order(OrderMachine, models.Model):
    """One shop's part of a basket, and the whole of its life. Only `orders.services` moves it.

    Amounts are `_cents` of what is accepted once the seller has answered, of everything before; moments are `_at`,
    deadlines `_by`, fixed when their clock starts. `held_at` is the start of the present wait, `incident_at` that of
    an open incident or a return in course; both mirror rows of `Hold` so that what is due excludes what is held by
    index. Of what is, or may yet be, accepted: `ships` whether anything travels, `at_once` and `to_confirm` how many
    lines wait to be confirmed to the customer, by themselves once paid and by the shop; `confirmed_at` the last time
    that one was (ORD-13).
    `commission_parts` tells a commission that is not the policy's alone: see `orders.services.fees`;
    `commission_back_cents` is what refunds have given back of it (REF-07).
    `supplier` fulfils all that is not refused, with `shared` several do, with neither the seller: both mirror the lines
    (ROL-04). `open_requests` is how many acts were asked for and wait for an answer (ROL-05). Where the order goes may
    be corrected after a delivery that failed, with `courier_note` for whoever takes it there (EXC-03). Of the
    customer's links those are valid that were signed for `link_version` (ROL-03).
    `wants_invoice` where the basket or the policy said so, or the customer on their page at `invoice_asked_at`, with
    `invoice_to` for whom it is made out to; `invoiced_at` is when the last one was handed in (DOC-02).
    """

    shop = models.ForeignKey(
        Shop, models.PROTECT, related_name="orders", verbose_name=_("tienda"), db_index=False
    )
    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="+", verbose_name=_("canal"), db_index=False
    )
    policy = models.ForeignKey(
        Policy, models.PROTECT, related_name="+", verbose_name=_("política"), db_index=False
    )
    basket = models.ForeignKey(
        Basket, models.PROTECT, related_name="orders", verbose_name=_("cesta"), db_index=False
    )
    reference = models.CharField(_("pedido"), max_length=72, unique=True)
    state = FSMField(
        _("estado"), max_length=24, choices=State.choices, default=State.PENDING_ACCEPTANCE, protected=True
    )
    currency = models.CharField(_("moneda"), max_length=3)

    placed_at = models.DateTimeField(_("recibido"))
    moved_at = models.DateTimeField(_("último suceso"))
    pay_by = models.DateTimeField(_("pagar antes de"), null=True)
    accept_by = models.DateTimeField(_("aceptar antes de"), null=True)
    accepted_at = models.DateTimeField(_("aceptado"), null=True)
    debited_at = models.DateTimeField(_("cobrado"), null=True)
    ship_by = models.DateTimeField(_("enviar antes de"), null=True)
    shipped_at = models.DateTimeField(_("enviado"), null=True)
    deliver_by = models.DateTimeField(_("entregar antes de"), null=True)
    delivered_at = models.DateTimeField(_("entregado"), null=True)
    receive_at = models.DateTimeField(_("se da por recibido"), null=True)
    received_at = models.DateTimeField(_("dado por recibido"), null=True)
    ended_at = models.DateTimeField(_("terminado"), null=True)
    promised_at = models.DateTimeField(_("entrega prometida por el escaparate"), null=True)
    held_at = models.DateTimeField(_("en espera desde"), null=True)
    incident_at = models.DateTimeField(_("incidencia desde"), null=True)

    goods_cents = models.BigIntegerField(_("artículos"))
    shipping_cents = models.BigIntegerField(_("envío"))
    total_cents = models.BigIntegerField(_("total"))
    commission_cents = models.BigIntegerField(_("comisión"), default=0)
    commission_vat_cents = models.BigIntegerField(_("IVA de la comisión"), default=0)
    commission_parts = models.JSONField(_("de qué se compone la comisión"), default=list, db_default=[])
    charged_cents = models.BigIntegerField(_("cobrado"), default=0)
    refunded_cents = models.BigIntegerField(_("devuelto"), default=0)
    commission_back_cents = models.BigIntegerField(_("comisión devuelta"), default=0, db_default=0)
    commission_vat_back_cents = models.BigIntegerField(
        _("IVA de la comisión devuelto"), default=0, db_default=0
    )

    cash_on_delivery = models.BooleanField(_("contra reembolso"), default=False, db_default=False)
    parcels = models.PositiveSmallIntegerField(_("bultos"), default=0)
    open_requests = models.PositiveSmallIntegerField(_("peticiones sin responder"), default=0, db_default=0)
    ships = models.BooleanField(_("lleva algo que enviar"), default=True, db_default=True)
    at_once = models.PositiveSmallIntegerField(_("líneas que se confirman solas"), default=0, db_default=0)
    to_confirm = models.PositiveSmallIntegerField(_("líneas por confirmar"), default=0, db_default=0)
    confirmed_at = models.DateTimeField(_("confirmado al cliente"), null=True)
    supplier = models.ForeignKey(
        Supplier,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("lo sirve entero"),
        db_index=False,
        db_constraint=False,
    )
    shared = models.BooleanField(_("lo sirven varios"), default=False, db_default=False)

    link_version = models.PositiveSmallIntegerField(
        _("versión de los enlaces del cliente"), default=0, db_default=0
    )
    payment_token = models.CharField(_("medio de pago"), max_length=120, blank=True, default="")

    customer_external_id = models.CharField(
        _("cliente en el escaparate"), max_length=64, blank=True, default=""
    )
    customer_name = models.CharField(_("cliente"), max_length=160)
    customer_email = models.CharField(_("correo del cliente"), max_length=254, blank=True, default="")
    customer_language = models.CharField(_("idioma del cliente"), max_length=2, default="es")
    customer_phone = models.CharField(_("teléfono"), max_length=40, blank=True, default="")
    street = models.CharField(_("calle"), max_length=200, blank=True, default="")
    postal_code = models.CharField(_("código postal"), max_length=16, blank=True, default="")
    city = models.CharField(_("ciudad"), max_length=80, blank=True, default="")
    region = models.CharField(_("provincia"), max_length=80, blank=True, default="")
    country = models.CharField(_("país"), max_length=2, blank=True, default="")
    courier_note = models.CharField(
        _("indicaciones para el transportista"), max_length=200, blank=True, default="", db_default=""
    )
    wants_invoice = models.BooleanField(_("pide factura"), default=False)
    invoice_asked_at = models.DateTimeField(_("factura pedida"), null=True)
    invoice_to = models.CharField(
        _("factura a nombre de"), max_length=LONGEST_INVOICE_TO, blank=True, default="", db_default=""
    )
    invoiced_at = models.DateTimeField(_("factura entregada"), null=True)
    items_text = models.CharField(_("artículos en una línea"), max_length=160, blank=True, default="")

    class Meta:
        verbose_name = _("pedido")
        verbose_name_plural = _("pedidos")
        constraints = [
            models.UniqueConstraint(fields=["shop", "id"], name="order_of_shop"),
            models.UniqueConstraint(fields=["basket", "shop"], name="order_once_a_basket"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="order_state_known"),
            models.CheckConstraint(
                condition=Q(total_cents=F("goods_cents") + F("shipping_cents")), name="order_total_adds_up"
            ),
            models.CheckConstraint(
                condition=Q(shared=False) | Q(supplier__isnull=True), name="order_of_one_or_of_several"
            ),
            models.CheckConstraint(
                condition=Q(goods_cents__gte=0)
                & Q(shipping_cents__gte=0)
                & Q(charged_cents__gte=0)
                & Q(refunded_cents__gte=0)
                & Q(refunded_cents__lte=F("charged_cents")),
                name="order_amounts_sane",
            ),
            models.CheckConstraint(
                condition=Q(commission_back_cents__gte=0)
                & Q(commission_back_cents__lte=F("commission_cents"))
                & Q(commission_vat_back_cents__gte=0)
                & Q(commission_vat_back_cents__lte=F("commission_vat_cents")),
                name="order_commission_back_sane",
            ),
        ]
        indexes = [
            models.Index(F("shop"), F("placed_at").desc(), F("id").desc(), name="order_newest"),
            models.Index(
                F("shop"), F("state"), F("placed_at").desc(), F("id").desc(), name="order_newest_in_state"
            ),
            models.Index(
                *(F("shop"), F("ship_by"), F("id")),
                name="order_to_ship",
                condition=Q(state__in=["awaiting_shipment", "awaiting_pickup"]),
            ),
            models.Index(
                F("accept_by"), F("id"), name="order_to_accept", condition=Q(state="pending_acceptance")
            ),
            models.Index(F("pay_by"), F("id"), name="order_to_pay", condition=Q(state="pending_payment")),
            models.Index(
                F("receive_at"),
                F("id"),
                name="order_to_receive",
                condition=Q(state__in=["shipped", "delivered"], held_at=None, incident_at=None),
            ),
            models.Index(
                *(F("channel"), F("shop"), F("id")),
                name="order_to_settle",
                condition=Q(state="received", held_at=None, incident_at=None),
            ),
            models.Index(F("accepted_at"), F("id"), name="order_in_debit", condition=Q(state="debit")),
            models.Index(
                *(F("shop"), F("id")),
                name="order_to_confirm",
                condition=Q(state__in=[str(state) for state in PAID], to_confirm__gt=0),
            ),
            models.Index(
                *(F("shop"), F("placed_at").desc(), F("id").desc()),
                name="order_owes_invoice",
                condition=OWES_INVOICE,
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def unconfirmed(self) -> int:
        """How many lines the customer has still to be told of."""
        return self.at_once + self.to_confirm

    @property
    def owes_invoice(self) -> bool:
        """Whether the shop owes the customer an invoice, as `OWES_INVOICE` says it of rows (DOC-02)."""
        return self.wants_invoice and self.invoiced_at is None and self.charged_cents > self.refunded_cents


class Child(models.Model):
    """A row under an order; it names the shop too, and the database checks the pair."""

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False, db_constraint=False)

    class Meta:
        abstract = True


class Words(Child):
    """What an order can be found by: its number, customer, city, articles, in small letters.

    A table of its own, written once: the trigram index over it costs a move nothing.
    """

    order = models.OneToOneField(
        Order, models.CASCADE, primary_key=True, related_name="words", db_constraint=False
    )
    text = models.TextField(_("texto"))

    class Meta:
        verbose_name = _("texto de búsqueda")
        verbose_name_plural = _("textos de búsqueda")
        indexes = [
            GinIndex(F("shop_id"), OpClass(F("text"), name="gin_trgm_ops"), name="words_of_shop"),
        ]
