"""A carrier that a shop asked for because it is not in the list (SHP-04)."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from marketplace.models import Carrier
from sellers.models import Shop


class Granting(models.TextChoices):
    """How far a request for a carrier has come."""

    OPEN = "open", _("Sin responder")
    GRANTED = "granted", _("Concedido")
    DECLINED = "declined", _("Denegado")


class CarrierRequest(models.Model):
    """A shop's request for a carrier, with its name and site, and what the operator made of it (SHP-04).

    `carrier` is the one of the list that was given for it; `order_reference` tells from which order it was asked.
    """

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", verbose_name=_("tienda"), db_index=False)
    name = models.CharField(_("transportista"), max_length=80)
    website = models.URLField(_("sitio"), max_length=200)
    order_reference = models.CharField(_("pedido"), max_length=72, blank=True, default="")
    state = models.CharField(_("estado"), max_length=10, choices=Granting, default=Granting.OPEN)
    asked_at = models.DateTimeField(_("pedido el"))
    asked_by = models.CharField(_("pedido por"), max_length=150)
    answered_at = models.DateTimeField(_("respondido"), null=True)
    answered_by = models.CharField(_("respondido por"), max_length=150, blank=True, default="")
    carrier = models.ForeignKey(
        Carrier, models.PROTECT, null=True, related_name="+", verbose_name=_("transportista de la lista")
    )
    note = models.CharField(_("respuesta"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("transportista pedido")
        verbose_name_plural = _("transportistas pedidos")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                F("shop"), Lower("name"), name="carrier_asked_once", condition=Q(state="open")
            ),
            models.CheckConstraint(
                condition=Q(state="open", answered_at=None, carrier=None)
                | Q(state="granted", answered_at__isnull=False, carrier__isnull=False)
                | Q(state="declined", answered_at__isnull=False, carrier=None),
                name="carrier_request_answered",
            ),
        ]
        indexes = [models.Index(fields=["shop", "-id"], name="carrier_request_of_shop")]

    def __str__(self) -> str:
        return self.name
