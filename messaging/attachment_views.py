"""Files of messages, handed out one by one to who may read the message, and written down (MSG-13, DOC-04)."""

import logging

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from marketplace import storage
from messaging import attachments, readers
from messaging.models import Attachment, Message
from sellers import desk
from sellers.access import memberships
from sellers.desk import Actor
from sellers.models import User

logger = logging.getLogger(__name__)

PREVIEW = "vista"
"""In the query of a file's address: the small picture of it, for a page."""

PREVIEW_KEPT_S = 600

NOTHING = "default-src 'none'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'; sandbox"
"""What a file may do that a browser is talked into showing: nothing."""


@require_GET
@login_required
def attachment(request: HttpRequest, number: int) -> HttpResponseBase:
    """A file of a message, to a member of its shop or an operator; for everybody else it is not there."""
    assert isinstance(request.user, User)
    at = timezone.now()
    file = Attachment.objects.filter(id=number).only("shop_id").first()
    own = next((one for one in memberships(request.user) if file and one.shop_id == file.shop_id), None)
    if own is not None:
        by = desk.member(own)
        return handed_out(request, readers.of_member(by, own.shop_id, at=at), number, by=by)
    if file is None or not request.user.is_staff:
        raise Http404
    by = desk.operator(request.user)
    return handed_out(request, readers.of_operator(by, at=at), number, by=by)


def handed_out(
    request: HttpRequest, messages: QuerySet[Message], number: int, *, by: Actor
) -> HttpResponseBase:
    """The answer to whoever asks for a file of messages that they may read; `?vista` is its small picture.

    Raises Http404; 503 where the storage does not answer.
    """
    preview = PREVIEW in request.GET
    try:
        file = attachments.open_for(messages, number, preview=preview, by=by, at=timezone.now())
    except Attachment.DoesNotExist:
        raise Http404 from None
    except storage.Missing as missing:
        logger.error("a file has no blob: %s", missing)
        raise Http404 from None
    except storage.Unreachable:
        answer: HttpResponse = render(request, "messaging/no_file.jinja", status=503)
        return answer
    return _response(file, preview=preview)


def _response(file: attachments.HandedOut, *, preview: bool) -> FileResponse:
    answer = FileResponse(file.blob, content_type=file.content_type)
    shown = content_disposition_header(as_attachment=not preview, filename=file.name)
    answer["Content-Disposition"] = shown or "inline"
    answer["Content-Length"] = str(file.size)
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = NOTHING
    answer["Cross-Origin-Resource-Policy"] = "same-origin"
    answer["Cache-Control"] = f"private, max-age={PREVIEW_KEPT_S}" if preview else "private, no-store"
    return answer
