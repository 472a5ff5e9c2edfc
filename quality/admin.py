"""The operators' room of reviews: what customers said, hidden with a reason where it must be (REV-03)."""

from typing import Any

from django import forms
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.rooms import (
    EstimatingPaginator,
    ReadingRoom,
    RoomForm,
    ShopFilter,
    act,
    column,
    link,
    register,
    shortened,
    tell,
)
from quality import services
from quality.models import Review
from sellers.desk import operator

AT_MOST = 1000


class HiddenFilter(SimpleListFilter):
    """Reviews that anybody can read, or that were hidden."""

    title = gettext_lazy("vista")
    parameter_name = "hidden"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", _("a la vista")), ("yes", _("oculta"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Review]) -> QuerySet[Review]:
        chosen = self.value()
        return queryset if chosen is None else queryset.filter(hidden_at__isnull=chosen == "no")


class HideForm(RoomForm):
    """Why a review is taken out of sight."""

    because = forms.CharField(
        label=gettext_lazy("Por qué se oculta"),
        max_length=200,
        help_text=gettext_lazy(
            "La tienda sigue viendo la valoración, con el porqué; quien la escribió ya no la ve."
        ),
    )


@register(Review)
class ReviewAdmin(ReadingRoom):
    """What customers said of shops."""

    list_display = ("order_word", "shop_word", "stars", "said", "author", "written_at", "hidden_at")
    list_filter = (HiddenFilter, "stars", ("shop", ShopFilter))
    list_select_related = ("order", "shop")
    ordering = ("-id",)
    sortable_by = ()
    paginator = EstimatingPaginator
    actions = ("hide", "show")
    fields = (
        ("order_word", "shop_word", "stars"),
        "text",
        ("author", "written_at"),
        ("hidden_at", "hidden_by", "hidden_because"),
    )
    readonly_fields = ("order_word", "shop_word")

    def name_of(self, row: Review) -> str:
        return f"{row.order} · {row.stars}"

    @column(gettext_lazy("Pedido"))
    def order_word(self, row: Review) -> str:
        return link(row.order)

    @column(gettext_lazy("Opinión"))
    def said(self, row: Review) -> str:
        return shortened(row.text) or "–"

    def _names(self, rows: QuerySet[Review], ids: list[int]) -> dict[int, str]:
        return {one.pk: self.name_of(one) for one in rows.select_related("order").filter(pk__in=ids)}

    @act(gettext_lazy("Ocultar"))
    def hide(self, request: HttpRequest, rows: QuerySet[Review]) -> HttpResponse | None:
        """Ask why, then take the chosen reviews out of sight and out of the score."""
        ids = list(rows.order_by("id").values_list("id", flat=True)[:AT_MOST])
        form = HideForm(request.POST if "apply" in request.POST else None)
        if form.is_valid():
            names = self._names(rows, ids)
            by, at = operator(request.user), timezone.now()  # type: ignore[arg-type]
            told = services.hide(ids, because=form.cleaned_data["because"], by=by, at=at)
            tell(request, told, _("Valoraciones ocultas: %(n)s."), lambda pk: names.get(pk, "–"))
            return None
        carried = [("action", "hide"), ("select_across", "0"), *(("_selected_action", str(pk)) for pk in ids)]
        intro = _("Valoraciones elegidas: %(n)s.") % {"n": len(ids)}
        return self.ask(
            request, form, _("Ocultar"), back=request.get_full_path(), carried=carried, intro=intro
        )

    @act(gettext_lazy("Volver a mostrar"))
    def show(self, request: HttpRequest, rows: QuerySet[Review]) -> None:
        """Bring the chosen reviews back."""
        ids = list(rows.order_by("id").values_list("id", flat=True)[:AT_MOST])
        names = self._names(rows, ids)
        by, at = operator(request.user), timezone.now()  # type: ignore[arg-type]
        told = services.show(ids, by=by, at=at)
        tell(request, told, _("Valoraciones de nuevo a la vista: %(n)s."), lambda pk: names.get(pk, "–"))
