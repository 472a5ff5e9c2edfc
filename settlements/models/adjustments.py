"""What operators credit or charge a shop by hand, and who agreed to it."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField

from ledger.models import Entry
from marketplace.models import Channel
from sellers.models import Shop, User
from settlements.states import AdjustmentMachine, AdjustmentState


class Adjustment(AdjustmentMachine, models.Model):
    """A credit (above zero) or a charge (below) to a shop's balance, with its reason (SET-01).

    Above the policy's amount somebody else than who asked for it has to approve it; the books have it only then.
    """

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", verbose_name=_("tienda"))
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", verbose_name=_("canal"))
    amount_cents = models.BigIntegerField(_("importe"))
    currency = models.CharField(_("moneda"), max_length=3)
    reason = models.CharField(_("motivo"), max_length=200)
    state = FSMField(
        _("estado"),
        max_length=10,
        choices=AdjustmentState.choices,
        default=AdjustmentState.ASKED,
        protected=True,
    )
    asked_at = models.DateTimeField(_("pedido"))
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("lo pide"))
    decided_at = models.DateTimeField(_("decidido"), null=True)
    decided_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("lo decide")
    )
    answer = models.CharField(_("qué se contestó"), max_length=200, blank=True, default="")
    entry = models.OneToOneField(
        Entry, models.PROTECT, null=True, related_name="+", db_constraint=False, verbose_name=_("asiento")
    )

    class Meta:
        verbose_name = _("ajuste")
        verbose_name_plural = _("ajustes")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(amount_cents=0), name="adjustment_of_something"),
            models.CheckConstraint(
                condition=Q(state=AdjustmentState.POSTED, entry__isnull=False)
                | (~Q(state=AdjustmentState.POSTED) & Q(entry__isnull=True)),
                name="adjustment_in_the_books_once_posted",
            ),
        ]
        indexes = [
            models.Index(F("id"), name="adjustment_asked", condition=Q(state=AdjustmentState.ASKED)),
            models.Index(fields=["shop", "asked_by", "asked_at"], name="adjustment_of_the_day"),
        ]

    def __str__(self) -> str:
        return f"{self.shop} · {self.amount_cents} {self.currency}"
