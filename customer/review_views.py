"""The customer's review of their order (REV-03)."""

from django.http import HttpResponse
from django.utils import timezone

from customer.access import CustomerRequest, by_link
from customer.forms import ReviewForm
from customer.views import either, finished, order_with, page_of
from marketplace.bell import ring
from marketplace.refusals import Code, MoveRefused, Refusal
from quality import services
from quality.models import STARS
from quality.queries import review_of


@by_link
@either
def review(request: CustomerRequest) -> HttpResponse:
    """Say how it was, in stars and words, once."""
    order = request.order
    if review_of(order) is not None:
        return finished(request, "customer_order", "valorado")
    code = services.judge_review(order, by=request.actor)
    if code is not None:
        return order_with(request, Refusal(order.id, code))
    form = ReviewForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        told = {"form": form, "stars": STARS}
        status = 422 if form.is_bound else 200
        return page_of(request, "customer_review", "customer/review.jinja", told, status)
    given = form.cleaned_data
    try:
        services.write_review(order, given["stars"], given["text"], by=request.actor, at=timezone.now())
    except MoveRefused as refused:
        if refused.refusal.code != Code.DUPLICATE:
            return order_with(request, refused.refusal)
    ring("notices")
    return finished(request, "customer_order", "valorado")
