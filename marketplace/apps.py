from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class MarketplaceConfig(AppConfig):
    name = "marketplace"
    verbose_name = _("Canales")

    def ready(self) -> None:
        from marketplace.checks import unknown_variables

        checks.register(unknown_variables)
