"""Where payment providers knock."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from marketplace import bell
from payments import webhooks
from payments.states import TurnedAway


@csrf_exempt
@require_POST
def stripe_webhook(request: HttpRequest, channel: str) -> HttpResponse:
    """Hear what Stripe tells a channel of its own accord (PAY-02).

    Answers 200 to all that was genuine, also what came before or is nobody's, so that Stripe does not send it again.
    """
    signature = request.headers.get("Stripe-Signature", "")
    try:
        heard, timers = webhooks.receive(channel, request.body, signature, at=timezone.now())
    except webhooks.NotHeard as refusal:
        status = 404 if refusal.reason == TurnedAway.NO_CHANNEL else 400
        return HttpResponse(refusal.reason.value, status=status, content_type="text/plain")
    bell.ring(*timers)
    return HttpResponse(heard.value, content_type="text/plain")
