"""A delivery that the carrier could not make, and how that ended (EXC-02, EXC-03)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from orders.models.goods import Shipment
from orders.models.order import Child, Order


class Ending(models.TextChoices):
    """How the trouble with a delivery ended."""

    RETRIED = "retried", _("Salió otra vez")
    RETURNED = "returned", _("Volvió a la tienda")
    REDIRECTED = "redirected", _("Fue a otro pedido")
    DELIVERED = "delivered", _("Se entregó")


class DeliveryException(Child):
    """What a carrier reported of a parcel that it could not deliver: a reason of the operators' list, a note, or both.

    It is open while its order is in the state *exception*, and only then. `shipment` is the parcel that it is about,
    the last one where nobody said which.
    """

    order = models.ForeignKey(
        Order,
        models.CASCADE,
        related_name="exceptions",
        db_constraint=False,
        db_index=False,
        verbose_name=_("pedido"),
    )
    shipment = models.ForeignKey(
        Shipment,
        models.PROTECT,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
        verbose_name=_("bulto"),
    )
    reason_code = models.CharField(_("código del motivo"), max_length=50, default="")
    note = models.CharField(_("lo que dijo"), max_length=300, blank=True, default="")
    reported_at = models.DateTimeField(_("avisó"))
    reported_by = models.CharField(_("lo anotó"), max_length=150)
    ended_at = models.DateTimeField(_("terminó"), null=True)
    ended_by = models.CharField(_("la terminó"), max_length=150, blank=True, default="")
    how = models.CharField(_("cómo terminó"), max_length=10, choices=Ending, blank=True, default="")

    class Meta:
        verbose_name = _("novedad de entrega")
        verbose_name_plural = _("novedades de entrega")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "id"], name="exception_of_shop"),
            models.UniqueConstraint(
                fields=["order"], name="exception_open_once", condition=Q(ended_at__isnull=True)
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, how="") | (Q(ended_at__isnull=False) & Q(how__in=Ending.values)),
                name="exception_ended_somehow",
            ),
            models.CheckConstraint(condition=~Q(reason_code="") | ~Q(note=""), name="exception_says_why"),
        ]
        indexes = [
            models.Index(fields=["order", "-id"], name="exception_of_order"),
            models.Index(
                *(F("shop"), F("reported_at"), F("id")),
                name="exception_open_of_shop",
                condition=Q(ended_at__isnull=True),
            ),
            models.Index(
                *(F("shop"), F("ended_at").desc(), F("id").desc()),
                name="exception_ended_of_shop",
                condition=Q(ended_at__isnull=False),
            ),
            models.Index(
                F("reported_at"), F("id"), name="exception_open", condition=Q(ended_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reported_at:%d/%m/%Y %H:%M}"
