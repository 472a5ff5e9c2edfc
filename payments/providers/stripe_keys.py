"""The keys of Stripe: in the environment, for all channels or for one, and never in the database."""

from django.conf import settings


def _suffix(channel: str) -> str:
    return channel.upper().replace("-", "_")


def _of(kept: dict[str, str], channel: str) -> str:
    return kept.get(_suffix(channel)) or kept.get("", "")


def key_of(channel: str) -> str:
    """The secret key that a channel is charged with; nothing when there is none."""
    return _of(settings.STRIPE_KEYS, channel)


def secrets_of(channel: str) -> list[str]:
    """What a channel's webhooks may be signed with: several while one follows another."""
    return [word.strip() for word in _of(settings.STRIPE_WEBHOOK_SECRETS, channel).split(",") if word.strip()]


def key_name(channel: str) -> str:
    """Where the key of a channel is looked for first."""
    return f"TRASTIENDA_STRIPE_KEY_{_suffix(channel)}"


def secrets_name(channel: str) -> str:
    """Where the webhook secrets of a channel are looked for first."""
    return f"TRASTIENDA_STRIPE_WEBHOOK_SECRETS_{_suffix(channel)}"
