"""Templates: usual messages with places for an order's facts, of the operators or of a shop (MSG-10, MSG-12)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from marketplace.models import Channel
from messaging.models.notices import Audience
from sellers.models import Shop

LANGUAGES = [("es", "Español"), ("en", "English")]


class Template(models.Model):
    """A usual message in one language, for one audience. `{{variables}}` in its subject and body stand for facts of an
    order: the closed set of `messaging.templates`.

    Without a shop it is the operators' own, offered to every shop of its channel, or of all where it names none.
    """

    shop = models.ForeignKey(
        Shop, models.CASCADE, null=True, blank=True, related_name="templates", verbose_name=_("tienda")
    )
    channel = models.ForeignKey(
        Channel,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("canal"),
        help_text=_("Vacío: para todos los canales."),
    )
    audience = models.CharField(
        _("para"),
        max_length=10,
        choices=[(one.value, one.label) for one in (Audience.CUSTOMER, Audience.OPERATOR)],
        default=Audience.CUSTOMER,
    )
    language = models.CharField(_("idioma"), max_length=2, choices=LANGUAGES, default="es")
    name = models.CharField(_("nombre"), max_length=80)
    subject = models.CharField(_("asunto"), max_length=120, blank=True, default="")
    body = models.TextField(_("texto"), max_length=4000)
    active = models.BooleanField(_("en uso"), default=True)
    changed_at = models.DateTimeField(_("último cambio"))
    changed_by = models.CharField(_("cambiada por"), max_length=150, default="")

    class Meta:
        verbose_name = _("plantilla")
        verbose_name_plural = _("plantillas")
        ordering = ["language", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                F("shop"), F("channel"), F("language"), F("name"), name="template_named_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(shop__isnull=True) | Q(channel__isnull=True), name="template_of_shop_or_channel"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name
