"""The pages of the centre of notices (NOT-02)."""

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from messaging import centre
from sellers.access import DeskRequest, at_the_desk

PAGE = 30


@require_safe
@at_the_desk
def notices(request: DeskRequest) -> HttpResponse:
    """What the shop was told, what this person has not read first."""
    asked = request.GET.get("antes", "")
    known = asked.removeprefix("-").isdigit() and asked.isascii() and len(asked) < 19
    before = int(asked) if known and int(asked) else None
    rows, more = centre.page(request.membership, before=before, count=PAGE)
    told = {
        "section": "notices",
        "now": timezone.now(),
        "rows": rows,
        "first": before is None,
        "upto": max((row.notice.id for row in rows if not row.read), default=0),
        "next": reverse("notices", query={"antes": str(more)}) if more else "",
    }
    return render(request, "messaging/notices.jinja", told)


@require_safe
@at_the_desk
def notice(request: DeskRequest, notice_id: int) -> HttpResponse:
    """Go to what a notice is about; it counts as read."""
    found = centre.told_to(request.membership).filter(id=notice_id).first()
    if found is None:
        raise Http404
    centre.see(request.membership, found, at=timezone.now())
    return HttpResponseRedirect(centre.leads_to(found) or reverse("notices"))


@require_POST
@at_the_desk
def notices_read(request: DeskRequest) -> HttpResponse:
    """Count as read everything up to the newest notice that was on the page."""
    asked = request.POST.get("hasta", "")
    if asked.isascii() and asked.isdigit() and len(asked) < 19:
        centre.see_all(request.membership, upto=int(asked), at=timezone.now())
    return HttpResponseRedirect(reverse("notices"))
