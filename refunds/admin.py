"""What operators do with an undelivered parcel in a shop's stead (EXC-04, ROL-02)."""

from collections.abc import Sequence
from datetime import datetime

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.policy import Role
from marketplace.refusals import Outcome
from marketplace.rooms import Panel, link, moment
from orders.admin_forms import FORMS, VerbForm
from orders.admin_panels import ORDER_PANELS
from orders.models import Order
from orders.signals import Moved
from orders.states import Verb
from refunds import (
    admin_refunds,  # noqa: F401
    redirecting,
)
from refunds.models import Redirect
from refunds.return_admin import ReturnAdmin
from sellers.desk import Actor

__all__ = ["RedirectForm", "ReturnAdmin"]

_SITE = Actor(Role.OPERATOR, "")


class RedirectForm(VerbForm):
    """To which order of the shop the parcel goes: those that fit, the best first."""

    verb = Verb.REDIRECT
    target = forms.TypedChoiceField(
        label=gettext_lazy("Va al pedido"),
        coerce=int,
        help_text=gettext_lazy(
            "Los que esperan los mismos artículos en la misma zona, primero el más cercano. Si falta alguno, mira sus "
            "códigos postales en «Zonas»."
        ),
    )

    def build(self) -> None:
        if self.order is None:
            return
        found = redirecting.propose(self.order, by=_SITE, at=self.order.moved_at)
        choices = [
            (one.order.id, f"{one.order.reference} · {one.order.postal_code} {one.order.city}")
            for one in found.fits
        ]
        self.fields["target"].choices = [("", _("Elige un pedido")), *choices]  # type: ignore[attr-defined]

    def carry_out(self, order_ids: Sequence[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
        return redirecting.redirect(order_ids[0], self.cleaned_data["target"], by=by, at=at)


FORMS[Verb.REDIRECT] = RedirectForm


def redirects_panel(order: Order) -> Panel:
    """Which order the parcel of this one went to, and which one its own came from."""
    headers = (_("Del pedido"), _("Al pedido"), _("Cuándo"), _("Quién"))
    rows = Redirect.objects.filter(source=order) | Redirect.objects.filter(target=order)
    told = [
        (link(one.source), link(one.target), moment(one.at), one.by)
        for one in rows.select_related("source", "target").order_by("id")
    ]
    return Panel(_("Redirecciones"), headers, told)


ORDER_PANELS.append(redirects_panel)
