"""Orders as rows: baskets, orders, lines, parcels, holds, and the history that nobody can edit.

Children carry `shop_id` and refer to their order by (shop_id, id); the composite foreign keys are in the migrations,
so the database itself refuses a foreign parent (ROL-01, I10).
"""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField

from marketplace.models import Carrier, Channel, Policy
from orders.states import Decision, HoldKind, OrderMachine, State, Verb
from sellers.models import Shop, User


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
    an open incident; both mirror rows of `Hold` so that what is due excludes what is held by index.
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
    charged_cents = models.BigIntegerField(_("cobrado"), default=0)
    refunded_cents = models.BigIntegerField(_("devuelto"), default=0)

    cash_on_delivery = models.BooleanField(_("contra reembolso"), default=False, db_default=False)
    parcels = models.PositiveSmallIntegerField(_("bultos"), default=0)

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
    wants_invoice = models.BooleanField(_("pide factura"), default=False)
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
                condition=Q(goods_cents__gte=0)
                & Q(shipping_cents__gte=0)
                & Q(charged_cents__gte=0)
                & Q(refunded_cents__gte=0)
                & Q(refunded_cents__lte=F("charged_cents")),
                name="order_amounts_sane",
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
        ]

    def __str__(self) -> str:
        return self.reference


class Child(models.Model):
    """A row under an order; it names the shop too, and the database checks the pair."""

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False, db_constraint=False)

    class Meta:
        abstract = True


class Line(Child):
    """An article of an order, with the shipping charge that falls on it. Amounts include taxes.

    `refuse_code` is of the operators' list, `refuse_reason` a note; before there were codes, the whole reason.
    """

    order = models.ForeignKey(
        Order, models.CASCADE, related_name="lines", db_constraint=False, db_index=False
    )
    external_id = models.CharField(_("línea en el escaparate"), max_length=80)
    sku = models.CharField(_("SKU"), max_length=80)
    title = models.CharField(_("artículo"), max_length=200)
    category = models.CharField(_("categoría"), max_length=120, blank=True, default="")
    quantity = models.PositiveIntegerField(_("unidades"))
    unit_price_cents = models.BigIntegerField(_("precio"))
    goods_cents = models.BigIntegerField(_("importe"))
    shipping_cents = models.BigIntegerField(_("envío"))
    decision = models.CharField(_("respuesta"), max_length=10, choices=Decision, default=Decision.PENDING)
    refuse_code = models.CharField(_("código del motivo"), max_length=50, default="", db_default="")
    refuse_reason = models.CharField(_("motivo del rechazo"), max_length=160, blank=True, default="")
    shipped_quantity = models.PositiveIntegerField(_("unidades enviadas"), default=0)
    promised_ship_by = models.DateTimeField(_("envío prometido por el escaparate"), null=True)

    class Meta:
        verbose_name = _("línea")
        verbose_name_plural = _("líneas")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "id"], name="line_of_shop"),
            models.UniqueConstraint(fields=["order", "external_id"], name="line_once"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0)
                & Q(goods_cents=F("unit_price_cents") * F("quantity"))
                & Q(unit_price_cents__gte=0)
                & Q(shipping_cents__gte=0),
                name="line_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(shipped_quantity__lte=F("quantity")), name="line_not_overshipped"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ×{self.quantity}"

    @property
    def to_ship(self) -> int:
        """Accepted units that have not been handed over yet."""
        return self.quantity - self.shipped_quantity if self.decision == Decision.ACCEPTED else 0


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


class Shipment(Child):
    """A parcel: what was handed to which carrier under which tracking number (SHP-01, SHP-03)."""

    order = models.ForeignKey(
        Order, models.CASCADE, related_name="shipments", db_constraint=False, db_index=False
    )
    number = models.PositiveSmallIntegerField(_("bulto"))
    carrier = models.ForeignKey(
        Carrier, models.PROTECT, null=True, related_name="+", verbose_name=_("transportista")
    )
    carrier_name = models.CharField(_("nombre del transportista"), max_length=80)
    tracking = models.CharField(_("seguimiento"), max_length=80, blank=True, default="")
    tracking_url = models.CharField(_("enlace de seguimiento"), max_length=400, blank=True, default="")
    handed_over_at = models.DateTimeField(_("entregado al transportista"))
    delivered_at = models.DateTimeField(_("entregado"), null=True)

    class Meta:
        verbose_name = _("bulto")
        verbose_name_plural = _("bultos")
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "id"], name="shipment_of_shop"),
            models.UniqueConstraint(fields=["order", "number"], name="shipment_number_once"),
        ]
        indexes = [models.Index(fields=["shop", "tracking"], name="shipment_by_tracking")]

    def __str__(self) -> str:
        return f"{self.carrier_name} {self.tracking}".strip()


class ShipmentLine(Child):
    """How many units of a line travel in a parcel."""

    shipment = models.ForeignKey(
        Shipment, models.CASCADE, related_name="contents", db_constraint=False, db_index=False
    )
    line = models.ForeignKey(Line, models.PROTECT, related_name="+", db_constraint=False)
    quantity = models.PositiveIntegerField(_("unidades"))

    class Meta:
        verbose_name = _("contenido de un bulto")
        verbose_name_plural = _("contenido de los bultos")
        constraints = [
            models.UniqueConstraint(fields=["shipment", "line"], name="shipment_line_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="shipment_line_not_empty"),
        ]


class Hold(Child):
    """A reason for an order to wait; it ends when it is released, a pre-sale by itself on its date (ORD-06)."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="holds", db_constraint=False)
    kind = models.CharField(_("clase"), max_length=20, choices=HoldKind)
    reason_code = models.CharField(_("código del motivo"), max_length=50, default="", db_default="")
    note = models.CharField(_("explicación"), max_length=300, blank=True, default="")
    facts = models.JSONField(_("cifras"), default=dict, db_default=Value({}, models.JSONField()))
    until = models.DateTimeField(_("hasta"), null=True)
    placed_at = models.DateTimeField(_("desde"))
    placed_by = models.CharField(_("puesta por"), max_length=150)
    released_at = models.DateTimeField(_("levantada"), null=True)
    released_by = models.CharField(_("levantada por"), max_length=150, blank=True, default="")

    class Meta:
        verbose_name = _("retención")
        verbose_name_plural = _("retenciones")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "kind"], name="hold_once_a_kind", condition=Q(released_at__isnull=True)
            ),
            models.CheckConstraint(condition=Q(kind__in=HoldKind.values), name="hold_kind_known"),
        ]
        indexes = [
            models.Index(
                F("until"),
                F("id"),
                name="hold_to_end",
                condition=Q(released_at__isnull=True, until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(HoldKind(self.kind).label)


class Event(Child):
    """A line of an order's history: what, who, when, before and after. Only ever added to (ORD-11)."""

    order = models.ForeignKey(
        Order, models.CASCADE, related_name="events", db_index=False, db_constraint=False
    )
    verb = models.CharField(_("qué"), max_length=24, choices=Verb)
    before = models.CharField(_("antes"), max_length=24, blank=True)
    after = models.CharField(_("después"), max_length=24)
    at = models.DateTimeField(_("cuándo"))
    role = models.CharField(_("papel"), max_length=10)
    by = models.CharField(_("quién"), max_length=150)
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    data = models.JSONField(_("detalle"), default=dict)
    written_at = models.DateTimeField(_("escrito"), db_default=Now())

    class Meta:
        verbose_name = _("suceso")
        verbose_name_plural = _("sucesos")
        ordering = ["id"]
        indexes = [models.Index(fields=["order", "id"], name="event_of_order")]

    def __str__(self) -> str:
        return f"{self.verb} {self.at:%d/%m/%Y %H:%M}"


class HeardEvent(models.Model):
    """What the outside told us, once each: a fingerprint of the message and what became of it."""

    channel = models.ForeignKey(Channel, models.CASCADE, related_name="+", db_index=False)
    fingerprint = models.UUIDField(_("huella"))
    kind = models.CharField(_("clase"), max_length=40)
    at = models.DateTimeField(_("momento"), null=True)
    line_number = models.PositiveIntegerField(_("línea del fichero"), null=True)
    outcome = models.CharField(_("resultado"), max_length=24)
    detail = models.TextField(_("detalle"), blank=True, default="")

    class Meta:
        verbose_name = _("suceso de fuera")
        verbose_name_plural = _("sucesos de fuera")
        constraints = [models.UniqueConstraint(fields=["channel", "fingerprint"], name="heard_once")]


class DocumentKind(models.TextChoices):
    """The papers that belong to an order."""

    DELIVERY_NOTE = "delivery_note", _("Albarán")


class Download(Child):
    """A paper of an order that was handed out: which, to whom, when (DOC-04). Only ever added to."""

    order = models.ForeignKey(
        Order, models.CASCADE, related_name="downloads", db_index=False, db_constraint=False
    )
    document = models.CharField(_("documento"), max_length=20, choices=DocumentKind)
    at = models.DateTimeField(_("cuándo"))
    role = models.CharField(_("papel"), max_length=10)
    by = models.CharField(_("quién"), max_length=150)
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        verbose_name = _("descarga")
        verbose_name_plural = _("descargas")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(document__in=DocumentKind.values), name="download_document_known"
            )
        ]
        indexes = [models.Index(fields=["order", "-id"], name="download_of_order")]

    def __str__(self) -> str:
        return f"{DocumentKind(self.document).label} {self.at:%d/%m/%Y %H:%M}"
