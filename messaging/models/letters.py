"""Mail that comes in: who may write into a conversation by mail, what came, and how often something was turned away."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from messaging.models.conversations import Message, Thread
from messaging.models.notices import Audience
from sellers.models import Shop, User


class Correspondent(models.Model):
    """Somebody who is written to about a conversation and may answer by mail (MSG-07).

    Their reply address is sealed with `nonce` and the key of the site, so that neither the database nor the key alone
    is enough to write one. Once `revoked_at` is set nobody writes by that address any more; the next notice gets
    another. `user` is the person where the address is of somebody who signs in.
    """

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False)
    thread = models.ForeignKey(
        Thread,
        models.CASCADE,
        related_name="correspondents",
        db_constraint=False,
        verbose_name=_("conversación"),
    )
    audience = models.CharField(_("papel"), max_length=10, choices=Audience)
    email = models.CharField(_("correo"), max_length=254)
    user = models.ForeignKey(
        User, models.CASCADE, null=True, related_name="+", db_index=False, verbose_name=_("persona")
    )
    nonce = models.CharField(max_length=32)
    created_at = models.DateTimeField(_("desde"), auto_now_add=True)
    revoked_at = models.DateTimeField(_("anulada"), null=True)

    class Meta:
        verbose_name = _("dirección de respuesta")
        verbose_name_plural = _("direcciones de respuesta")
        constraints = [
            models.UniqueConstraint(
                fields=["thread", "audience", "email"],
                condition=models.Q(revoked_at__isnull=True),
                name="correspondent_once",
            )
        ]
        indexes = [models.Index(fields=["email"], name="correspondent_by_email")]

    def __str__(self) -> str:
        return f"{self.email} · {self.get_audience_display()}"


class ReceivedMail(models.Model):
    """A mail that was taken, once: `key` is the digest of its Message-ID; `message` what became of it, null where it
    went back to whoever wrote it."""

    correspondent = models.ForeignKey(Correspondent, models.CASCADE, related_name="mails", db_index=False)
    key = models.CharField(max_length=64)
    message = models.ForeignKey(Message, models.CASCADE, null=True, related_name="mails", db_index=False)
    at = models.DateTimeField(_("recibido"))

    class Meta:
        verbose_name = _("correo recibido")
        verbose_name_plural = _("correos recibidos")
        constraints = [models.UniqueConstraint(fields=["correspondent", "key"], name="received_mail_once")]
        indexes = [
            models.Index(fields=["correspondent", "at"], name="received_mail_by_date"),
            models.Index(
                fields=["message"],
                name="received_mail_of_message",
                condition=models.Q(message__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.key[:12]


class NotTaken(models.TextChoices):
    """Why a mail that came in was turned away; nothing of it was written (MSG-07)."""

    SIGNATURE = "signature", _("Sin firma o clave válida")
    TOO_LARGE = "too_large", _("Demasiado grande")
    BROKEN = "broken", _("No se entiende")
    AUTOMATIC = "automatic", _("Respuesta automática, o un correo que da vueltas")
    UNKNOWN = "unknown", _("No va a ninguna conversación")
    REVOKED = "revoked", _("Dirección anulada")
    NO_RIGHT = "no_right", _("Quien escribe ya no puede hacerlo")
    EMPTY = "empty", _("Sin texto ni archivos")
    TOO_OFTEN = "too_often", _("Demasiados correos en una hora")


class MailRefusal(models.Model):
    """How often on one day a mail was turned away, by where it came from and why; the mail is not kept.

    Anybody can send one, so a thousand a second are one row.
    """

    source = models.CharField(_("llega por"), max_length=12)
    reason = models.CharField(_("motivo"), max_length=12, choices=NotTaken)
    day = models.DateField(_("día"))
    times = models.PositiveIntegerField(_("veces"), default=1)
    last_at = models.DateTimeField(_("última vez"))

    class Meta:
        verbose_name = _("correo no admitido")
        verbose_name_plural = _("correos no admitidos")
        constraints = [
            models.UniqueConstraint(fields=["source", "reason", "day"], name="mail_refusals_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.source} · {self.day:%d/%m/%Y}"
