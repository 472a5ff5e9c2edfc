"""The timers as operators read them: what each is called, what it did, and whether it is well."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from marketplace import timers
from marketplace.celery import TIMERS, Timer
from marketplace.models import Parked, TimerRun
from marketplace.moments import length_words

TIMER_NAMES = {
    "expire": gettext_lazy("Pedidos sin aceptar"),
    "payments": gettext_lazy("Pagos por comprobar"),
    "lapse": gettext_lazy("Pedidos sin pagar"),
    "presale": gettext_lazy("Preventas"),
    "charge": gettext_lazy("Cobros"),
    "payback": gettext_lazy("Devoluciones"),
    "let_go": gettext_lazy("Autorizaciones"),
    "debits": gettext_lazy("Cobros que tardan"),
    "incidents": gettext_lazy("Incidencias"),
    "receive": gettext_lazy("Recepción"),
    "returns": gettext_lazy("Artículos que vuelven"),
    "reviews": gettext_lazy("Valoraciones"),
    "statements": gettext_lazy("Liquidaciones"),
    "invoices": gettext_lazy("Facturas"),
    "forget": gettext_lazy("Avisos antiguos del proveedor"),
    "notices": gettext_lazy("Avisos"),
    "files": gettext_lazy("Archivos"),
    "watch": gettext_lazy("Cuentas"),
    "seal": gettext_lazy("Sello del libro"),
}
TIMER_WORDS = {
    "expire": gettext_lazy("cancela lo que no se aceptó a tiempo"),
    "payments": gettext_lazy("pregunta al proveedor por los pagos anticipados"),
    "lapse": gettext_lazy("cancela lo que no se pagó a tiempo"),
    "presale": gettext_lazy("levanta las preventas en su fecha"),
    "charge": gettext_lazy("pide los cobros al proveedor"),
    "payback": gettext_lazy("pide las devoluciones al proveedor"),
    "let_go": gettext_lazy("suelta las autorizaciones que nadie va a cobrar"),
    "debits": gettext_lazy("avisa de los cobros que tardan demasiado"),
    "incidents": gettext_lazy("cierra o pone a revisar las incidencias resueltas"),
    "receive": gettext_lazy("da por recibido lo enviado"),
    "returns": gettext_lazy("avisa de las devoluciones que se atrasan y olvida las que no llegan"),
    "reviews": gettext_lazy("pide a los clientes su opinión"),
    "statements": gettext_lazy("cierra las liquidaciones según el calendario"),
    "invoices": gettext_lazy("factura la comisión de lo liquidado"),
    "forget": gettext_lazy("borra lo que los proveedores dijeron hace 90 días"),
    "notices": gettext_lazy("envía los avisos"),
    "files": gettext_lazy("borra los archivos que no son de ningún mensaje"),
    "watch": gettext_lazy("revisa lo que debe cumplirse siempre"),
    "seal": gettext_lazy("sella los días cerrados del libro y comprueba los sellados"),
}

REMEMBERED = timedelta(days=1)
"""How long a run that failed is worth a warning, if no other had anything to do since."""


def timer_name(name: str) -> str:
    """What a timer is called on screen; one that is gone keeps its own name."""
    return str(TIMER_NAMES.get(name, name))


@dataclass(frozen=True, slots=True)
class ClockFace:
    """A timer at a glance; `tone` is "danger", "warning" or "success" and `words` say why."""

    timer: Timer
    run: TimerRun | None
    next_due: datetime | None
    tone: str
    words: str

    @property
    def name(self) -> str:
        return timer_name(self.timer.name)

    @property
    def is_well(self) -> bool:
        return self.tone == "success"


def clock_faces(now: datetime) -> list[ClockFace]:
    """Every timer with its last run that had work, when it is next due, and how it stands."""
    last = TimerRun.objects.values("timer").annotate(last=Max("id")).values_list("last", flat=True)
    runs = {run.timer: run for run in TimerRun.objects.filter(id__in=list(last))}
    parked = dict(Parked.objects.values_list("timer").annotate(n=Count("*")).order_by())
    return [_face(timer, runs.get(timer.name), parked.get(timer.name, 0), now) for timer in TIMERS]


def _face(timer: Timer, run: TimerRun | None, parked: int, now: datetime) -> ClockFace:
    next_due = timer.next_due()
    tone, words = _standing(timer, run, next_due, parked, now)
    return ClockFace(timer, run, next_due, tone, words)


def _standing(
    timer: Timer, run: TimerRun | None, next_due: datetime | None, parked: int, now: datetime
) -> tuple[str, str]:
    """How a timer stands; a row that was set aside stays due, so it explains work that is overdue."""
    if run and run.error and now - run.started_at < REMEMBERED:
        return "danger", _("Falló")
    late = now - next_due if next_due else timedelta()
    if late > timers.patience(timer) and not parked:
        return "danger", _("Lleva %(time)s de retraso") % {"time": length_words(_rough(late))}
    if parked:
        words = ngettext("%(n)s fila apartada", "%(n)s filas apartadas", parked)
        return "warning", words % {"n": parked}
    return "success", _("Al día")


def _rough(length: timedelta) -> timedelta:
    """A length to the hour once it is more than a day, so that it is read at a glance."""
    return length - length % timedelta(hours=1) if length > timedelta(days=1) else length


def did_words(run: TimerRun | None) -> str:
    """What a run did: "3 hechos, 1 apartado"; a dash before the first."""
    if run is None:
        return "–"
    parts = [
        words % {"n": number}
        for number, words in (
            (run.done, ngettext("%(n)s hecho", "%(n)s hechos", run.done)),
            (run.refused, ngettext("%(n)s rechazado", "%(n)s rechazados", run.refused)),
            (run.parked, ngettext("%(n)s apartado", "%(n)s apartados", run.parked)),
        )
        if number
    ]
    return ", ".join(parts) or _("nada")


def every_words(timer: Timer) -> str:
    """How often a timer is woken: "cada 20 segundos", "cada 5 minutos"."""
    if timer.every_s % 60:
        return ngettext("cada segundo", "cada %(n)s segundos", timer.every_s) % {"n": timer.every_s}
    minutes = timer.every_s // 60
    return ngettext("cada minuto", "cada %(n)s minutos", minutes) % {"n": minutes}


def unwell(faces: Iterable[ClockFace]) -> list[ClockFace]:
    """The timers that an operator should look at."""
    return [face for face in faces if not face.is_well]
