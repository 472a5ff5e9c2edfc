"""The pages of the local mailbox; there are none where mail really goes out."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.csp import CSP
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_safe

from messaging.mailbox import Kept, find, latest

PAGE = 50

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
@csp_override(
    {
        "default-src": [CSP.NONE],
        "style-src": [CSP.UNSAFE_INLINE],
        "img-src": ["data:"],
        "form-action": [CSP.NONE],
        "frame-ancestors": [CSP.SELF],
        "sandbox": ["allow-top-navigation-by-user-activation"],
    }
)
def mail_html(request: HttpRequest, name: str) -> HttpResponse:
    """The HTML of a mail, which may do nothing but be read; its links open in the place of the whole page."""
    html = _kept(name).part("html")
    if not html:
        raise Http404
    return HttpResponse(html.replace("<head>", '<head><base target="_top">', 1))
