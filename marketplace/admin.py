"""Rooms on the ground: channels and policies, the operators' lists, what the timers did (ROL-02, ORD-10)."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from marketplace import bell, services
from marketplace.admin_forms import CarrierForm, ChannelForm
from marketplace.celery import BY_NAME, TIMERS
from marketplace.models import Carrier, Channel, Parked, Policy, Reason, TimerRun
from marketplace.policy import PRESETS, ROLE_LABELS, Preset
from marketplace.policy_forms import PolicyForm
from marketplace.policy_words import differences, sentences
from marketplace.rooms import Panel, ReadingRoom, Room, act, column, found, link, moment, register

TIMER_WORDS = {
    "expire": gettext_lazy("cancela lo que no se aceptó a tiempo"),
    "presale": gettext_lazy("levanta las preventas en su fecha"),
    "charge": gettext_lazy("pide los cobros al proveedor"),
    "payback": gettext_lazy("pide las devoluciones al proveedor"),
    "debits": gettext_lazy("avisa de los cobros que tardan demasiado"),
    "receive": gettext_lazy("da por recibido lo enviado"),
    "statements": gettext_lazy("cierra las liquidaciones según el calendario"),
    "notices": gettext_lazy("envía los avisos"),
    "watch": gettext_lazy("revisa lo que debe cumplirse siempre"),
}


def as_list(lines: Iterable[str]) -> SafeString:
    """Sentences, one below the other."""
    items = format_html_join("", "<li>{}</li>", ((line,) for line in lines))
    return format_html('<ul class="room-sentences">{}</ul>', items)


@register(Channel)
class ChannelAdmin(Room):
    """Channels, with the policy in force in words and the way to the next version."""

    form = ChannelForm
    list_display = ("name", "code", "currency", "timezone", "provider", "policy")
    list_select_related = ("policy__channel",)
    search_fields = ("name", "code")
    actions_detail = ("publish",)

    def get_fieldsets(self, request: HttpRequest, obj: Channel | None = None) -> Any:
        own = ("code", "name", "currency", "timezone", "country", "region", "closing_days", "provider")
        if obj is None:
            return ((None, {"fields": (*own, "preset")}),)
        return ((None, {"fields": own}), (_("Política en vigor"), {"fields": ("policy", "in_words")}))

    def get_readonly_fields(self, request: HttpRequest, obj: Channel | None = None) -> tuple[str, ...]:
        return ("code", "currency", "policy", "in_words") if obj else ()

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
        rows = [(link(one, f"v{one.number}"), moment(one.published_at), one.published_by, one.note)
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

    list_display = ("__str__", "in_force", "published_at", "published_by", "note")
    list_filter = ("channel",)
    list_select_related = ("channel",)
    fields = ("channel", "number", "published_at", "published_by", "note", "in_words")
    readonly_fields = ("in_words",)

    @column(gettext_lazy("En vigor"), boolean=True)
    def in_force(self, policy: Policy) -> bool:
        return policy.channel.policy_id == policy.pk

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
    list_display = ("name", "code", "tracking_url", "tracking_pattern", "active")
    list_editable = ("active",)
    list_filter = ("active",)
    search_fields = ("name", "code")


@register(Reason)
class ReasonAdmin(Room):
    """The reasons that people may give, in both languages."""

    list_display = ("code", "kind", "label_es", "label_en", "active")
    list_editable = ("active",)
    list_filter = ("kind", "active")
    search_fields = ("code", "label_es", "label_en")


@register(TimerRun)
class TimerRunAdmin(ReadingRoom):
    """What each run of a timer did; and the page of all timers."""

    list_display = ("timer_word", "at", "duration", "done", "refused", "parked", "error_word")
    list_filter = (("timer"),)
    ordering = ("-id",)
    actions_list = ("clocks",)

    @column(gettext_lazy("Reloj"), ordering="timer")
    def timer_word(self, run: TimerRun) -> str:
        return f"{run.timer} · {TIMER_WORDS.get(run.timer, '')}"

    @column(gettext_lazy("Duración"))
    def duration(self, run: TimerRun) -> str:
        return f"{(run.ended_at - run.started_at).total_seconds():.2f} s" if run.ended_at else "–"

    @column(gettext_lazy("Error"), label={"error": "danger"})
    def error_word(self, run: TimerRun) -> tuple[str, str] | None:
        return ("error", run.error[:80]) if run.error else None

    @act(gettext_lazy("Todos los relojes"), icon="schedule")
    def clocks(self, request: HttpRequest) -> HttpResponse:
        """Every timer: what it does, how often, when it last had work and when it next will."""
        last = TimerRun.objects.values("timer").annotate(last=Max("id")).values_list("last", flat=True)
        runs = {run.timer: run for run in TimerRun.objects.filter(id__in=list(last))}
        rows = []
        for timer in TIMERS:
            run = runs.get(timer.name)
            did = _("%(done)s hechos, %(refused)s rechazados, %(parked)s apartados")
            rows.append(
                (
                    timer.name,
                    TIMER_WORDS.get(timer.name, timer.what),
                    _("cada %(n)s s") % {"n": timer.every_s},
                    moment(run.at) if run else "–",
                    did % {"done": run.done, "refused": run.refused, "parked": run.parked} if run else "–",
                    moment(timer.next_due()),
                )
            )
        headers = (_("Reloj"), _("Qué hace"), _("Cada"), _("Última pasada"), _("Qué hizo"), _("Siguiente"))
        panel = Panel("", headers, rows)
        intro = _("Una pasada que no encuentra nada que hacer no se anota.")
        return self.page(request, "rooms/page.html", _("Todos los relojes"), panels=[panel], intro=intro)


@register(Parked)
class ParkedAdmin(ReadingRoom):
    """Rows that failed on their own, with their trace; they are tried again by themselves, or now."""

    list_display = ("timer", "subject_id", "last_line", "parked_at", "tries", "retry_at")
    list_filter = ("timer",)
    fields = ("timer", "subject_id", "parked_at", "tries", "retry_at", "readable_trace")
    readonly_fields = ("readable_trace",)
    actions = ("retry", "discard")

    @column(gettext_lazy("Qué falló"))
    def last_line(self, parked: Parked) -> str:
        lines = parked.trace.strip().splitlines()
        return lines[-1][:120] if lines else "–"

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
