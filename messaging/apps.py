from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("Avisos")

    def ready(self) -> None:
        from messaging import centre, receivers  # noqa: F401
