"""Conversations: threads on an order, or on none, and their messages; who each message is for is on the message."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.models import Channel
from marketplace.policy import ROLE_LABELS, Role
from orders.models import Order, Request
from sellers.models import Membership, Shop, Supplier, User


def _by_date(name: str, whose: F, which: Q) -> models.Index:
    """What carries a list of threads, the last written in first."""
    return models.Index(whose, F("written_at").desc(), F("id").desc(), name=name, condition=which)


class Thread(models.Model):
    """A conversation of a shop: with the customer of an order, its operator, or both; with one of its suppliers; with
    the operator about no order at all (MSG-01, MSG-14).

    `waiting` is how many messages wait for the shop's answer, `answer_by` the first of their deadlines;
    `operator_waits_since` the first of those that wait for the operator; `with_customer` and `with_operator` whether
    they have a part in it; `written_at` is the moment of the last message, `messages_count` how many there are. All of
    these mirror its messages. `request` is what it asks for, where it asks for an act on the order (ROL-05). That of an
    incident is answered in the time of incidents (INC-09).
    """

    shop = models.ForeignKey(
        Shop, models.PROTECT, related_name="threads", db_index=False, verbose_name=_("tienda")
    )
    channel = models.ForeignKey(
        Channel, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("canal")
    )
    order = models.ForeignKey(
        Order,
        models.CASCADE,
        null=True,
        related_name="threads",
        db_index=False,
        db_constraint=False,
        verbose_name=_("pedido"),
    )
    supplier = models.ForeignKey(
        Supplier,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=pgettext_lazy("of a shop", "proveedor"),
    )
    assignee = models.ForeignKey(
        Membership, models.SET_NULL, null=True, related_name="+", verbose_name=_("quién la lleva")
    )
    request = models.OneToOneField(
        Request,
        models.CASCADE,
        null=True,
        related_name="thread",
        db_constraint=False,
        verbose_name=_("petición"),
    )
    reason_code = models.CharField(_("motivo de contacto"), max_length=50, default="")
    subject = models.CharField(_("asunto"), max_length=120, default="")
    of_incident = models.BooleanField(_("de una incidencia"), default=False, db_default=False)
    started_at = models.DateTimeField(_("empezó"))
    written_at = models.DateTimeField(_("último mensaje"))
    messages_count = models.PositiveIntegerField(_("mensajes"), default=0)
    waiting = models.PositiveSmallIntegerField(_("esperan respuesta"), default=0)
    answer_by = models.DateTimeField(_("contestar antes de"), null=True)
    operator_waits_since = models.DateTimeField(_("el operador debe contestar desde"), null=True)
    with_customer = models.BooleanField(_("con el cliente"), default=False, db_default=False)
    with_operator = models.BooleanField(_("con el operador"), default=False, db_default=False)

    class Meta:
        verbose_name = _("conversación")
        verbose_name_plural = _("conversaciones")
        constraints = [models.UniqueConstraint(fields=["shop", "id"], name="thread_of_shop")]
        indexes = [
            models.Index(F("shop"), F("written_at").desc(), F("id").desc(), name="thread_of_shop_by_date"),
            models.Index(fields=["order", "id"], name="thread_of_order", condition=Q(order__isnull=False)),
            models.Index(
                fields=["shop", "answer_by", "id"], name="thread_to_answer", condition=Q(waiting__gt=0)
            ),
            _by_date("thread_with_customer", F("shop"), Q(with_customer=True)),
            _by_date("thread_with_operator", F("shop"), Q(with_operator=True)),
            _by_date("thread_with_supplier", F("shop"), Q(supplier__isnull=False)),
            _by_date("thread_of_assignee", F("assignee"), Q(assignee__isnull=False)),
            models.Index(
                F("shop"),
                F("reason_code"),
                F("written_at").desc(),
                F("id").desc(),
                name="thread_of_reason",
                condition=~Q(reason_code=""),
            ),
            models.Index(F("written_at").desc(), F("id").desc(), name="thread_by_date"),
            models.Index(
                F("shop"),
                F("written_at").desc(),
                F("id").desc(),
                name="thread_about_no_order",
                condition=Q(order__isnull=True),
            ),
            models.Index(
                F("operator_waits_since"),
                name="thread_for_operator",
                condition=Q(operator_waits_since__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.subject or f"{self.pk}"


class CameBy(models.TextChoices):
    """How a message came in."""

    PAGE = "page", _("página")
    MAIL = "mail", _("correo")
    API = "api", _("API")


class Message(models.Model):
    """What somebody wrote in a conversation, and for whom (MSG-03 … MSG-06). It is never changed once it was seen.

    The shop and the operator see every message of a thread, the customer and a supplier what they wrote and what is
    for them. Nobody but its author sees one before `visible_at`: until then it can be taken back. `answer_by` is the
    shop's deadline for what waits for its answer, null for what needs none; `answered_at` when that came, and
    `needs_no_answer` that somebody said that none was needed (MSG-08). `misdirected` is a shop's reply to a notice by
    mail: it is for the operator, whomever it was meant for (MSG-07); `sent_on_as` the message by which the shop sent
    its text on from the platform. With one that `is_invoice` the shop hands in the invoice that the customer asked for
    (DOC-02).
    """

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False)
    thread = models.ForeignKey(
        Thread, models.CASCADE, related_name="messages", db_index=False, db_constraint=False
    )
    role = models.CharField(
        _("papel"), max_length=10, choices=[(role.value, ROLE_LABELS[role]) for role in Role]
    )
    author = models.CharField(_("de"), max_length=150)
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    to_customer = models.BooleanField(_("para el cliente"), default=False)
    to_operator = models.BooleanField(_("para el operador"), default=False)
    to_shop = models.BooleanField(_("para la tienda"), default=False)
    to_supplier = models.BooleanField(_("para el proveedor"), default=False)
    body = models.TextField(_("texto"))
    came_by = models.CharField(_("llegó por"), max_length=4, choices=CameBy, default=CameBy.PAGE)
    misdirected = models.BooleanField(_("contestó al aviso"), default=False)
    is_invoice = models.BooleanField(_("es la factura"), default=False, db_default=False)
    sent_on_as = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+", db_index=False)
    written_at = models.DateTimeField(_("escrito"))
    visible_at = models.DateTimeField(_("se ve desde"))
    answer_by = models.DateTimeField(_("contestar antes de"), null=True)
    answered_at = models.DateTimeField(_("contestado"), null=True)
    needs_no_answer = models.BooleanField(_("no requiere respuesta"), default=False)
    read_by_shop_at = models.DateTimeField(_("leído por la tienda"), null=True)
    read_by_operator_at = models.DateTimeField(_("leído por el operador"), null=True)
    read_by_customer_at = models.DateTimeField(_("leído por el cliente"), null=True)
    words = models.GeneratedField(
        expression=SearchVector("body", config="spanish") + SearchVector("body", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        verbose_name = _("mensaje")
        verbose_name_plural = _("mensajes")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "id"], name="message_of_shop"),
            models.UniqueConstraint(
                fields=["sent_on_as"], condition=Q(sent_on_as__isnull=False), name="message_sent_on_once"
            ),
            models.CheckConstraint(
                condition=Q(to_customer=True) | Q(to_operator=True) | Q(to_shop=True) | Q(to_supplier=True),
                name="message_for_somebody",
            ),
            models.CheckConstraint(
                condition=Q(needs_no_answer=False) | Q(answered_at__isnull=True),
                name="message_answered_or_needless",
            ),
            models.CheckConstraint(
                condition=Q(is_invoice=False) | Q(to_customer=True, role=Role.SELLER.value),
                name="message_invoice_to_customer",
            ),
        ]
        indexes = [
            models.Index(fields=["thread", "id"], name="message_of_thread"),
            models.Index(
                fields=["thread", "id"],
                name="message_waits",
                condition=Q(answer_by__isnull=False, answered_at__isnull=True, needs_no_answer=False),
            ),
            models.Index(
                fields=["shop", "thread"],
                name="message_unread",
                condition=Q(to_shop=True, read_by_shop_at__isnull=True),
            ),
            GinIndex(fields=["shop", "words"], name="message_words_of_shop"),
        ]

    def __str__(self) -> str:
        return f"{self.author}: {self.body[:40]}"
