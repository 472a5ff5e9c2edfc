"""The cache of the site: what is in it may be gone at any time, and so may the server that keeps it."""

import logging
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


class ForgivingCache(RedisCache):
    """Valkey, as long as it answers; while it does not, nothing is found and nothing is kept.

    Pages and the sign-in go on without it; what it counts (tries of a password) is not counted meanwhile.
    """

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        try:
            return super().get(key, default, version)
        except RedisError as error:
            return _missed(error, default)

    def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> None:
        try:
            super().set(key, value, *args, **kwargs)
        except RedisError as error:
            _missed(error)

    def add(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> bool:
        try:
            return bool(super().add(key, value, *args, **kwargs))
        except RedisError as error:
            return bool(_missed(error, True))

    def delete(self, key: Any, version: int | None = None) -> bool:
        try:
            return bool(super().delete(key, version))
        except RedisError as error:
            return bool(_missed(error, False))


def _missed(error: RedisError, answer: Any = None) -> Any:
    logger.warning("the cache does not answer (%s): going on without it", error)
    return answer
