"""The shop's page of reviews: its score, what customers said, whom it can still remind (REV-02, REV-03)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import localize
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.bell import ring
from marketplace.refusals import MoveRefused
from orders.queries import get_order
from quality import queries, services
from quality.forms import ReminderForm
from quality.models import STARS, ReviewRequest
from sellers.access import DeskRequest, at_the_desk
from sellers.desk import Right, who_has

PAGE = 50


@require_safe
@at_the_desk
def reviews(request: DeskRequest) -> HttpResponse:
    """The score and the reviews of the shop, of one number of stars if asked; or the requests nobody answered."""
    waiting = request.GET.get("ver") == "sin-respuesta"
    score = queries.score_of(request.shop)
    told: dict[str, Any] = {
        "section": "reviews",
        "now": timezone.now(),
        "score": score,
        "mean": localize(round(score.stars, 1)) if score.stars is not None else "–",
        "by_stars": queries.by_stars(request.shop),
        "waiting_list": waiting,
        "stars": None,
    }
    told |= _unanswered(request) if waiting else _written(request)
    return render(request, "quality/reviews.jinja", told)


def _place(request: DeskRequest) -> tuple[datetime, int] | None:
    """Where a page of the list begins: after this moment and row."""
    moment, _sep, row_id = request.GET.get("despues", "").partition("_")
    if not (row_id.isascii() and row_id.isdigit() and len(row_id) < 19):
        return None
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return (at, int(row_id)) if at.utcoffset() is not None else None


def _written(request: DeskRequest) -> dict[str, Any]:
    rows = queries.reviews_of(request.shop)
    asked = request.GET.get("estrellas", "")
    stars = int(asked) if asked in {str(n) for n in STARS} else None
    if stars is not None:
        rows = rows.filter(stars=stars)
    after = _place(request)
    if after is not None:
        rows = queries.after(rows, "written_at", after)
    found = list(rows[: PAGE + 1])
    last = found[PAGE - 1] if len(found) > PAGE else None
    more = {"estrellas": stars} if stars else {}
    return {
        "rows": found[:PAGE],
        "stars": stars,
        "first": after is None,
        "next": _next(more, last.written_at, last.id) if last else "",
    }


def _unanswered(request: DeskRequest) -> dict[str, Any]:
    rows = queries.unanswered_of(request.shop)
    after = _place(request)
    if after is not None:
        rows = queries.after(rows, "asked_at", after)
    found = list(rows[: PAGE + 1])
    last: ReviewRequest | None = found[PAGE - 1] if len(found) > PAGE else None
    return {
        "requests": found[:PAGE],
        "first": after is None,
        "may_remind": request.actor.may(Right.ANSWER),
        "next": _next({"ver": "sin-respuesta"}, last.asked_at, last.id) if last and last.asked_at else "",
    }


def _next(more: Mapping[str, object], at: datetime, row_id: int) -> str:
    query = {**{key: str(value) for key, value in more.items()}, "despues": f"{at.isoformat()}_{row_id}"}
    return reverse("reviews", query=query)


@require_http_methods(["GET", "HEAD", "POST"])
@at_the_desk
def remind(request: DeskRequest, reference: str) -> HttpResponse:
    """Write to a customer who has not answered the request for a review, once (REV-02)."""
    order = get_order(request.membership, reference)
    address = reverse("reviews", query={"ver": "sin-respuesta"})
    if not request.actor.may(Right.ANSWER):
        told = {"order": order, "who": who_has(Right.ANSWER)}
        return render(request, "orders/no_right.jinja", told, status=403)
    form = ReminderForm(request.POST if request.method == "POST" else None)
    refusal, status = None, 422 if form.is_bound else 200
    if form.is_valid():
        try:
            services.remind(order, form.cleaned_data["text"], by=request.actor, at=timezone.now())
        except MoveRefused as refused:
            refusal, status = refused.refusal, 409
        else:
            ring("notices")
            messages.success(request, _("Recordatorio enviado."))
            return HttpResponseRedirect(address)
    page = {"section": "reviews", "order": order, "form": form, "refusal": refusal, "back": address}
    return render(request, "quality/remind.jinja", page, status=status)
