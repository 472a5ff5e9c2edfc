"""Notices: what is told to people, written with the change that causes it and sent afterwards (NOT-01)."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.models import Claimable
from sellers.models import Shop


class Audience(models.TextChoices):
    """Whom a notice is for."""

    CUSTOMER = "customer", _("cliente")
    SELLER = "seller", _("tienda")
    OPERATOR = "operator", _("operador")
    SUPPLIER = "supplier", pgettext_lazy("of a shop", "proveedor")


class Notice(Claimable):
    """A mail to be sent once; `payload` stands on its own, so that what is told is what was true then.

    `due_at` is null once it is sent, given up, or when it is muted: a replayed history tells nobody.
    """

    event = models.SlugField(_("suceso"), max_length=40)
    audience = models.CharField(_("para"), max_length=10, choices=Audience)
    shop = models.ForeignKey(Shop, models.CASCADE, null=True, related_name="+", db_index=False)
    order_id = models.BigIntegerField(_("pedido"), null=True)
    email = models.CharField(_("correo"), max_length=254)
    language = models.CharField(_("idioma"), max_length=2)
    payload = models.JSONField(_("contenido"), default=dict)
    muted = models.BooleanField(_("callado"), default=False)
    sent_at = models.DateTimeField(_("enviado"), null=True)
    given_up_at = models.DateTimeField(_("abandonado"), null=True)
    message_id = models.CharField(_("Message-ID"), max_length=120, blank=True, default="")

    class Meta:
        verbose_name = _("aviso")
        verbose_name_plural = _("avisos")
        indexes = [
            Claimable.due_index("notice_due"),
            models.Index(
                fields=["order_id"], name="notice_of_order", condition=models.Q(order_id__isnull=False)
            ),
            models.Index(
                fields=["given_up_at"],
                name="notice_given_up",
                condition=models.Q(given_up_at__isnull=False, sent_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} → {self.email}"
