"""Django's settings. There is no `auth`, no `sessions` and no CSRF middleware: who is asking is Sekisho's to say."""

import os
from pathlib import Path

FOLDER = Path(__file__).parent
DEBUG = os.environ.get("DJANGO_DEBUG") == "1"
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or os.urandom(32).hex()  # nothing that lasts is signed with it
ALLOWED_HOSTS = os.environ.get("DJANGO_HOSTS", "localhost,127.0.0.1").split(",")
SECURE_PROXY_SSL_HEADER = None if DEBUG else ("HTTP_X_FORWARDED_PROTO", "https")
ROOT_URLCONF = "urls"
INSTALLED_APPS = ["django.contrib.staticfiles", "tasks"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("TASKS_FILE") or FOLDER / "tasks.db",
        "OPTIONS": {"timeout": 5, "transaction_mode": "IMMEDIATE"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ, TIME_ZONE = True, "UTC"
STATIC_URL = "/static/"
PAGE = FOLDER.parent / "web" / "dist"
STATICFILES_DIRS = [PAGE]

SEKISHO_URL = os.environ.get("AUTH_URL", "http://localhost:8080")
SEKISHO_APP = "tasks"  # the page's `clientId`; the cookie has it in its name
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "sekisho": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "sekisho",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    },
}
