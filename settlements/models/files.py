"""What goes to the bank: the file of a run's transfers, and which payout is in which."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marketplace.models import Channel
from sellers.models import Shop, User
from settlements.models.payees import Issuer, Payee
from settlements.models.statements import Payout


class PayoutFile(models.Model):
    """A SEPA credit transfer as it was written, byte for byte; void, its payouts may go into another (SET-05)."""

    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", verbose_name=_("canal"))
    issuer = models.ForeignKey(Issuer, models.PROTECT, related_name="+", verbose_name=_("ordenante"))
    message_id = models.CharField(_("identificador"), max_length=35, unique=True)
    currency = models.CharField(_("moneda"), max_length=3)
    payouts_count = models.PositiveIntegerField(_("transferencias"))
    total_cents = models.BigIntegerField(_("total"))
    content = models.BinaryField(_("contenido"))
    sha256 = models.CharField(_("huella"), max_length=64)
    made_at = models.DateTimeField(_("hecho"))
    made_by = models.CharField(_("por"), max_length=150)
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    void_at = models.DateTimeField(_("anulado"), null=True)
    void_by = models.CharField(_("lo anuló"), max_length=150, blank=True, default="")
    void_reason = models.CharField(_("por qué"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("fichero de transferencias")
        verbose_name_plural = _("ficheros de transferencias")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.message_id


class PayoutInFile(models.Model):
    """A payout in a file, to which account; in one live file at most."""

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False, verbose_name=_("tienda"))
    file = models.ForeignKey(PayoutFile, models.PROTECT, related_name="lines", verbose_name=_("fichero"))
    payout = models.ForeignKey(
        Payout, models.PROTECT, related_name="in_files", verbose_name=_("transferencia")
    )
    payee = models.ForeignKey(
        Payee, models.PROTECT, related_name="+", db_constraint=False, verbose_name=_("cuenta")
    )
    end_to_end = models.CharField(_("referencia"), max_length=35)
    amount_cents = models.BigIntegerField(_("importe"))
    live = models.BooleanField(_("en vigor"), default=True)

    class Meta:
        verbose_name = _("transferencia de un fichero")
        verbose_name_plural = _("transferencias de los ficheros")
        constraints = [
            models.UniqueConstraint(
                fields=["payout"], name="payout_in_one_live_file", condition=Q(live=True)
            ),
            models.UniqueConstraint(fields=["end_to_end"], name="end_to_end_once", condition=Q(live=True)),
        ]


class Paper(models.TextChoices):
    """The papers of settlement that people take with them."""

    STATEMENT_PDF = "statement_pdf", _("Liquidación en PDF")
    STATEMENT_CSV = "statement_csv", _("Liquidación en CSV")
    POSTINGS_CSV = "postings_csv", _("Apuntes de una liquidación en CSV")
    INVOICE = "invoice", _("Factura")
    PAYOUT_FILE = "payout_file", _("Fichero de transferencias")


class PaperDownload(models.Model):
    """A paper that was handed out: which, to whom, when (DOC-04). Only ever added to."""

    shop = models.ForeignKey(Shop, models.PROTECT, null=True, related_name="+", verbose_name=_("tienda"))
    paper = models.CharField(_("papel"), max_length=16, choices=Paper.choices)
    subject_id = models.BigIntegerField(_("cuál"))
    at = models.DateTimeField(_("cuándo"))
    role = models.CharField(_("papel que hace"), max_length=10)
    by = models.CharField(_("quién"), max_length=150)
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("entrega de un papel")
        verbose_name_plural = _("entregas de papeles")
        ordering = ["-id"]
        indexes = [models.Index(fields=["paper", "subject_id"], name="download_of_paper")]
