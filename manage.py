#!/usr/bin/env python
"""Django's own door: `./run manage …` calls it on the embedded services."""

import gc
import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
    gc.disable()  # what is loaded stays: looking for garbage in it meanwhile is a fifth of a start
    import django
    from django.core.management import execute_from_command_line

    from marketplace.environment import Incomplete

    try:
        django.setup()
        gc.freeze()
        gc.enable()
        execute_from_command_line(sys.argv)
    except Incomplete as lacking:
        sys.exit(str(lacking))


if __name__ == "__main__":
    main()
