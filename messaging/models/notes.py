"""Notes on an order: what a shop or an operator writes down about it, as evidence (MSG-11)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.policy import ROLE_LABELS, Role
from orders.models import Order
from sellers.models import Shop, User


class OrderNote(models.Model):
    """A note on an order, for the shop and the operator; a public one for its customer too (MSG-11).

    Only ever added to. A supplier sees none of them.
    """

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    order = models.ForeignKey(
        Order,
        models.CASCADE,
        related_name="notes",
        db_index=False,
        db_constraint=False,
        verbose_name=_("pedido"),
    )
    role = models.CharField(
        _("papel"), max_length=10, choices=[(role.value, ROLE_LABELS[role]) for role in Role]
    )
    author = models.CharField(_("de"), max_length=150)
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    public = models.BooleanField(_("la ve el cliente"), default=False)
    body = models.TextField(_("texto"))
    written_at = models.DateTimeField(_("escrita"))

    class Meta:
        verbose_name = _("nota")
        verbose_name_plural = _("notas")
        ordering = ["id"]
        indexes = [models.Index(fields=["order", "id"], name="note_of_order")]

    def __str__(self) -> str:
        return f"{self.author}: {self.body[:40]}"
