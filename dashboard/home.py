"""What the home page says about money: what holds it, and when the next settlement comes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from dashboard.queries import Figures
from marketplace.models import Channel
from marketplace.moments import day_words, last_day
from marketplace.money import format_money
from settlements.queries import closings


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the next settlement would pay, and the day it closes, both in words."""

    amount: str
    day: str


def money_rows(figures: Figures) -> list[tuple[list[tuple[str, str]], tuple[str, str]]]:
    """For each currency the causes with their amounts, and the sum; causes without money are left out."""
    names = {
        "debit": _("Débito en curso"),
        "ship": _("Por enviar"),
        "sent": _("Enviado, hasta darse por recibido"),
        "held": _("Incidencia, devolución o espera"),
        "ready": _("Listo para liquidar"),
    }
    found = []
    for currency, sums in sorted(figures.money.items()):
        items = [(name, format_money(sums[key], currency)) for key, name in names.items() if sums.get(key)]
        total = sum(sums.get(key, 0) for key in names)
        found.append((items, (_("En total"), format_money(total, currency))))
    return found


def next_settlement(figures: Figures, channels: Iterable[Channel], now: datetime) -> Settlement | None:
    """The next closing of any channel, and what is ready for it; None without money or calendar."""
    moments = [
        (moment, channel) for channel in channels for moment in closings(channel, now) if moment >= now
    ]
    ready = {currency: sums["ready"] for currency, sums in sorted(figures.money.items()) if "ready" in sums}
    if not moments:
        return None
    closes, channel = min(moments, key=lambda pair: pair[0])
    amounts = [format_money(cents, currency) for currency, cents in ready.items()]
    return Settlement(
        " · ".join(amounts) or format_money(0, channel.currency),
        day_words(last_day(closes, channel.calendar.zone)),
    )
