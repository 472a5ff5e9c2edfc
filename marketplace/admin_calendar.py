"""The calendar of a channel: the public holidays of its region, and its own closing days, one by one (ORD-16)."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import holidays
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace import services
from marketplace.clocks import ClockKind, SkipReason
from marketplace.models import Channel
from marketplace.policy import Window
from marketplace.policy_words import SENTENCES, window_words
from marketplace.rooms import Panel, Room, RoomForm, act, column, found


class ClosingDayForm(RoomForm):
    """A day on which the channel does not work, with what it is called."""

    day = forms.DateField(label=gettext_lazy("Día"), widget=forms.DateInput(attrs={"type": "date"}))
    name = forms.CharField(label=gettext_lazy("Nombre"), max_length=60)

    def __init__(self, channel: Channel, today: date, *args: Any) -> None:
        super().__init__(*args)
        self.channel = channel
        self.today = today

    def clean_name(self) -> str:
        return " ".join(str(self.cleaned_data["name"]).split())

    def clean_day(self) -> date:
        """A day that is over, or on which nobody works anyway, would change nothing: it is refused."""
        day: date = self.cleaned_data["day"]
        if day < self.today:
            raise forms.ValidationError(_("Ese día ya ha pasado."))
        if day.year > self.today.year + 5:
            raise forms.ValidationError(_("Faltan más de cinco años para ese día."))
        if day in self.channel.closing_days:
            raise forms.ValidationError(_("Ese día ya está en la lista."))
        why = self.channel.calendar.why_not(day)
        if why == SkipReason.WEEKEND:
            raise forms.ValidationError(_("Ese día ya no se trabaja: es fin de semana."))
        if why == SkipReason.HOLIDAY:
            name = self.channel.calendar.holiday_name(day)
            raise forms.ValidationError(_("Ese día ya no se trabaja: %(name)s.") % {"name": name})
        return day


def public_holidays(channel: Channel, years: tuple[int, ...]) -> Iterator[tuple[date, str]]:
    """The public holidays of the channel's region in these years, by day."""
    for day in sorted(holidays.country_holidays(channel.country, subdiv=channel.region or None, years=years)):
        yield day, channel.calendar.holiday_name(day)


def counted_in_working_time(channel: Channel) -> list[str]:
    """What the policy in force counts on working days: what a closing day moves from now on."""
    if channel.policy is None:
        return []
    windows = (
        (name, getattr(channel.policy.rules, name)) for name in type(channel.policy.rules).model_fields
    )
    return [
        f"{SENTENCES[name]} {window_words(window)}"
        for name, window in windows
        if isinstance(window, Window) and window.clock != ClockKind.WALL
    ]


def day_word(day: date) -> str:
    """A day as people read it in a list, its weekday first."""
    return date_format(day, "l j/m/Y").capitalize()


class CalendarRoom(Room):
    """A room of channels with the page of their calendar."""

    @column(gettext_lazy("Festivos propios"))
    def closing_word(self, channel: Channel) -> SafeString | str:
        """The days that are still to come, leading to the calendar."""
        today = channel.calendar.local_day(timezone.now())
        n = sum(1 for day in channel.closing_days if day >= today)
        words = _("%(n)s por venir") % {"n": n} if n else _("Ninguno por venir")
        return format_html(
            '<a href="{}" class="text-link">{}</a>', self.address("calendar", channel.pk), words
        )

    @act(gettext_lazy("Calendario"), icon="calendar_month")
    def calendar(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Public holidays to read, closing days to add and take out; each change is told as what it is."""
        channel = found(Channel.objects.select_related("policy"), object_id)
        today = channel.calendar.local_day(timezone.now())
        if request.method == "POST" and "remove" in request.POST:
            return self._work_on(request, channel, request.POST["remove"])
        form = ClosingDayForm(channel, today, request.POST if request.method == "POST" else None)
        if form.is_valid():
            return self._close_on(request, channel, form.cleaned_data)
        return self._calendar_page(request, channel, form, today)

    def _close_on(self, request: HttpRequest, channel: Channel, given: dict[str, Any]) -> HttpResponse:
        words = {"day": day_word(given["day"]), "name": given["name"]}
        if services.close_on(channel, given["day"], given["name"]):
            self.log_change(request, channel, _("Festivo propio añadido: %(day)s, %(name)s.") % words)
            messages.success(request, _("%(day)s, %(name)s: no se trabaja.") % words)
        return HttpResponseRedirect(self.address("calendar", channel.pk))

    def _work_on(self, request: HttpRequest, channel: Channel, asked: str) -> HttpResponse:
        """Take a day out; what is no day, or is on no list any more, is answered with a word."""
        try:
            day = parse_date(asked)
        except ValueError:
            day = None
        if day and services.work_on(channel, day):
            words = {"day": day_word(day)}
            self.log_change(request, channel, _("Festivo propio quitado: %(day)s.") % words)
            messages.success(request, _("%(day)s: se trabaja.") % words)
        else:
            messages.warning(request, _("Ese día ya no estaba en la lista: no se ha cambiado nada."))
        return HttpResponseRedirect(self.address("calendar", channel.pk))

    def _calendar_page(
        self, request: HttpRequest, channel: Channel, form: ClosingDayForm, today: date
    ) -> HttpResponse:
        years = (today.year, today.year + 1)
        own = [
            {"code": day.isoformat(), "day": day_word(day), "over": day < today,
             "name": channel.closing_names.get(day.isoformat()) or _("festivo local")}
            for day in sorted(channel.closing_days)
        ]  # fmt: skip
        public = list(public_holidays(channel, years))
        panels = [
            Panel(_("Festivos de %(year)s") % {"year": year}, (_("Día"), _("Nombre")),
                  [(day_word(day), name) for day, name in public if day.year == year])
            for year in years
        ]  # fmt: skip
        title = _("%(channel)s: calendario") % {"channel": channel}
        return self.page(
            request, "rooms/calendar.html", title, status=422 if form.errors else 200, form=form, own=own,
            panels=panels, moved=counted_in_working_time(channel), back=self.address("change", channel.pk),
        )  # fmt: skip
