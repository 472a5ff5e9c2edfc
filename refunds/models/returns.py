"""Returns that customers ask for (REF-09)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orders.models import Line, Order
from sellers.models import Shop


class ReturnState(models.TextChoices):
    """How far a return has come."""

    ASKED = "asked", _("Pedida")


class ReturnRequest(models.Model):
    """That a customer wants to give articles of an order back, and why: `reason_code` is of the operators' list, `text`
    in their own words."""

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False)
    order = models.ForeignKey(
        Order, models.PROTECT, related_name="return_requests", db_index=False, db_constraint=False
    )
    state = models.CharField(
        _("estado"),
        max_length=10,
        choices=ReturnState,
        default=ReturnState.ASKED,
        db_default=ReturnState.ASKED,
    )
    reason_code = models.CharField(_("código del motivo"), max_length=50)
    text = models.TextField(_("texto"), blank=True, default="")
    asked_at = models.DateTimeField(_("pedida"))
    asked_by = models.CharField(_("la pide"), max_length=160)

    class Meta:
        verbose_name = _("devolución pedida")
        verbose_name_plural = _("devoluciones pedidas")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "id"], name="return_of_shop"),
            models.CheckConstraint(condition=Q(state__in=ReturnState.values), name="return_state_known"),
        ]
        indexes = [models.Index(fields=["order", "id"], name="return_of_order")]

    def __str__(self) -> str:
        return f"{self.order_id} · {self.asked_at:%d/%m/%Y}"


class ReturnLine(models.Model):
    """How many units of a line are to be given back."""

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False)
    request = models.ForeignKey(
        ReturnRequest, models.CASCADE, related_name="lines", db_index=False, db_constraint=False
    )
    line = models.ForeignKey(Line, models.PROTECT, related_name="+", db_constraint=False)
    units = models.PositiveIntegerField(_("unidades"))

    class Meta:
        verbose_name = _("línea de una devolución")
        verbose_name_plural = _("líneas de las devoluciones")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["request", "line"], name="return_line_once"),
            models.CheckConstraint(condition=Q(units__gt=0), name="return_line_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.line_id} ×{self.units}"
