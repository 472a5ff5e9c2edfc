"""The pages of the local mailbox, where mail does not really go out; and the door of mail providers."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.csp import CSP
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csp import csp_override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from marketplace import bell
from messaging.inbound import receiving
from messaging.mailbox import Kept, find, latest
from messaging.models import NotHeard, NotTaken

logger = logging.getLogger(__name__)

PAGE = 50

FRAMED: dict[str, list[str]] = {
    "default-src": [CSP.NONE],
    "style-src": [CSP.UNSAFE_INLINE],
    "img-src": ["data:"],
    "form-action": [CSP.NONE],
    "frame-ancestors": [CSP.SELF],
    "sandbox": ["allow-top-navigation-by-user-activation"],
}
"""What a mail may do in a page of ours: be read, and lead away when it is clicked."""

type View = Callable[..., HttpResponse]


def _local(view: View) -> View:
    """A page that exists only where mails are kept in the local mailbox."""

    @wraps(view)
    def seen(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        backend = settings.MAILERS["default"]["BACKEND"]
        if not settings.DEVELOPMENT or backend != "messaging.mailbox.MailboxBackend":
            raise Http404
        return view(request, *args, **kwargs)

    return seen


def _kept(name: str) -> Kept:
    kept = find(name)
    if kept is None:
        raise Http404
    return kept


@require_safe
@_local
def mailbox(request: HttpRequest) -> HttpResponse:
    """The mails, newest first, a page at a time; a page that makes no sense is the first."""
    asked = request.GET.get("pagina", "")
    page = int(asked) if asked.isascii() and asked.isdigit() and 0 < len(asked) < 7 else 1
    page = max(page, 1)
    found = latest(start=(page - 1) * PAGE, count=PAGE + 1)
    context = {"mails": found[:PAGE], "page": page, "more": len(found) > PAGE}
    return render(request, "mailbox/list.jinja", context)


@require_safe
@_local
def mail(request: HttpRequest, name: str) -> HttpResponse:
    """One mail: its headers, its text and its HTML, which is a document of its own."""
    kept = _kept(name)
    return render(
        request, "mailbox/mail.jinja", {"mail": kept, "text": kept.part("plain"), "html": kept.part("html")}
    )


@require_safe
@_local
@xframe_options_sameorigin
@csp_override(FRAMED)
def mail_html(request: HttpRequest, name: str) -> HttpResponse:
    """The HTML of a mail, which may do nothing but be read; its links open in the place of the whole page."""
    html = _kept(name).part("html")
    if not html:
        raise Http404
    return HttpResponse(html.replace("<head>", '<head><base target="_top">', 1))


@require_POST
@_local
def mail_answer(request: HttpRequest, name: str) -> HttpResponse:
    """Answer a mail of the local mailbox as its reader would: by the same way as any mail that comes in (MSG-07)."""
    kept = _kept(name)
    if not kept.reply_to:
        raise Http404
    answer = kept.answer(request.POST.get("text", ""), request.FILES.getlist("files"))
    receipt = receiving.receive(answer.as_bytes(), source="mailbox", at=timezone.now())
    if receipt.is_done:
        bell.ring("notices")
        messages.success(
            request, _("Ha entrado como cualquier correo: %(words)s") % {"words": receipt.words()}
        )
    else:
        messages.error(request, _("No ha entrado: %(words)s") % {"words": receipt.words()})
    return HttpResponseRedirect(reverse("mail", args=[name]), status=303)


@csrf_exempt
@require_POST
def mail_webhook(request: HttpRequest, provider: str) -> HttpResponse:
    """Hear from a mail provider which of our mails came back (NOT-01).

    Answers 200 to all that was genuine, also what is nobody's, so that it is not sent again; 404 without a secret.
    """
    from messaging import (
        webhooks,  # the readers of every provider's letters are loaded by the first who writes
    )

    if not webhooks.is_open(provider):
        raise Http404
    try:
        told = webhooks.receive(provider, request, at=timezone.now())
    except webhooks.TurnedAway as refusal:
        status = 403 if refusal.reason == NotHeard.SIGNATURE else 400
        return HttpResponse(refusal.reason.value, status=status, content_type="text/plain")
    words = " ".join(f"{heard}={n}" for heard, n in told.items())
    return HttpResponse(words, content_type="text/plain")


@csrf_exempt
@require_POST
def mail_inbound(request: HttpRequest, provider: str) -> HttpResponse:
    """Take in the answers to our mails that a mail provider hands over (MSG-07).

    Answers 200 to all that was genuine, also what is turned away, so that it is not sent again; 503 to what can be
    kept later; 404 without a secret.
    """
    from messaging.inbound import providers  # as above
    from messaging.inbound.receiving import NotNow

    if not providers.is_open(provider):
        raise Http404
    try:
        receipts = providers.receive(provider, request, at=timezone.now())
    except providers.TurnedAway as refusal:
        status = 403 if refusal.reason == NotTaken.SIGNATURE else 400
        return HttpResponse(refusal.reason.value, status=status, content_type="text/plain")
    except (NotNow, DatabaseError):
        logger.exception("a mail that %s hands over cannot be kept now", provider)
        return HttpResponse("later", status=503, content_type="text/plain")
    bell.ring("notices")
    return HttpResponse(" ".join(one.words() for one in receipts), content_type="text/plain")
