from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DashboardConfig(AppConfig):
    name = "dashboard"
    verbose_name = _("Panel")

    def ready(self) -> None:
        from dashboard import frame_counts  # noqa: F401
