"""Parcels that went on to another order's customer (EXC-04)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from orders.models import Order, Shipment
from sellers.models import Shop


class Redirect(models.Model):
    """A parcel that could not be delivered to one order's customer and went on to another's (EXC-04).

    It keeps the two orders and their parcels together for the shop and the operator; neither customer is told of the
    other. `source_parcel` and `target_parcel` are the same thing on its way, once for each order.
    """

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False, verbose_name=_("tienda"))
    source = models.OneToOneField(
        Order, models.PROTECT, related_name="redirected_to", db_constraint=False, verbose_name=_("pedido")
    )
    target = models.OneToOneField(
        Order,
        models.PROTECT,
        related_name="redirected_from",
        db_constraint=False,
        verbose_name=_("va al pedido"),
    )
    source_parcel = models.OneToOneField(Shipment, models.PROTECT, related_name="+", db_constraint=False)
    target_parcel = models.OneToOneField(Shipment, models.PROTECT, related_name="+", db_constraint=False)
    at = models.DateTimeField(_("cuándo"))
    by = models.CharField(_("quién"), max_length=150)

    class Meta:
        verbose_name = _("redirección")
        verbose_name_plural = _("redirecciones")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(source=F("target")), name="redirect_to_another"),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} → {self.target_id}"
