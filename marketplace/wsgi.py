"""What a web server calls: the site, loaded."""

import gc
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
gc.disable()  # as in manage.py

from django.core.wsgi import get_wsgi_application  # noqa: E402

application = get_wsgi_application()
gc.freeze()
gc.enable()
