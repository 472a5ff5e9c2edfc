"""The page of every mail that the site writes, for those who build and run it: text and HTML, narrow and wide."""

from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_safe
from jinja2 import TemplateError

from dashboard.mail_samples import Sample, sample, samples
from messaging.documents import Letters
from messaging.event_words import event_word
from messaging.views import FRAMED

LANGUAGES = ("es", "en")


def _allowed(request: HttpRequest) -> None:
    """Raises Http404 for whoever neither builds nor runs the site."""
    if not (settings.DEVELOPMENT or (request.user.is_authenticated and request.user.is_staff)):
        raise Http404


def _written(sample: Sample, letters: Letters) -> tuple[EmailMultiAlternatives | None, str]:
    """The mail of a sample, or what is wrong with its template."""
    try:
        return letters.mail(sample.notice), ""
    except (TemplateError, LookupError, TypeError, ValueError) as flaw:
        return None, f"{type(flaw).__name__}: {flaw}"


def _html(mail: EmailMultiAlternatives) -> str:
    return str(mail.alternatives[0][0])


def _found(name: str, language: str, all_of: list[Sample]) -> Sample:
    """The sample of this name; the first where none is named. Raises Http404."""
    wanted = next((one for one in all_of if one.name == name), None) if name else all_of[0]
    if wanted is None or language not in LANGUAGES:
        raise Http404
    return wanted


@require_safe
def mails(request: HttpRequest, name: str = "", language: str = "es") -> HttpResponse:
    """All mails in a list, and the one that was chosen as its reader gets it (NOT-01)."""
    _allowed(request)
    letters, all_of = Letters(), samples(timezone.now(), language)
    chosen = _found(name, language, all_of)
    listed: list[dict[str, Any]] = []
    for one in all_of:
        mail, flaw = _written(one, letters)
        listed.append({
            "sample": one, "event": event_word(one.event), "to": str(one.audience.label), "flaw": flaw,
            "subject": mail.subject if mail else "", "current": one.name == chosen.name,
        })  # fmt: skip
    mail, flaw = _written(chosen, letters)
    told = {
        "mails": listed, "chosen": chosen, "mail": mail, "flaw": flaw, "tongue": language,
        "languages": [(code, code == language) for code in LANGUAGES],
        "title": f"{event_word(chosen.event)} · {chosen.audience.label}", "what": chosen.what or _("lo corriente"),
        "template": f"templates/mail/{chosen.event}_{chosen.audience}.jinja",
        "broken": sum(1 for one in listed if one["flaw"]),
    }  # fmt: skip
    return render(request, "dashboard/mails.jinja", told)


@require_safe
@xframe_options_sameorigin
@csp_override(FRAMED)
def mail_html(request: HttpRequest, name: str, language: str) -> HttpResponse:
    """The HTML of a mail, which may do nothing but be read."""
    _allowed(request)
    wanted = sample(name, timezone.now(), language) if language in LANGUAGES else None
    if wanted is None:
        raise Http404
    mail, flaw = _written(wanted, Letters())
    return HttpResponse(_html(mail)) if mail else HttpResponse(flaw, status=500, content_type="text/plain")
