"""What `manage.py check` says about the environment."""

import os
from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage

from marketplace import environment


def unknown_variables(app_configs: Sequence[Any] | None = None, **_: Any) -> list[CheckMessage]:
    """A variable that is named like ours and that nobody reads: most likely a slip of the pen."""
    return [
        checks.Warning(
            f"{name} is set, and nothing reads it.",
            hint=f"Is it {meant}?" if meant else "docs/settings.md lists the variables.",
            id="trastienda.W001",
        )
        for name, meant in environment.unknown(os.environ).items()
    ]
