"""What goes with a message: files, each with its blob in private storage, and who was handed one."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marketplace.policy import FileType
from marketplace.policy_words import FILE_LABELS
from messaging.models.conversations import Message
from sellers.models import Shop, User


class Attachment(models.Model):
    """A file of a message, checked before it was kept (MSG-13); it goes with its message.

    `key` is where its blob is in storage, `sha256` and `size` what the blob has. A picture has a small one beside it
    for pages, `preview_width` × `preview_height` pixels; 0 × 0 without.
    """

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False)
    message = models.ForeignKey(
        Message, models.CASCADE, related_name="attachments", db_index=False, db_constraint=False
    )
    name = models.CharField(_("nombre"), max_length=80)
    kind = models.CharField(
        _("tipo"), max_length=4, choices=[(kind.value, FILE_LABELS[kind]) for kind in FileType]
    )
    content_type = models.CharField(_("tipo de contenido"), max_length=40)
    size = models.PositiveIntegerField(_("bytes"))
    sha256 = models.CharField(max_length=64)
    key = models.CharField(max_length=120)
    preview_width = models.PositiveSmallIntegerField(default=0)
    preview_height = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("archivo adjunto")
        verbose_name_plural = _("archivos adjuntos")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "id"], name="attachment_of_shop"),
            models.UniqueConstraint(fields=["key"], name="attachment_key"),
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in FileType]), name="attachment_kind_known"
            ),
        ]
        indexes = [models.Index(fields=["message", "id"], name="attachment_of_message")]

    def __str__(self) -> str:
        return self.name

    @property
    def has_preview(self) -> bool:
        """Whether a small picture of it can be shown in a page."""
        return self.preview_width > 0

    @property
    def preview_key(self) -> str:
        """Where its small picture is in storage."""
        return f"{self.key}.vista"


class AttachmentDownload(models.Model):
    """A file that was handed out: which, to whom, when (DOC-04). Only ever added to; `preview` where it was the small
    picture of it in a page.
    """

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False)
    attachment = models.ForeignKey(
        Attachment, models.CASCADE, related_name="downloads", db_index=False, db_constraint=False
    )
    preview = models.BooleanField(_("en pequeño"), default=False)
    at = models.DateTimeField(_("cuándo"))
    role = models.CharField(_("papel"), max_length=10)
    by = models.CharField(_("quién"), max_length=150)
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        verbose_name = _("descarga de un adjunto")
        verbose_name_plural = _("descargas de adjuntos")
        ordering = ["-id"]
        indexes = [models.Index(fields=["attachment", "-id"], name="download_of_attachment")]

    def __str__(self) -> str:
        return f"{self.by} {self.at:%d/%m/%Y %H:%M}"
