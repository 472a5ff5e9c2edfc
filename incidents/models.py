"""Incidents: what went wrong with lines of an order, and how far it has come (INC-01 … INC-09)."""

from datetime import UTC, datetime

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField

from incidents.states import ClosedHow, IncidentMachine, State, Turn
from marketplace.policy import ROLE_LABELS, Role
from messaging.models import Thread
from orders.models import Line, Order
from sellers.models import Shop

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Where an incident that waits for no answer stands in a list by deadline: after all that do."""


class Incident(IncidentMachine, models.Model):
    """Something wrong with lines of an order, opened by its customer or an operator; `incidents.services` moves it.

    `number` counts those of the order. Of a resolved one, `quiet_since` is the last that was done or said and
    `close_due_at` when it is due to be closed; `review_since` since when it is in the operators' list for that.
    `turn` (who has the ball), `answer_by` (the shop's clock, INC-09) and `messages_count` mirror its conversation.
    """

    shop = models.ForeignKey(
        Shop, models.PROTECT, related_name="incidents", db_index=False, verbose_name=_("tienda")
    )
    order = models.ForeignKey(
        Order,
        models.PROTECT,
        related_name="incidents",
        db_index=False,
        db_constraint=False,
        verbose_name=_("pedido"),
    )
    thread = models.OneToOneField(
        Thread,
        models.PROTECT,
        related_name="incident",
        db_constraint=False,
        verbose_name=_("conversación"),
    )
    number = models.PositiveSmallIntegerField(_("número"))
    reference = models.CharField(_("incidencia"), max_length=80, unique=True)
    state = FSMField(_("estado"), max_length=10, choices=State.choices, default=State.OPEN, protected=True)
    reason_code = models.CharField(_("código del motivo"), max_length=50, default="")
    reason_note = models.CharField(_("motivo"), max_length=300, blank=True, default="")
    opened_at = models.DateTimeField(_("abierta"))
    opened_role = models.CharField(
        _("la abrió"), max_length=10, choices=[(role.value, ROLE_LABELS[role]) for role in Role]
    )
    opened_by = models.CharField(_("abierta por"), max_length=150)
    resolved_at = models.DateTimeField(_("resuelta"), null=True)
    resolved_by = models.CharField(_("resuelta por"), max_length=150, blank=True, default="")
    resolved_code = models.CharField(_("código de cómo se resolvió"), max_length=50, default="")
    resolved_note = models.CharField(_("cómo se resolvió"), max_length=300, blank=True, default="")
    sent_back_at = models.DateTimeField(_("devuelta"), null=True)
    sent_back_reason = models.CharField(_("por qué se devolvió"), max_length=300, blank=True, default="")
    quiet_since = models.DateTimeField(_("en silencio desde"), null=True)
    close_due_at = models.DateTimeField(_("se revisa"), null=True)
    review_since = models.DateTimeField(_("por revisar desde"), null=True)
    closed_at = models.DateTimeField(_("cerrada"), null=True)
    closed_by = models.CharField(_("cerrada por"), max_length=150, blank=True, default="")
    closed_how = models.CharField(
        _("cómo se cerró"), max_length=10, choices=ClosedHow, default="", blank=True
    )
    turn = models.CharField(_("a quién le toca"), max_length=10, choices=Turn, default=Turn.SHOP, blank=True)
    answer_by = models.DateTimeField(_("contestar antes de"), null=True)
    messages_count = models.PositiveIntegerField(_("mensajes"), default=0)

    class Meta:
        verbose_name = _("incidencia")
        verbose_name_plural = _("incidencias")
        constraints = [
            models.UniqueConstraint(fields=["shop", "id"], name="incident_of_shop"),
            models.UniqueConstraint(fields=["order", "number"], name="incident_number_once"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="incident_state_known"),
            models.CheckConstraint(
                condition=Q(state=State.RESOLVED, close_due_at__isnull=False, resolved_at__isnull=False)
                | (~Q(state=State.RESOLVED) & Q(close_due_at=None, quiet_since=None, review_since=None)),
                name="incident_quiet_when_resolved",
            ),
            models.CheckConstraint(
                condition=Q(state=State.CLOSED, closed_at__isnull=False, closed_how__in=ClosedHow.values)
                | (~Q(state=State.CLOSED) & Q(closed_at=None, closed_how="")),
                name="incident_closed_somehow",
            ),
        ]
        indexes = [
            models.Index(
                F("shop"),
                F("closed_at").desc(),
                F("id").desc(),
                name="incident_last_closed",
                condition=Q(state="closed"),
            ),
            models.Index(
                F("shop"),
                Coalesce(F("answer_by"), Value(NEVER)),
                F("id"),
                name="incident_standing",
                condition=Q(state__in=["open", "resolved"]),
            ),
            models.Index(
                F("close_due_at"),
                F("id"),
                name="incident_quiet",
                condition=Q(state="resolved", review_since=None),
            ),
            models.Index(
                F("review_since"),
                F("id"),
                name="incident_to_review",
                condition=Q(review_since__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def standing(self) -> bool:
        """Whether it still holds the money of its order."""
        return bool(self.state != State.CLOSED)


class IncidentLine(models.Model):
    """A line that an incident is about; of a line one incident stands at a time."""

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False)
    incident = models.ForeignKey(
        Incident, models.CASCADE, related_name="lines", db_index=False, db_constraint=False
    )
    line = models.ForeignKey(Line, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    standing = models.BooleanField(_("sin cerrar"), default=True)

    class Meta:
        verbose_name = _("línea de una incidencia")
        verbose_name_plural = _("líneas de las incidencias")
        constraints = [
            models.UniqueConstraint(fields=["incident", "line"], name="incident_line_once"),
            models.UniqueConstraint(fields=["line"], name="line_in_one_incident", condition=Q(standing=True)),
        ]
        indexes = [models.Index(fields=["line"], name="incident_line_of_line")]

    def __str__(self) -> str:
        return f"{self.incident_id} · {self.line_id}"
