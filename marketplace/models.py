"""The ground under every app: channels and their policies, the lists operators keep, what the timers did."""

from datetime import date
from functools import cached_property, lru_cache

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from marketplace import clocks
from marketplace.policy import KEPT, Preset, Settings


class Channel(models.Model):
    """A storefront that orders come through, with its currency, its calendar and its policy.

    `closing_names` are what its own closing days are called, by the day as 2026-12-24; a day may have none.
    """

    code = models.SlugField(_("código"), unique=True)
    name = models.CharField(_("nombre"), max_length=80)
    currency = models.CharField(_("moneda"), max_length=3, default="EUR")
    timezone = models.CharField(_("zona horaria"), max_length=50, default="Europe/Madrid")
    country = models.CharField(_("país"), max_length=2, default="ES")
    region = models.CharField(
        _("región del calendario"), max_length=8, blank=True, default="", help_text=_("Por ejemplo, MD o CT.")
    )
    closing_days = ArrayField(
        models.DateField(),
        verbose_name=_("festivos propios"),
        default=list,
        blank=True,
        help_text=_("Días en que el canal no trabaja, además de los festivos de su región."),
    )
    closing_names = models.JSONField(
        _("nombres de los festivos propios"), default=dict, blank=True, db_default={}
    )
    provider = models.SlugField(_("proveedor de pagos"), default="sandbox")
    policy = models.ForeignKey(
        "Policy", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("política en vigor")
    )

    class Meta:
        verbose_name = _("canal")
        verbose_name_plural = _("canales")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def calendar(self) -> clocks.Calendar:
        """Working days and time zone of the channel, its own closing days among them."""
        days = tuple(sorted(self.closing_days))
        names = tuple((day, name) for day in days if (name := self.closing_names.get(day.isoformat())))
        return _calendar(self.timezone, self.country, self.region or None, days, names)


@lru_cache(maxsize=64)
def _calendar(
    timezone: str,
    country: str,
    region: str | None,
    days: tuple[date, ...],
    names: tuple[tuple[date, str], ...],
) -> clocks.Calendar:
    return clocks.Calendar(timezone, country, region, extra_holidays=days, extra_names=names)


@lru_cache(maxsize=512)
def _typed(settings_json: str) -> Settings:
    return Settings.model_validate_json(settings_json, context=KEPT)


class Policy(models.Model):
    """One published version of a channel's rules; it is never changed, only followed by the next (ORD-10).

    `settings` is the JSON of `marketplace.policy.Settings`.
    """

    channel = models.ForeignKey(Channel, models.PROTECT, related_name="policies", verbose_name=_("canal"))
    number = models.PositiveIntegerField(_("versión"))
    settings = models.TextField(_("ajustes"))
    published_at = models.DateTimeField(_("publicada"))
    published_by = models.CharField(_("por"), max_length=150, blank=True, default="")
    note = models.CharField(_("motivo"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("política")
        verbose_name_plural = _("políticas")
        ordering = ["channel", "-number"]
        constraints = [models.UniqueConstraint(fields=["channel", "number"], name="policy_number_once")]

    def __str__(self) -> str:
        return f"{self.channel} · v{self.number}"

    @cached_property
    def rules(self) -> Settings:
        """The typed settings; parsed once a process for each wording."""
        return _typed(self.settings)

    @property
    def preset(self) -> Preset:
        return self.rules.preset


class ReasonKind(models.TextChoices):
    """The acts that ask for a reason."""

    REFUSE = "refuse", _("rechazo")
    CANCEL = "cancel", _("cancelación")
    HOLD = "hold", _("retención")
    CONTACT = "contact", _("motivo de contacto")
    INCIDENT = "incident", _("incidencia")
    SOLVED = "solved", _("incidencia resuelta")
    EXCEPTION = "exception", _("entrega fallida")
    RETURN = "return", _("devolución")
    NO_RETURN = "no_return", _("devolución rechazada")
    REFUND = "refund", _("reembolso")


class Reason(models.Model):
    """A reason that people may give for an act, in both languages."""

    kind = models.CharField(_("acto"), max_length=20, choices=ReasonKind)
    code = models.SlugField(_("código"))
    label_es = models.CharField(_("texto en español"), max_length=120)
    label_en = models.CharField(_("texto en inglés"), max_length=120)
    active = models.BooleanField(_("en uso"), default=True)

    class Meta:
        verbose_name = _("motivo")
        verbose_name_plural = _("motivos")
        ordering = ["kind", "id"]
        constraints = [models.UniqueConstraint(fields=["kind", "code"], name="reason_once")]

    def __str__(self) -> str:
        return self.label_en if get_language() == "en" else self.label_es


class Carrier(models.Model):
    """A carrier that sellers may pick, with what its tracking numbers look like and where they lead (SHP-01)."""

    code = models.SlugField(_("código"), unique=True)
    name = models.CharField(_("nombre"), max_length=80)
    tracking_url = models.CharField(
        _("enlace de seguimiento"),
        max_length=300,
        blank=True,
        default="",
        help_text=_("Con {tracking} donde va el número."),
    )
    tracking_pattern = models.CharField(
        _("forma del número"),
        max_length=200,
        blank=True,
        default="",
        help_text=_("Expresión regular; un número que no encaja se avisa, no se rechaza."),
    )
    active = models.BooleanField(_("en uso"), default=True)

    class Meta:
        verbose_name = _("transportista")
        verbose_name_plural = _("transportistas")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Zone(models.Model):
    """A metropolitan area, or any other that operators name: the postal codes that begin in certain ways (EXC-04)."""

    code = models.SlugField(_("código"), unique=True)
    name = models.CharField(_("nombre"), max_length=80)
    country = models.CharField(_("país"), max_length=2, default="ES")

    class Meta:
        verbose_name = _("zona")
        verbose_name_plural = _("zonas")
        ordering = ["country", "name"]

    def __str__(self) -> str:
        return self.name


class ZonePrefix(models.Model):
    """How postal codes of a zone begin. The same beginning is of one zone; a longer one may be of another."""

    zone = models.ForeignKey(Zone, models.CASCADE, related_name="prefixes", verbose_name=_("zona"))
    country = models.CharField(_("país"), max_length=2)
    prefix = models.CharField(_("prefijo"), max_length=10)

    class Meta:
        verbose_name = _("prefijo")
        verbose_name_plural = _("prefijos")
        ordering = ["prefix"]
        constraints = [models.UniqueConstraint(fields=["country", "prefix"], name="prefix_of_one_zone")]

    def __str__(self) -> str:
        return self.prefix


class TimerRun(models.Model):
    """One run of a timer that had something to do; idle runs only move `Timer.ran_at`."""

    timer = models.SlugField(_("reloj"), max_length=40)
    at = models.DateTimeField(_("momento"))
    started_at = models.DateTimeField(_("empezó"))
    ended_at = models.DateTimeField(_("acabó"), null=True)
    done = models.PositiveIntegerField(_("hechos"), default=0)
    refused = models.PositiveIntegerField(_("rechazados"), default=0)
    parked = models.PositiveIntegerField(_("apartados"), default=0)
    error = models.TextField(_("error"), blank=True, default="")

    class Meta:
        verbose_name = _("pasada de un reloj")
        verbose_name_plural = _("pasadas de los relojes")
        ordering = ["-id"]
        indexes = [models.Index(fields=["timer", "-id"], name="timer_run_by_timer")]

    def __str__(self) -> str:
        return f"{self.timer} · {self.at:%d/%m/%Y %H:%M}"


class Parked(models.Model):
    """A row that failed on its own, set aside with its trace so that it never stops the rest."""

    timer = models.SlugField(_("reloj"), max_length=40)
    subject_id = models.BigIntegerField(_("fila"))
    trace = models.TextField(_("traza"))
    parked_at = models.DateTimeField(_("apartada"))
    tries = models.PositiveIntegerField(_("intentos"), default=1)
    retry_at = models.DateTimeField(_("se reintenta"))

    class Meta:
        verbose_name = _("fila apartada")
        verbose_name_plural = _("filas apartadas")
        ordering = ["-parked_at"]
        constraints = [models.UniqueConstraint(fields=["timer", "subject_id"], name="parked_once")]

    def __str__(self) -> str:
        return f"{self.timer} · {self.subject_id}"


class Claimable(models.Model):
    """A row of an outbox: due, claimed for a while, done or given up (see `marketplace.outbox`)."""

    due_at = models.DateTimeField(_("toca"), null=True)
    claimed_until = models.DateTimeField(_("tomada hasta"), null=True, blank=True)
    claimed_by = models.UUIDField(_("tomada por"), null=True, blank=True)
    tries = models.PositiveSmallIntegerField(_("intentos"), default=0)
    last_error = models.TextField(_("último error"), blank=True, default="")
    created_at = models.DateTimeField(_("creada"), db_default=Now())

    class Meta:
        abstract = True

    @staticmethod
    def due_index(name: str) -> models.Index:
        """The partial index that the drain reads: only rows that still have a moment to act."""
        return models.Index(F("due_at"), name=name, condition=Q(due_at__isnull=False))
