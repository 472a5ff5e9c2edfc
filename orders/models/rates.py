"""Commission rates with dates: what a channel keeps of some articles or of some shops for a while."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce, Lower
from django.utils.translation import gettext_lazy as _

from marketplace.models import Channel
from sellers.models import Shop


class Days(Func):
    """The days from the first to the last but one, as PostgreSQL's range."""

    function = "DATERANGE"
    output_field = DateRangeField()


class CommissionRate(models.Model):
    """A rate from a day until another, which no longer counts, in the days of its channel.

    Without a category it is for all articles, without a shop for all shops. Two of the same channel, category and
    shop never overlap. `basis_points`: 1200 are 12 %.
    """

    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", verbose_name=_("canal"))
    category = models.CharField(
        _("categoría"),
        max_length=120,
        blank=True,
        default="",
        help_text=_("Como la escribe el escaparate en sus líneas. Vacía: todos los artículos."),
    )
    shop = models.ForeignKey(
        Shop,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("tienda"),
        help_text=_("Vacía: todas las tiendas."),
    )
    basis_points = models.PositiveIntegerField(_("comisión"))
    from_day = models.DateField(_("desde"))
    until_day = models.DateField(_("hasta"), null=True, blank=True)

    class Meta:
        verbose_name = _("comisión con fechas")
        verbose_name_plural = _("comisiones con fechas")
        ordering = ["channel", "category", "shop", "-from_day"]
        constraints = [
            models.CheckConstraint(condition=Q(basis_points__lte=10_000), name="commission_rate_is_a_share"),
            models.CheckConstraint(
                condition=Q(until_day=None) | Q(until_day__gt=F("from_day")), name="commission_rate_lasts"
            ),
            ExclusionConstraint(
                name="commission_rate_once_a_day",
                expressions=[
                    ("channel", RangeOperators.EQUAL),
                    (Lower("category"), RangeOperators.EQUAL),
                    (Coalesce("shop", Value(0)), RangeOperators.EQUAL),
                    (Days("from_day", "until_day"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} · {self.from_day:%d/%m/%Y}"
