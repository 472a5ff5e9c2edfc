"""Rooms on the ground: channels and policies, the operators' lists, what the timers did (ROL-02, ORD-10)."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter

from marketplace import (
    admin_zones,  # noqa: F401
    bell,
    services,
)
from marketplace.admin_calendar import CalendarRoom
from marketplace.admin_clocks import (
    TIMER_NAMES,
    TIMER_WORDS,
    clock_faces,
    did_words,
    every_words,
    timer_name,
)
from marketplace.admin_forms import CarrierForm, ChannelForm, provider_word
from marketplace.celery import BY_NAME
from marketplace.countries import country_word
from marketplace.models import Carrier, Channel, Parked, Policy, Reason, TimerRun
from marketplace.policy import PRESETS, ROLE_LABELS, Preset
from marketplace.policy_forms import PolicyForm
from marketplace.policy_words import PRESET_LABELS, differences, sentences
from marketplace.rooms import (
    ChannelFilter,
    EstimatingPaginator,
    Panel,
    ReadingRoom,
    Room,
    act,
    badge,
    column,
    found,
    link,
    moment,
    register,
    shortened,
)

SUBJECTS = {
    "expire": "orders_order",
    "lapse": "orders_order",
    "presale": "orders_hold",
    "receive": "orders_order",
    "statements": "orders_order",
}
"""The room where a row that a timer set aside has its page."""


def as_list(lines: Iterable[str]) -> SafeString:
    """Sentences, one below the other."""
    items = format_html_join("", "<li>{}</li>", ((line,) for line in lines))
    return format_html('<ul class="room-sentences">{}</ul>', items)


def note_word(policy: Policy) -> str:
    """Why a version was published; the first says which preset it was made from."""
    code = policy.note.removeprefix("preset ")
    if code not in set(Preset):
        return policy.note
    return _("Política de partida: %(preset)s") % {"preset": PRESET_LABELS[Preset(code)]}


@register(Channel)
class ChannelAdmin(CalendarRoom):
    """Channels, with the policy in force in words and the way to the next version."""

    form = ChannelForm
    list_display = ("name", "code", "country_name", "currency", "provider_name", "policy")
    list_select_related = ("policy__channel",)
    search_fields = ("name", "code")
    actions_detail = ("publish", "calendar")

    def get_fieldsets(self, request: HttpRequest, obj: Channel | None = None) -> Any:
        own = ("code", "name", "currency", "timezone", "country", "region")
        if obj is None:
            return ((None, {"fields": (*own, "closing_days", "provider", "preset")}),)
        here = {"fields": (*own, "closing_word", "provider")}
        return ((None, here), (_("Política en vigor"), {"fields": ("policy", "in_words")}))

    def get_readonly_fields(self, request: HttpRequest, obj: Channel | None = None) -> tuple[str, ...]:
        return ("code", "currency", "closing_word", "policy", "in_words") if obj else ()

    @column(gettext_lazy("País"), ordering="country")
    def country_name(self, channel: Channel) -> str:
        return country_word(channel.country)

    @column(gettext_lazy("Proveedor de pagos"), ordering="provider")
    def provider_name(self, channel: Channel) -> str:
        return provider_word(channel.provider)

    @column(gettext_lazy("Qué dice"))
    def in_words(self, channel: Channel) -> SafeString | str:
        return as_list(sentences(channel.policy.rules, channel.currency)) if channel.policy else "–"

    def save_model(self, request: HttpRequest, obj: Channel, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if obj.policy is None:
            preset = Preset(form.cleaned_data.get("preset") or Preset.ACCEPT_FIRST)
            services.publish_policy(
                obj, PRESETS[preset], by=str(request.user), at=timezone.now(), note=preset.value
            )

    def panels(self, request: HttpRequest, obj: Channel) -> Iterable[Panel]:
        rows = [(link(one, f"v{one.number}"), moment(one.published_at), one.published_by, note_word(one))
                for one in obj.policies.order_by("-number")[:20]]  # fmt: skip
        yield Panel(
            _("Versiones de la política"), (_("Versión"), _("Publicada"), _("Por"), _("Motivo")), rows
        )

    @act(gettext_lazy("Publicar nueva versión"), icon="edit_document")
    def publish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Type the next version, see what it changes, publish it; a stale one is refused (ORD-10)."""
        channel = found(Channel.objects.select_related("policy"), object_id)
        rules = channel.policy.rules if channel.policy else PRESETS[Preset.ACCEPT_FIRST]
        number = channel.policy.number if channel.policy else 0
        if request.method != "POST":
            return self._publish_page(request, channel, PolicyForm(channel, rules, number))
        form = PolicyForm(channel, rules, number, request.POST)
        if not form.is_valid() or form.settings is None:
            return self._publish_page(request, channel, form, status=422)
        if form.cleaned_data["number"] != number:
            return self._stale(request, channel)
        if "publish" not in request.POST or form.cleaned_data["seen"] != form.print or form.settings == rules:
            return self._publish_page(request, channel, form, compared=True)
        try:
            policy = services.publish_policy(
                channel, form.settings, by=str(request.user), at=timezone.now(),
                note=form.cleaned_data["note"], after=number,
            )  # fmt: skip
        except services.PolicyMoved:
            return self._stale(request, channel)
        self.log_change(
            request, channel, _("Publicada la versión %(n)s de la política.") % {"n": policy.number}
        )
        messages.success(request, _("La versión %(n)s está en vigor.") % {"n": policy.number})
        return HttpResponseRedirect(self.address("change", channel.pk))

    def _stale(self, request: HttpRequest, channel: Channel) -> HttpResponse:
        messages.error(
            request, _("Mientras tanto se ha publicado otra versión: no se ha cambiado nada. Parte de ella.")
        )
        return HttpResponseRedirect(self.address("publish", channel.pk))

    def _publish_page(
        self,
        request: HttpRequest,
        channel: Channel,
        form: PolicyForm,
        *,
        compared: bool = False,
        status: int = 200,
    ) -> TemplateResponse:
        changes = differences(form.rules, form.settings, channel.currency) if form.settings else []
        headers = (_("Regla"), _("Ahora"), _("Desde la nueva versión"))
        rows = [(one.rule, one.old, one.new) for one in changes]
        number = channel.policy.number + 1 if channel.policy else 1
        title = _("%(channel)s: versión %(n)s de la política") % {"channel": channel, "n": number}
        return self.page(
            request, "rooms/publish_policy.html", title, status=status, form=form, compared=compared,
            panels=[Panel(_("Qué cambia"), headers, rows)] if rows else [],
            print=form.print if compared else "", label=_("Publicar la versión %(n)s") % {"n": number},
            roles=ROLE_LABELS.values(), back=self.address("change", channel.pk),
        )  # fmt: skip


@register(Policy)
class PolicyAdmin(ReadingRoom):
    """Every version ever published, in words, with what it changed; none is ever edited (ORD-10)."""

    list_display = ("__str__", "in_force", "published_at", "published_by", "why")
    list_filter = (("channel", ChannelFilter),)
    list_select_related = ("channel",)
    fields = (("channel", "number", "published_at", "published_by"), "why", "in_words")
    readonly_fields = ("why", "in_words")

    @column(gettext_lazy("Estado"), label={"now": "success", "past": "default"})
    def in_force(self, policy: Policy) -> tuple[str, str]:
        is_now = policy.channel.policy_id == policy.pk
        return ("now", _("En vigor")) if is_now else ("past", _("Anterior"))

    @column(gettext_lazy("Motivo"))
    def why(self, policy: Policy) -> str:
        return note_word(policy) or "–"

    @column(gettext_lazy("Qué dice"))
    def in_words(self, policy: Policy) -> SafeString:
        return as_list(sentences(policy.rules, policy.channel.currency))

    def panels(self, request: HttpRequest, obj: Policy) -> Iterable[Panel]:
        before = Policy.objects.filter(channel=obj.channel, number__lt=obj.number).order_by("-number").first()
        if before:
            rows = [
                (one.rule, one.old, one.new)
                for one in differences(before.rules, obj.rules, obj.channel.currency)
            ]
            title = _("Qué cambió desde la versión %(n)s") % {"n": before.number}
            yield Panel(title, (_("Regla"), _("Antes"), _("En esta versión")), rows)


@register(Carrier)
class CarrierAdmin(Room):
    """The carriers that sellers may pick (SHP-01); one no longer used is switched off, not deleted."""

    form = CarrierForm
    list_display = ("name", "site", "checks", "active")
    list_editable = ("active",)
    list_filter = ("active",)
    search_fields = ("name", "code")

    @column(gettext_lazy("Seguimiento en"))
    def site(self, carrier: Carrier) -> str:
        return urlsplit(carrier.tracking_url).hostname or "–"

    @column(gettext_lazy("Comprueba el número"))
    def checks(self, carrier: Carrier) -> str:
        return _("Sí") if carrier.tracking_pattern else _("No")


@register(Reason)
class ReasonAdmin(Room):
    """The reasons that people may give, in both languages."""

    list_display = ("label_es", "label_en", "kind", "active")
    list_editable = ("active",)
    list_filter = (("kind", ChoicesDropdownFilter), "active")
    search_fields = ("code", "label_es", "label_en")


class TimerFilter(DropdownFilter):  # type: ignore[misc]
    """Rows of one timer."""

    title = gettext_lazy("reloj")
    parameter_name = "timer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, str(words)) for name, words in TIMER_NAMES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(timer=self.value()) if self.value() else queryset


class ErrorFilter(SimpleListFilter):
    """Runs that failed."""

    title = gettext_lazy("resultado")
    parameter_name = "failed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", _("Fallaron"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.exclude(error="") if self.value() == "yes" else queryset


@register(TimerRun)
class TimerRunAdmin(ReadingRoom):
    """What each run of a timer did; and the page of all timers."""

    list_display = ("timer_word", "at", "duration", "did", "error_word")
    list_filter = (TimerFilter, ErrorFilter)
    fields = (("timer_word", "does"), ("at", "duration", "did"), "error")
    readonly_fields = ("timer_word", "does", "duration", "did")
    ordering = ("-id",)
    paginator = EstimatingPaginator
    actions_list = ("clocks",)

    def name_of(self, row: TimerRun) -> str:
        return f"{timer_name(row.timer)} · {moment(row.at)}"

    @column(gettext_lazy("Reloj"), ordering="timer")
    def timer_word(self, run: TimerRun) -> str:
        return timer_name(run.timer)

    @column(gettext_lazy("Qué hace"))
    def does(self, run: TimerRun) -> str:
        return str(TIMER_WORDS.get(run.timer, "–"))

    @column(gettext_lazy("Duración"))
    def duration(self, run: TimerRun) -> str:
        if run.ended_at is None:
            return "–"
        return _("%(n)s s") % {"n": number_format((run.ended_at - run.started_at).total_seconds(), 2)}

    @column(gettext_lazy("Qué hizo"))
    def did(self, run: TimerRun) -> str:
        return did_words(run)

    @column(gettext_lazy("Error"))
    def error_word(self, run: TimerRun) -> str:
        return shortened(run.error)

    @act(gettext_lazy("Todos los relojes"), icon="schedule")
    def clocks(self, request: HttpRequest) -> HttpResponse:
        """Every timer: what it does, how often, when it last had work and when it next will."""
        headers = (
            _("Reloj"), _("Cómo va"), _("Qué hace"), _("Se despierta"), _("Última pasada"), _("Qué hizo"),
            _("Siguiente"),
        )  # fmt: skip
        rows = [
            (face.name, badge(face.words, face.tone), TIMER_WORDS.get(face.timer.name, face.timer.what),
             every_words(face.timer), link(face.run, moment(face.run.started_at)) if face.run else "–",
             shortened(face.run.error) if face.run and face.run.error else did_words(face.run),
             moment(face.next_due))
            for face in clock_faces(timezone.now())
        ]  # fmt: skip
        intro = _("Una pasada que no encuentra nada que hacer no se anota.")
        panel = Panel("", headers, rows)
        return self.page(request, "rooms/page.html", _("Todos los relojes"), panels=[panel], intro=intro)


@register(Parked)
class ParkedAdmin(ReadingRoom):
    """Rows that failed on their own, with their trace; they are tried again by themselves, or now."""

    list_display = ("timer_word", "subject", "last_line", "parked_at", "tries", "retry_at")
    list_filter = (TimerFilter,)
    fields = (("timer_word", "subject", "tries"), ("parked_at", "retry_at"), "last_line", "readable_trace")
    readonly_fields = ("timer_word", "subject", "last_line", "readable_trace")
    actions = ("retry", "discard")

    def name_of(self, row: Parked) -> str:
        return f"{timer_name(row.timer)} · {row.subject_id}"

    @column(gettext_lazy("Reloj"), ordering="timer")
    def timer_word(self, parked: Parked) -> str:
        return timer_name(parked.timer)

    @column(gettext_lazy("Fila"), ordering="subject_id")
    def subject(self, parked: Parked) -> SafeString | str:
        """The row that failed, leading to its page where the timer's rows have one."""
        view = SUBJECTS.get(parked.timer)
        if view is None:
            return str(parked.subject_id)
        address = reverse(f"admin:{view}_change", args=[parked.subject_id])
        return format_html('<a href="{}" class="text-link">{}</a>', address, parked.subject_id)

    @column(gettext_lazy("Qué falló"))
    def last_line(self, parked: Parked) -> str:
        lines = parked.trace.strip().splitlines()
        return shortened(lines[-1], 120) if lines else "–"

    @column(gettext_lazy("Traza"))
    def readable_trace(self, parked: Parked) -> SafeString:
        return format_html('<pre class="room-trace">{}</pre>', parked.trace)

    @act(gettext_lazy("Reintentar ahora"))
    def retry(self, request: HttpRequest, rows: QuerySet[Parked]) -> None:
        names = sorted(set(rows.values_list("timer", flat=True)) & set(BY_NAME))
        n = services.retry_parked(rows.values_list("id", flat=True), at=timezone.now())
        bell.ring(*names)
        words = ngettext("%(n)s fila se reintenta.", "%(n)s filas se reintentan.", n)
        messages.success(request, words % {"n": n})

    @act(gettext_lazy("Descartar"))
    def discard(self, request: HttpRequest, rows: QuerySet[Parked]) -> None:
        n = services.discard_parked(rows.values_list("id", flat=True))
        messages.success(
            request, ngettext("%(n)s fila descartada.", "%(n)s filas descartadas.", n) % {"n": n}
        )
