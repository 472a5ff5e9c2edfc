"""What happened to an order: what it waits for, its history, what the outside told us, the papers handed out."""

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from marketplace.models import Channel
from orders.models.order import Child, Order
from orders.states import HoldKind, Verb
from sellers.models import User


class Hold(Child):
    """A reason for an order to wait; it ends when it is released, a pre-sale by itself on its date (ORD-06)."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="holds", db_constraint=False)
    kind = models.CharField(_("clase"), max_length=20, choices=HoldKind)
    reason_code = models.CharField(_("código del motivo"), max_length=50, default="", db_default="")
    note = models.CharField(_("explicación"), max_length=300, blank=True, default="")
    facts = models.JSONField(_("cifras"), default=dict, db_default=Value({}, models.JSONField()))
    until = models.DateTimeField(_("hasta"), null=True)
    placed_at = models.DateTimeField(_("desde"))
    placed_by = models.CharField(_("puesta por"), max_length=150)
    released_at = models.DateTimeField(_("levantada"), null=True)
    released_by = models.CharField(_("levantada por"), max_length=150, blank=True, default="")

    class Meta:
        verbose_name = _("retención")
        verbose_name_plural = _("retenciones")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "kind"], name="hold_once_a_kind", condition=Q(released_at__isnull=True)
            ),
            models.CheckConstraint(condition=Q(kind__in=HoldKind.values), name="hold_kind_known"),
        ]
        indexes = [
            models.Index(
                F("until"),
                F("id"),
                name="hold_to_end",
                condition=Q(released_at__isnull=True, until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(HoldKind(self.kind).label)


class Event(Child):
    """A line of an order's history: what, who, when, before and after. Only ever added to (ORD-11)."""

    order = models.ForeignKey(
        Order, models.CASCADE, related_name="events", db_index=False, db_constraint=False
    )
    verb = models.CharField(_("qué"), max_length=24, choices=Verb)
    before = models.CharField(_("antes"), max_length=24, blank=True)
    after = models.CharField(_("después"), max_length=24)
    at = models.DateTimeField(_("cuándo"))
    role = models.CharField(_("papel"), max_length=10)
    by = models.CharField(_("quién"), max_length=150)
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    data = models.JSONField(_("detalle"), default=dict)
    written_at = models.DateTimeField(_("escrito"), db_default=Now())

    class Meta:
        verbose_name = _("suceso")
        verbose_name_plural = _("sucesos")
        ordering = ["id"]
        indexes = [models.Index(fields=["order", "id"], name="event_of_order")]

    def __str__(self) -> str:
        return f"{self.verb} {self.at:%d/%m/%Y %H:%M}"


class HeardEvent(models.Model):
    """What the outside told us, once each: a fingerprint of the message and what became of it."""

    channel = models.ForeignKey(Channel, models.CASCADE, related_name="+", db_index=False)
    fingerprint = models.UUIDField(_("huella"))
    kind = models.CharField(_("clase"), max_length=40)
    at = models.DateTimeField(_("momento"), null=True)
    line_number = models.PositiveIntegerField(_("línea del fichero"), null=True)
    outcome = models.CharField(_("resultado"), max_length=24)
    detail = models.TextField(_("detalle"), blank=True, default="")

    class Meta:
        verbose_name = _("suceso de fuera")
        verbose_name_plural = _("sucesos de fuera")
        constraints = [models.UniqueConstraint(fields=["channel", "fingerprint"], name="heard_once")]


class DocumentKind(models.TextChoices):
    """The papers that belong to an order."""

    DELIVERY_NOTE = "delivery_note", _("Albarán")


class Download(Child):
    """A paper of an order that was handed out: which, to whom, when (DOC-04). Only ever added to."""

    order = models.ForeignKey(
        Order, models.CASCADE, related_name="downloads", db_index=False, db_constraint=False
    )
    document = models.CharField(_("documento"), max_length=20, choices=DocumentKind)
    at = models.DateTimeField(_("cuándo"))
    role = models.CharField(_("papel"), max_length=10)
    by = models.CharField(_("quién"), max_length=150)
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        verbose_name = _("descarga")
        verbose_name_plural = _("descargas")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(document__in=DocumentKind.values), name="download_document_known"
            )
        ]
        indexes = [models.Index(fields=["order", "-id"], name="download_of_order")]

    def __str__(self) -> str:
        return f"{DocumentKind(self.document).label} {self.at:%d/%m/%Y %H:%M}"
