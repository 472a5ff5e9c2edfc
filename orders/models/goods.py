"""The articles of an order and the parcels that they travel in."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.models import Carrier
from orders.models.order import Child, Order
from orders.states import INSTANT, Decision, LineKind
from sellers.models import Supplier

LONGEST_ACCESS = 500


class Line(Child):
    """An article of an order, with the shipping charge that falls on it. Amounts include taxes, at the rates that the
    storefront told, in basis points, or else the policy's.

    `supplier` fulfils it, the seller where none is named (ROL-04). `refuse_code` is of the operators' list,
    `refuse_reason` a note; before there were codes, the whole reason. What does not travel is confirmed instead,
    `access` is what the customer is told then: a link, a code, a place.
    """

    order = models.ForeignKey(
        Order, models.CASCADE, related_name="lines", db_constraint=False, db_index=False
    )
    external_id = models.CharField(_("línea en el escaparate"), max_length=80)
    sku = models.CharField(_("SKU"), max_length=80)
    title = models.CharField(_("artículo"), max_length=200)
    kind = models.CharField(
        _("clase"), max_length=14, choices=LineKind, default=LineKind.GOODS, db_default=LineKind.GOODS
    )
    category = models.CharField(_("categoría"), max_length=120, blank=True, default="")
    quantity = models.PositiveIntegerField(_("unidades"))
    unit_price_cents = models.BigIntegerField(_("precio"))
    goods_cents = models.BigIntegerField(_("importe"))
    shipping_cents = models.BigIntegerField(_("envío"))
    tax_bp = models.PositiveIntegerField(_("tipo de IVA"), null=True)
    shipping_tax_bp = models.PositiveIntegerField(_("tipo de IVA del envío"), null=True)
    decision = models.CharField(_("respuesta"), max_length=10, choices=Decision, default=Decision.PENDING)
    refuse_code = models.CharField(_("código del motivo"), max_length=50, default="", db_default="")
    refuse_reason = models.CharField(_("motivo del rechazo"), max_length=160, blank=True, default="")
    shipped_quantity = models.PositiveIntegerField(_("unidades enviadas"), default=0)
    promised_ship_by = models.DateTimeField(_("envío prometido por el escaparate"), null=True)
    access = models.CharField(_("acceso"), max_length=LONGEST_ACCESS, blank=True, default="", db_default="")
    confirmed_at = models.DateTimeField(_("confirmada al cliente"), null=True)
    supplier = models.ForeignKey(
        Supplier,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=pgettext_lazy("of a shop", "proveedor"),
        db_index=False,
        db_constraint=False,
    )

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
            models.CheckConstraint(condition=Q(kind__in=LineKind.values), name="line_kind_known"),
            models.CheckConstraint(
                condition=Q(kind=LineKind.GOODS, confirmed_at=None)
                | (~Q(kind=LineKind.GOODS) & Q(shipped_quantity=0)),
                name="line_shipped_or_confirmed",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at=None) | Q(decision=Decision.ACCEPTED), name="line_confirmed_accepted"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ×{self.quantity}"

    @property
    def to_ship(self) -> int:
        """Accepted units that have not been handed over yet; what does not travel has none."""
        waits = self.travels and self.decision == Decision.ACCEPTED
        return self.quantity - self.shipped_quantity if waits else 0

    @property
    def travels(self) -> bool:
        """Whether a carrier takes it to the customer."""
        return self.kind == LineKind.GOODS

    @property
    def instant(self) -> bool:
        """Whether it is confirmed by itself as soon as it is paid (ORD-13)."""
        return self.kind in INSTANT

    @property
    def to_confirm(self) -> bool:
        """Whether it was accepted, does not travel, and the customer has not been told of it."""
        return not self.travels and self.decision == Decision.ACCEPTED and self.confirmed_at is None


class Part(Child):
    """What of an order a supplier fulfils: the row that their list is read by, and the words that they find it by.

    It follows from the lines (ROL-04); the words are of their articles alone.
    """

    order = models.ForeignKey(
        Order, models.CASCADE, related_name="parts", db_constraint=False, db_index=False
    )
    supplier = models.ForeignKey(
        Supplier, models.PROTECT, related_name="parts", db_constraint=False, db_index=False
    )
    placed_at = models.DateTimeField(_("recibido"))
    units = models.PositiveIntegerField(_("unidades"))
    items_text = models.CharField(_("artículos en una línea"), max_length=160, blank=True, default="")
    text = models.TextField(_("texto"))

    class Meta:
        verbose_name = _("parte de un proveedor")
        verbose_name_plural = _("partes de los proveedores")
        constraints = [models.UniqueConstraint(fields=["order", "supplier"], name="part_once")]
        indexes = [
            models.Index(F("supplier"), F("placed_at").desc(), F("order").desc(), name="part_newest"),
            GinIndex(F("supplier_id"), OpClass(F("text"), name="gin_trgm_ops"), name="part_words"),
        ]

    def __str__(self) -> str:
        return f"{self.supplier} · {self.items_text}"


class Shipment(Child):
    """A parcel: what was handed to which carrier under which tracking number (SHP-01, SHP-03).

    From `redirected_at` on it is on its way to another order's customer: where it goes is no longer this one's to
    follow (EXC-04).
    """

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
    redirected_at = models.DateTimeField(_("fue a otro pedido"), null=True)

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
