"""What somebody asked for who may not do it: an act on an order, and the answer of whoever may (ROL-05)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from marketplace.policy import ROLE_LABELS, Role
from orders.models.order import Child, Order
from orders.states import State, Verb
from sellers.models import User

_ROLES = [(role.value, ROLE_LABELS[role]) for role in Role]


class Asking(models.TextChoices):
    """How far a request has come; `overtaken` when the order moved on before anybody answered."""

    OPEN = "open", _("Sin responder")
    APPROVED = "approved", _("Aprobada")
    DECLINED = "declined", _("Denegada")
    WITHDRAWN = "withdrawn", _("Retirada")
    OVERTAKEN = "overtaken", _("Ya no procede")


class Request(Child):
    """An act on an order that was asked for by somebody without the right to it, and what became of that (ROL-05).

    `asked_of` is who it is put to first; whoever has the right when it is answered may answer it. `order_state` is
    where the order was: the request lapses when it leaves that state. `facts` is what the act needs besides a reason.
    """

    order = models.ForeignKey(
        Order,
        models.CASCADE,
        related_name="requests",
        db_constraint=False,
        db_index=False,
        verbose_name=_("pedido"),
    )
    verb = models.CharField(_("qué se pide"), max_length=24, choices=Verb)
    order_state = models.CharField(_("estado del pedido"), max_length=24, choices=State)
    facts = models.JSONField(_("datos"), default=dict)
    reason_code = models.CharField(_("código del motivo"), max_length=50, default="")
    note = models.CharField(_("con sus palabras"), max_length=300, blank=True, default="")
    asked_of = models.CharField(_("a quién se pide"), max_length=10, choices=_ROLES)
    asked_at = models.DateTimeField(_("pedido el"))
    asked_role = models.CharField(_("papel"), max_length=10, choices=_ROLES)
    asked_by = models.CharField(_("lo pide"), max_length=150)
    asked_user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    state = models.CharField(_("estado"), max_length=10, choices=Asking, default=Asking.OPEN)
    answered_at = models.DateTimeField(_("respondida"), null=True)
    answered_by = models.CharField(_("respondida por"), max_length=150, blank=True, default="")
    answer = models.CharField(_("respuesta"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("petición")
        verbose_name_plural = _("peticiones")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "id"], name="request_of_shop"),
            models.UniqueConstraint(
                fields=["order", "verb"], name="request_open_once", condition=Q(state="open")
            ),
            models.CheckConstraint(condition=Q(state__in=Asking.values), name="request_state_known"),
            models.CheckConstraint(
                condition=Q(state="open", answered_at=None)
                | (~Q(state="open") & Q(answered_at__isnull=False)),
                name="request_answered",
            ),
        ]
        indexes = [
            models.Index(fields=["order", "-id"], name="request_of_order"),
            models.Index(
                F("shop"), F("asked_at"), F("id"), name="request_open_of_shop", condition=Q(state="open")
            ),
            models.Index(F("asked_of"), F("id"), name="request_open_for", condition=Q(state="open")),
        ]

    def __str__(self) -> str:
        return str(Verb(self.verb).label)
