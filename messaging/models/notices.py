"""Notices: what is told to people, written with the change that causes it and sent afterwards (NOT-01)."""

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.models import Claimable
from messaging.models.conversations import Message
from sellers.models import Membership, Shop


class Audience(models.TextChoices):
    """Whom a notice is for."""

    CUSTOMER = "customer", _("cliente")
    SELLER = "seller", _("tienda")
    OPERATOR = "operator", _("operador")
    SUPPLIER = "supplier", pgettext_lazy("of a shop", "proveedor")


class Notice(Claimable):
    """A mail to be sent once; `payload` stands on its own, so that what is told is what was true then.

    `due_at` is null once it is sent, given up, or when it is muted: a replayed history tells nobody. One that the
    server refused for good, or that came back, has `bounced_at` and in `bounce_reason` what was answered. One that
    tells a message of a conversation goes with it when it is taken back.
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
    of_message = models.ForeignKey(
        Message, models.CASCADE, null=True, related_name="notices", db_index=False, verbose_name=_("mensaje")
    )
    bounced_at = models.DateTimeField(_("volvió"), null=True)
    bounce_reason = models.CharField(
        _("por qué volvió"), max_length=300, blank=True, default="", db_default=""
    )
    bounce_seen_at = models.DateTimeField(_("devolución vista"), null=True)

    class Meta:
        verbose_name = _("aviso")
        verbose_name_plural = _("avisos")
        indexes = [
            Claimable.due_index("notice_due"),
            models.Index(
                fields=["order_id"], name="notice_of_order", condition=models.Q(order_id__isnull=False)
            ),
            models.Index(
                F("shop"),
                F("id").desc(),
                name="notice_in_centre",
                condition=models.Q(audience="seller", muted=False),
            ),
            models.Index(
                fields=["of_message"], name="notice_of_message", condition=models.Q(of_message__isnull=False)
            ),
            models.Index(
                fields=["given_up_at"],
                name="notice_given_up",
                condition=models.Q(given_up_at__isnull=False, sent_at__isnull=True),
            ),
            models.Index(
                F("bounced_at"), name="notice_bounced", condition=models.Q(bounced_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} → {self.email}"


class NoticeSeen(models.Model):
    """That a member of a shop has read one of its notices (NOT-02)."""

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="+", db_index=False)
    membership = models.ForeignKey(Membership, models.CASCADE, related_name="+", db_index=False)
    notice = models.ForeignKey(Notice, models.CASCADE, related_name="+")
    seen_at = models.DateTimeField(_("leído"))

    class Meta:
        verbose_name = _("aviso leído")
        verbose_name_plural = _("avisos leídos")
        constraints = [models.UniqueConstraint(fields=["membership", "notice"], name="notice_seen_once")]

    def __str__(self) -> str:
        return f"{self.notice_id} · {self.membership_id}"


class NoticeMark(models.Model):
    """Up to which notice a member has read everything (NOT-02)."""

    membership = models.OneToOneField(Membership, models.CASCADE, primary_key=True, related_name="+")
    upto = models.BigIntegerField(_("hasta el aviso"))
    marked_at = models.DateTimeField(_("leído"))

    class Meta:
        verbose_name = _("avisos leídos hasta")
        verbose_name_plural = _("avisos leídos hasta")

    def __str__(self) -> str:
        return f"{self.membership_id} · {self.upto}"


class NotHeard(models.TextChoices):
    """Why news of a bounce was turned away; nothing of it was written (NOT-01)."""

    SIGNATURE = "signature", _("Sin firma o clave válida")
    MALFORMED = "malformed", _("No se entiende")
    UNKNOWN = "unknown", _("No es de ningún aviso")


class BounceRefusal(models.Model):
    """How often on one day news of a bounce was turned away, by where it came from and why; it is not kept.

    Anybody can send one, so a thousand a second are one row.
    """

    source = models.CharField(_("llega por"), max_length=12)
    reason = models.CharField(_("motivo"), max_length=12, choices=NotHeard)
    day = models.DateField(_("día"))
    times = models.PositiveIntegerField(_("veces"), default=1)
    last_at = models.DateTimeField(_("última vez"))

    class Meta:
        verbose_name = _("devolución no atendida")
        verbose_name_plural = _("devoluciones no atendidas")
        constraints = [
            models.UniqueConstraint(fields=["source", "reason", "day"], name="bounce_refusals_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.source} · {self.day:%d/%m/%Y}"
