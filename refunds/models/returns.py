"""Returns: what a customer gives back, and how far it has come (REF-09)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField

from marketplace.models import Carrier
from messaging.models import Message
from orders.models import Line, Order
from refunds.models.refunds import Refund
from refunds.states import OPEN, ReturnMachine, ReturnState
from sellers.models import Shop


class ReturnRequest(ReturnMachine, models.Model):
    """That a customer gives articles of an order back: why, in whose words, and what has become of it.

    `number` counts those of the order; `reason_code` is of the operators' list, `text` in the customer's own words.
    `since` is when its state began, `due_by` until when that may last, `late_at` when it was noticed that it lasts
    longer and nothing follows from it by itself; `presumed` that a deadline of the shop passed and counted as its word.
    `instructions` is the message to the customer that says how to send it, with the label as its file. `answer_code`
    and `answer` say why it was not taken. `sent_*` is how the customer sent it, `new_*` the parcel of the replacement.
    """

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False, verbose_name=_("tienda"))
    order = models.ForeignKey(
        Order,
        models.PROTECT,
        related_name="return_requests",
        db_index=False,
        db_constraint=False,
        verbose_name=_("pedido"),
    )
    number = models.PositiveSmallIntegerField(_("número"))
    state = FSMField(
        _("estado"),
        max_length=10,
        choices=ReturnState.choices,
        default=ReturnState.ASKED,
        protected=True,
    )
    since = models.DateTimeField(_("en este estado desde"))
    due_by = models.DateTimeField(_("plazo"), null=True)
    late_at = models.DateTimeField(_("con retraso desde"), null=True)
    presumed = models.BooleanField(_("por silencio de la tienda"), default=False, db_default=False)
    reason_code = models.CharField(_("código del motivo"), max_length=50)
    text = models.TextField(_("texto"), blank=True, default="")
    asked_at = models.DateTimeField(_("pedida"))
    asked_by = models.CharField(_("la pide"), max_length=160)
    accepted_at = models.DateTimeField(_("aceptada"), null=True)
    answer_code = models.CharField(
        _("código de la respuesta"), max_length=50, blank=True, default="", db_default=""
    )
    answer = models.TextField(_("respuesta"), blank=True, default="", db_default="")
    instructed_at = models.DateTimeField(_("instrucciones"), null=True)
    instructions = models.ForeignKey(
        Message, models.PROTECT, null=True, related_name="+", verbose_name=_("mensaje con las instrucciones")
    )
    sent_at = models.DateTimeField(_("mandada"), null=True)
    sent_carrier = models.CharField(
        _("con quién se manda"), max_length=80, blank=True, default="", db_default=""
    )
    sent_tracking = models.CharField(_("seguimiento"), max_length=80, blank=True, default="", db_default="")
    received_at = models.DateTimeField(_("recibida"), null=True)
    inspected_at = models.DateTimeField(_("revisada"), null=True)
    refund = models.ForeignKey(
        Refund, models.PROTECT, null=True, related_name="returns", verbose_name=_("reembolso")
    )
    new_carrier = models.ForeignKey(
        Carrier, models.PROTECT, null=True, related_name="+", verbose_name=_("transportista del recambio")
    )
    new_carrier_name = models.CharField(
        _("transportista del recambio"), max_length=80, blank=True, default="", db_default=""
    )
    new_tracking = models.CharField(
        _("seguimiento del recambio"), max_length=80, blank=True, default="", db_default=""
    )
    ended_at = models.DateTimeField(_("terminada"), null=True)

    class Meta:
        verbose_name = _("devolución")
        verbose_name_plural = _("devoluciones")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "id"], name="return_of_shop"),
            models.UniqueConstraint(fields=["order", "number"], name="return_numbered"),
            models.CheckConstraint(condition=Q(state__in=ReturnState.values), name="return_state_known"),
            models.CheckConstraint(
                condition=Q(state__in=[str(state) for state in OPEN], ended_at=None)
                | (~Q(state__in=[str(state) for state in OPEN]) & Q(due_by=None, late_at=None)),
                name="return_ends",
            ),
        ]
        indexes = [
            models.Index(fields=["order", "id"], name="return_of_order"),
            models.Index(
                F("due_by"), F("id"), name="return_due", condition=Q(due_by__isnull=False, late_at=None)
            ),
            models.Index(
                F("shop"),
                F("since").desc(),
                F("id").desc(),
                name="return_of_shop_latest",
            ),
            models.Index(
                F("shop"),
                F("due_by"),
                F("id"),
                name="return_open_of_shop",
                condition=Q(state__in=[str(state) for state in OPEN]),
            ),
            models.Index(F("id"), name="return_late", condition=Q(late_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.order.reference}/{self.number}"

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.state in OPEN


class ReturnLine(models.Model):
    """How many units of a line are to be given back; once they were looked at, how many of them are `good`, that is as
    they were sent, and what is wrong with the others."""

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False)
    request = models.ForeignKey(
        ReturnRequest, models.CASCADE, related_name="lines", db_index=False, db_constraint=False
    )
    line = models.ForeignKey(Line, models.PROTECT, related_name="+", db_constraint=False)
    units = models.PositiveIntegerField(_("unidades"))
    good = models.PositiveIntegerField(_("unidades dadas por buenas"), null=True)
    flaw = models.CharField(
        _("qué les pasa a las demás"), max_length=300, blank=True, default="", db_default=""
    )

    class Meta:
        verbose_name = _("línea de una devolución")
        verbose_name_plural = _("líneas de las devoluciones")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["request", "line"], name="return_line_once"),
            models.CheckConstraint(condition=Q(units__gt=0), name="return_line_not_empty"),
            models.CheckConstraint(
                condition=Q(good=None) | Q(good__lte=F("units")), name="return_line_good_of_its_units"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.line_id} ×{self.units}"
