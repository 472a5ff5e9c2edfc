from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import class_prepared
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField


def let_past_models_be(sender: Any, **_: Any) -> None:
    """Models as migrations knew them have no moves; the fields of each would otherwise hear of every later model, and
    the hundreds that an upgrade makes would take minutes."""
    if sender.__module__ == "__fake__":
        for field in sender._meta.local_fields:
            if isinstance(field, FSMField):
                class_prepared.disconnect(field._collect_transitions)


class MarketplaceConfig(AppConfig):
    name = "marketplace"
    verbose_name = _("Canales")

    def ready(self) -> None:
        from marketplace.checks import unknown_variables

        checks.register(unknown_variables)
        class_prepared.connect(let_past_models_be, dispatch_uid="past models")
