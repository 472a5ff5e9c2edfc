"""A shop's templates: the list with the operators' beside its own, and the page of one (MSG-12)."""

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.refusals import Code, MoveRefused
from messaging.models import Template
from messaging.template_forms import TemplateForm
from messaging.templates import Variable
from messaging.templating import drop_template, keep_template, may_keep
from sellers.access import DeskRequest, at_the_desk
from sellers.desk import Right, who_has

_FIELD_OF = {
    Code.NAME_TAKEN: "name",
    Code.EMPTY_MESSAGE: "body",
    Code.TOO_LONG: "body",
    Code.NO_SUCH_VARIABLE: "body",
}
"""Beside which box a refusal is said; the others above the form."""


class SeeOther(HttpResponseRedirect):
    """Done; look at the result there, with a GET."""

    status_code = 303


@require_safe
@at_the_desk
def templates(request: DeskRequest) -> HttpResponse:
    """The templates that the shop can choose from: its own, and the operators', of which it can take a copy."""
    rows = list(
        Template.objects.filter(Q(shop=request.shop) | Q(shop=None, active=True)).select_related("channel")
    )
    rows.sort(key=lambda one: (one.language != request.shop.language, one.name.lower(), one.pk))
    told = {
        "own": [one for one in rows if one.shop_id],
        "everybodys": [one for one in rows if not one.shop_id],
        "may_keep": may_keep(request.actor),
        "who_may": who_has(Right.TEMPLATES),
    }
    return render(request, "messaging/templates.jinja", told)


def _own(request: DeskRequest, template_id: int) -> Template:
    found = Template.objects.filter(shop=request.shop, id=template_id).first()
    if found is None:
        raise Http404
    return found


def _no_right(request: DeskRequest) -> HttpResponse:
    told = {"who": who_has(Right.TEMPLATES)}
    return render(request, "messaging/no_right.jinja", told, status=403)


@require_http_methods(["GET", "HEAD", "POST"])
@at_the_desk
def template(request: DeskRequest, template_id: int | None = None) -> HttpResponse:
    """A template of the shop's own, or a new one; `?de=<id>` starts with the words of one of the operators'."""
    one = _own(request, template_id) if template_id else None
    if not may_keep(request.actor):
        return _no_right(request)
    status = 200
    if request.method == "POST":
        form = TemplateForm(request.POST)
        kept, status = _keep(request, form, one)
        if kept is not None:
            messages.success(request, _("Guardada: «%(name)s».") % {"name": kept.name})
            return SeeOther(reverse("templates"))
    else:
        form = TemplateForm(initial=TemplateForm.of(one) if one else _copied(request))
    variables = [(f"{{{{{each.value}}}}}", each.label) for each in Variable]
    told = {"form": form, "template": one, "variables": variables}
    return render(request, "messaging/template.jinja", told, status=status)


def _copied(request: DeskRequest) -> dict[str, str]:
    """The words of a template of the operators' to start with, or those of an empty one."""
    asked = request.GET.get("de", "")
    key = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0
    found = Template.objects.filter(shop=None, active=True, id=key).first()
    if found is None:
        return {"language": request.shop.language, "audience": "customer"}
    return {**TemplateForm.of(found), "seen": ""}


def _keep(request: DeskRequest, form: TemplateForm, one: Template | None) -> tuple[Template | None, int]:
    """Write a template down as it was sent; answers it, or the status of the page that says why not."""
    if not form.is_valid():
        return None, 422
    seen = form.cleaned_data["seen"] if one else None
    try:
        kept = keep_template(
            request.shop,
            form.written,
            template_id=one.pk if one else None,
            seen=seen,
            by=request.actor,
            at=timezone.now(),
        )
    except MoveRefused as refused:
        form.add_error(_FIELD_OF.get(refused.refusal.code), refused.refusal.text)
        return None, 409
    except Template.DoesNotExist:
        raise Http404 from None
    return kept, 303


@require_POST
@at_the_desk
def drop(request: DeskRequest, template_id: int) -> HttpResponse:
    """Take a template of the shop's own away."""
    one = _own(request, template_id)
    try:
        drop_template(request.shop, one.pk, by=request.actor)
    except MoveRefused:
        return _no_right(request)
    except Template.DoesNotExist:
        raise Http404 from None
    messages.success(request, _("Quitada: «%(name)s».") % {"name": one.name})
    return SeeOther(reverse("templates"))
