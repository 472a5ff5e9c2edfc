from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IncidentsConfig(AppConfig):
    name = "incidents"
    verbose_name = _("Incidencias")

    def ready(self) -> None:
        from incidents import receivers  # noqa: F401
