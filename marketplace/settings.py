"""Settings of the site; everything a server must decide comes from the environment."""

import os
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _

from marketplace import environment
from marketplace.environment import ROOT
from marketplace.logs import logging_of
from marketplace.sidebar import UNFOLD  # noqa: F401

ENVIRONMENT = environment.read(os.environ)
HOME = ENVIRONMENT.home

DEVELOPMENT = ENVIRONMENT.development
"""A site that people build and try out: `./run` says so, a server never does."""

DEBUG = DEVELOPMENT and ENVIRONMENT.debug
"""Django's own error pages, with the trace, instead of ours."""

SECRET_KEY = ENVIRONMENT.secret_key
SECRET_KEY_FALLBACKS = list(ENVIRONMENT.secret_key_fallbacks)
ALLOWED_HOSTS = list(ENVIRONMENT.hosts)
CSRF_TRUSTED_ORIGINS = list(ENVIRONMENT.origins)
SITE_URL = ENVIRONMENT.url


def _database(url: str) -> dict[str, object]:
    """A database out of its address; what follows the question mark is libpq's."""
    parts = urlsplit(url)
    query: dict[str, Any] = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    host = query.pop("host", parts.hostname or "")
    options = {"application_name": "trastienda", "prepare_threshold": 3, "connect_timeout": 5, **query}
    if ENVIRONMENT.db_pool:
        options["pool"] = {"min_size": 1, "max_size": 12, "timeout": 10}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
        "CONN_MAX_AGE": 0 if ENVIRONMENT.db_pool else None,
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"TEMPLATE": "template0"},
    }


DATABASES = {"default": _database(ENVIRONMENT.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = ENVIRONMENT.redis_url


def _broker(url: str) -> str:
    """Celery's spelling of a Unix socket differs from redis-py's."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    database = parse_qs(parts.query).get("db", ["0"])[-1]
    return f"redis+socket://{parts.path}?virtual_host={database}"


BROKER_URL = _broker(REDIS_URL)
CACHES = {
    "default": {
        "BACKEND": "marketplace.cache.ForgivingCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "trastienda",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }
}

INSTALLED_APPS = [
    "playback",
    "dashboard",
    "customer",
    "quality",
    "incidents",
    "refunds",
    "settlements",
    "payments",
    "messaging",
    "ledger",
    "orders",
    "sellers",
    "marketplace",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "marketplace.admin_app.OperatorsAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "django_htmx",
    "django_linear_migrations",
]

MIDDLEWARE = [
    "marketplace.logs.Requests",
    "marketplace.health.Probes",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "sellers.middleware.OwnLanguage",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "marketplace.urls"
WSGI_APPLICATION = "marketplace.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "NAME": "jinja2",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "marketplace.jinja.environment",
            "auto_reload": DEVELOPMENT,
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "NAME": "django",
        "DIRS": [ROOT / "templates" / "admin_django"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

AUTH_USER_MODEL = "sellers.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "sellers.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reset_password": "20/m/ip,5/m/key",
    "reset_password_from_key": "20/m/ip",
    "change_password": "5/m/user",
}
# Behind a proxy the client's address comes in a header that only the operator can vouch for.
ALLAUTH_TRUSTED_PROXY_COUNT = ENVIRONMENT.proxies

LANGUAGE_CODE = "es"
LANGUAGES = [("es", _("Español")), ("en", _("Inglés"))]
LOCALE_PATHS = [ROOT / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Europe/Madrid"

STATIC_URL = "/static/"
STATIC_ROOT = ENVIRONMENT.static or HOME / "static"
STATICFILES_DIRS = [ROOT / "static"]


def _blobs(url: str) -> dict[str, object]:
    """Where files from outside are kept: in a folder, or in the S3 store that an address names."""
    parts = urlsplit(url)
    if parts.scheme != "s3":
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {
                "location": parts.path or HOME / "files",
                "file_permissions_mode": 0o600,
                "directory_permissions_mode": 0o700,
            },
        }
    from boto3.s3.transfer import TransferConfig
    from botocore.config import Config

    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    scheme = "http" if query.get("tls") == "no" else "https"
    host = parts.netloc.rpartition("@")[2]
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": parts.path.strip("/"),
            "access_key": unquote(parts.username or "") or None,
            "secret_key": unquote(parts.password or "") or None,
            "endpoint_url": f"{scheme}://{host}" if host else None,
            "region_name": query.get("region"),
            "default_acl": None,
            "max_memory_size": 1024**2,
            "transfer_config": TransferConfig(use_threads=False),
            "client_config": Config(
                connect_timeout=5,
                read_timeout=20,
                retries={"max_attempts": 2},
                signature_version="s3v4",
                s3={"addressing_style": "path" if host else "virtual"},
            ),
        },
    }


STORAGES = {
    "default": _blobs(ENVIRONMENT.files_url),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEVELOPMENT
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
FILE_UPLOAD_HANDLERS = ["marketplace.uploads.BoundedUploads"]
DATA_UPLOAD_MAX_NUMBER_FILES = None
"""The handler counts for itself: too many files are refused by name, and the text beside them is not lost."""

WHITENOISE_USE_FINDERS = DEVELOPMENT
WHITENOISE_AUTOREFRESH = DEVELOPMENT

STRIPE_KEYS = ENVIRONMENT.stripe_keys
STRIPE_WEBHOOK_SECRETS = ENVIRONMENT.stripe_webhook_secrets
STRIPE_API = ENVIRONMENT.stripe_api
STRIPE_TIMEOUT_S = 20
"""How long Stripe may take to answer; the calls of one charge fit into the lease of its row."""

MAIL_WEBHOOK_SECRETS = ENVIRONMENT.mail_webhook_secrets
MAILGUN_SIGNING_KEY = ENVIRONMENT.mailgun_signing_key
BREVO_API_KEY = ENVIRONMENT.brevo_api_key
BREVO_API = "https://api.brevo.com/v3/"
MAIL_REPLY_DOMAIN = ENVIRONMENT.mail_reply_domain
MAIL_MOST_BYTES = ENVIRONMENT.mail_most_mb * 1_000_000

CLAMD_URL = ENVIRONMENT.clamd_url
"""The virus scanner that every file from outside is shown to; without one nothing is scanned."""

MAILBOX = HOME / "mailbox"
MAIL_FROM = ENVIRONMENT.mail_from
DEFAULT_FROM_EMAIL = SERVER_EMAIL = MAIL_FROM


def _mailer(url: str) -> dict[str, object]:
    """The server that an address names, or the local mailbox, which has a page."""
    if url == environment.LOCAL_MAILBOX:
        return {"BACKEND": "messaging.mailbox.MailboxBackend", "OPTIONS": {}}
    parts = urlsplit(url)
    return {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {
            "host": parts.hostname or "localhost",
            "port": parts.port or {"smtps": 465, "smtp+tls": 587}.get(parts.scheme, 25),
            "username": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "use_tls": parts.scheme == "smtp+tls",
            "use_ssl": parts.scheme == "smtps",
            "timeout": 20,
        },
    }


MAILERS = {"default": _mailer(ENVIRONMENT.smtp_url)}

SECURE_CSP: dict[str, list[str]] = {
    "default-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "style-src": [CSP.SELF, CSP.NONCE],
    "script-src": [CSP.SELF, CSP.NONCE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "object-src": [CSP.NONE],
}
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SECURE_REFERRER_POLICY = "same-origin"
if not DEVELOPMENT:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = ENVIRONMENT.https_redirect
    if ENVIRONMENT.proxies:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True

SILENCED_SYSTEM_CHECKS: list[str] = []

LOGGING = logging_of(ENVIRONMENT.log, ENVIRONMENT.log_level)
