"""What customers say of a shop: the request for a review, the review, the score that they make (REV-01 … REV-03)."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from orders.models import Order
from sellers.models import Shop

STARS = (1, 2, 3, 4, 5)
LONGEST_REVIEW = 2000


class ReviewRequest(models.Model):
    """That a customer is to be asked for a review of an order, once, and may be reminded by the shop, once.

    `ask_at` is when, null once that was done or came to nothing; `settled_at` when nothing more is to be asked: the
    review was written, or the order came back.
    """

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False, verbose_name=_("tienda"))
    order = models.OneToOneField(
        Order, models.CASCADE, related_name="review_request", db_constraint=False, verbose_name=_("pedido")
    )
    ask_at = models.DateTimeField(_("se pide"), null=True)
    asked_at = models.DateTimeField(_("pedida"), null=True)
    reminded_at = models.DateTimeField(_("recordada"), null=True)
    reminded_by = models.CharField(_("la recordó"), max_length=150, blank=True, default="")
    settled_at = models.DateTimeField(_("terminada"), null=True)

    class Meta:
        verbose_name = _("petición de valoración")
        verbose_name_plural = _("peticiones de valoración")
        indexes = [
            models.Index(F("ask_at"), F("id"), name="review_to_ask", condition=Q(ask_at__isnull=False)),
            models.Index(
                F("shop"),
                F("asked_at").desc(),
                F("id").desc(),
                name="review_unanswered",
                condition=Q(asked_at__isnull=False, settled_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return str(self.order_id)


class Review(models.Model):
    """What a customer said of an order, in stars and words; never changed, hidden by operators with a reason."""

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False, verbose_name=_("tienda"))
    order = models.OneToOneField(
        Order, models.CASCADE, related_name="review", db_constraint=False, verbose_name=_("pedido")
    )
    stars = models.PositiveSmallIntegerField(
        _("estrellas"), validators=[MinValueValidator(STARS[0]), MaxValueValidator(STARS[-1])]
    )
    text = models.TextField(_("opinión"), max_length=LONGEST_REVIEW, blank=True, default="")
    author = models.CharField(_("de"), max_length=150)
    written_at = models.DateTimeField(_("escrita"))
    hidden_at = models.DateTimeField(_("oculta desde"), null=True)
    hidden_by = models.CharField(_("la ocultó"), max_length=150, blank=True, default="")
    hidden_because = models.CharField(_("por qué se ocultó"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("valoración")
        verbose_name_plural = _("valoraciones")
        constraints = [models.CheckConstraint(condition=Q(stars__range=(1, 5)), name="review_of_one_to_five")]
        indexes = [models.Index(F("shop"), F("written_at").desc(), F("id").desc(), name="review_of_shop")]

    def __str__(self) -> str:
        return f"{self.stars} · {self.author}"


class Score(models.Model):
    """What the reviews of a shop that are not hidden come to; it mirrors them (REV-03)."""

    shop = models.OneToOneField(Shop, models.CASCADE, primary_key=True, related_name="score")
    reviews_count = models.PositiveIntegerField(_("valoraciones"), default=0)
    stars_sum = models.PositiveIntegerField(_("estrellas"), default=0)

    class Meta:
        verbose_name = _("puntuación")
        verbose_name_plural = _("puntuaciones")

    def __str__(self) -> str:
        return f"{self.stars_sum}/{self.reviews_count}"

    @property
    def stars(self) -> float | None:
        """The mean of the stars; None without a review."""
        return self.stars_sum / self.reviews_count if self.reviews_count else None
