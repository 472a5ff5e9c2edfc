"""What a customer says of a return that they asked for: that they sent it, or that they keep the articles (REF-09)."""

from django.http import HttpResponse
from django.utils import timezone

from customer.access import CustomerRequest, by_link, look_again, no_page
from customer.forms import SentForm
from customer.views import either, finished, order_with, page_of
from marketplace.bell import ring
from marketplace.refusals import Code, MoveRefused, Refusal
from refunds import return_verbs, returns
from refunds.models import ReturnRequest
from refunds.returning import judge
from refunds.states import ReturnState


def _of(request: CustomerRequest, number: int) -> ReturnRequest | None:
    return next((one for one in returns.requests_of(request.order) if one.number == number), None)


@by_link
@either
def sent(request: CustomerRequest, number: int) -> HttpResponse:
    """Say that it was sent: with whom, and the number to follow it by."""
    row, at = _of(request, number), timezone.now()
    if row is None:
        return no_page(request)
    if row.sent_at is not None:
        return finished(request, "customer_order", "mandada")
    code = judge(row, "send", by=request.actor, at=at)
    if code is not None:
        return order_with(request, Refusal(row.id, code))
    form = SentForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        told = {"form": form, "row": row, "here_args": [number]}
        return page_of(request, "customer_return_sent", "customer/sent.jinja", told, status)
    given = form.cleaned_data
    try:
        return_verbs.send(
            row.id, carrier=given["carrier"], tracking=given["tracking"], by=request.actor, at=at
        )
    except MoveRefused as refused:
        look_again(request)
        if not _is(row, ReturnState.SENT, refused):
            return order_with(request, refused.refusal)
    ring("notices")
    return finished(request, "customer_order", "mandada")


@by_link
@either
def withdraw(request: CustomerRequest, number: int) -> HttpResponse:
    """Keep the articles after all."""
    row, at = _of(request, number), timezone.now()
    if row is None:
        return no_page(request)
    if row.state == ReturnState.WITHDRAWN:
        return finished(request, "customer_order", "retirada")
    code = judge(row, "withdraw", by=request.actor, at=at)
    if code is not None:
        return order_with(request, Refusal(row.id, code))
    if request.method != "POST":
        told = {"row": row, "here_args": [number]}
        return page_of(request, "customer_return_withdraw", "customer/withdraw.jinja", told)
    try:
        return_verbs.withdraw(row.id, by=request.actor, at=at)
    except MoveRefused as refused:
        look_again(request)
        if not _is(row, ReturnState.WITHDRAWN, refused):
            return order_with(request, refused.refusal)
    ring("notices")
    return finished(request, "customer_order", "retirada")


def _is(row: ReturnRequest, state: ReturnState, refused: MoveRefused) -> bool:
    """Whether the same click has done it a moment before."""
    elsewhere = refused.refusal.code == Code.RETURN_ELSEWHERE
    return elsewhere and ReturnRequest.objects.filter(id=row.id, state=state).exists()
