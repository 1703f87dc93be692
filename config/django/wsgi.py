"""The WSGI application that `woodpecker web` serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.django.settings")
application = get_wsgi_application()
