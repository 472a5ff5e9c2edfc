"""Who is paid and billed: the tax data and the bank account of shops and of the operator, version by version."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from marketplace.models import Channel
from sellers.models import Shop, User, VatSeat


class Party(models.Model):
    """One version of who somebody is to the tax office and to the bank. Only ever added to: the last one counts, and
    the ones before it say what papers and transfers were made with, who told it and when.
    """

    legal_name = models.CharField(_("nombre o razón social"), max_length=120)
    tax_id = models.CharField(_("NIF o número de IVA"), max_length=20)
    street = models.CharField(_("dirección fiscal"), max_length=120)
    postal_code = models.CharField(_("código postal"), max_length=12)
    city = models.CharField(_("ciudad"), max_length=60)
    country = models.CharField(_("país"), max_length=2, default="ES")
    iban = models.CharField(_("IBAN"), max_length=34)
    told_at = models.DateTimeField(_("cuándo"))
    told_by = models.CharField(_("quién"), max_length=150)
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    written_at = models.DateTimeField(_("escrito"), db_default=Now())

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.legal_name

    @property
    def masked_iban(self) -> str:
        """The account as it is shown: its country, its check digits and its end."""
        return f"{self.iban[:4]} •••• {self.iban[-4:]}"


class Payee(Party):
    """How a shop is paid and billed (SET-05)."""

    shop = models.ForeignKey(
        Shop, models.PROTECT, related_name="payees", db_index=False, verbose_name=_("tienda")
    )
    vat_seat = models.CharField(_("IVA según su sede"), max_length=12, choices=VatSeat.choices)

    class Meta:
        verbose_name = _("datos de cobro")
        verbose_name_plural = _("datos de cobro")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["shop", "id"], name="payee_of_shop")]


class Issuer(Party):
    """Who pays and bills on a channel: the operator (SET-05)."""

    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", verbose_name=_("canal"))

    class Meta:
        verbose_name = _("datos del operador")
        verbose_name_plural = _("datos del operador")
        ordering = ["-id"]
