"""The day's orders in figures, for the front page of the operators' rooms; each counts what its list shows."""

from collections.abc import Iterator
from datetime import datetime, time

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketplace import bulk
from marketplace.admin_front import FIGURES, Figure
from marketplace.money import format_money
from marketplace.waits import count_all
from orders.admin_filters import TURNS
from orders.models import Order

LISTED = "admin:orders_order_changelist"


def placed_since(since: datetime) -> list[tuple[str, int, int]]:
    """Orders placed since a moment, as (currency, how many, cents); read shop by shop, the way their index goes."""
    rows = bulk.fetch(
        """
        SELECT o.currency, count(*), sum(o.total_cents)::bigint
          FROM sellers_shop s CROSS JOIN LATERAL (
               SELECT currency, total_cents FROM orders_order WHERE shop_id = s.id AND placed_at >= %s) o
         GROUP BY 1 ORDER BY 2 DESC
        """,
        [since],
    )
    return [(currency, number, cents) for currency, number, cents in rows]


def midnight(now: datetime) -> datetime:
    """When the day of a moment began on the site's clocks."""
    return timezone.make_aware(datetime.combine(timezone.localdate(now), time()))


def order_figures(now: datetime) -> Iterator[Figure]:
    """What came in today, and what is whose turn."""
    today = placed_since(midnight(now))
    listed = reverse(LISTED)
    amounts = " · ".join(format_money(cents, currency) for currency, _n, cents in today)
    day = f"?placed_at_from={timezone.localdate(now).isoformat()}"
    yield Figure(_("Pedidos recibidos"), sum(n for _c, n, _s in today), amounts, listed + day)
    rows = {name: Order.objects.filter(turn.rows(now)) for name, turn in TURNS.items()}
    n = dict(zip(rows, count_all(list(rows.values())), strict=True))
    pressing = ngettext("%(n)s vence hoy", "%(n)s vencen hoy", n["accept_today"]) % {"n": n["accept_today"]}
    late = ngettext("%(n)s con retraso", "%(n)s con retraso", n["late"]) % {"n": n["late"]}
    yield Figure(
        TURNS["accept"].label, n["accept"], pressing if n["accept_today"] else "", f"{listed}?turn=accept"
    )
    yield Figure(TURNS["ship"].label, n["ship"], late if n["late"] else "", f"{listed}?turn=ship", late=True)
    yield Figure(TURNS["way"].label, n["way"], "", f"{listed}?turn=way")
    yield Figure(TURNS["held"].label, n["held"], "", f"{listed}?turn=held")
    yield Figure(TURNS["invoice"].label, n["invoice"], "", f"{listed}?turn=invoice")


FIGURES.append((1, order_figures))
