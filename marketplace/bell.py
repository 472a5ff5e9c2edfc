"""The bell: after the commit, ask a worker to run a drain now instead of at its next tick.

It is the only place that sends a task. A broker that is down costs nothing but the wait: the clock will come by.
"""

import logging
from functools import partial

from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from marketplace.celery import app

logger = logging.getLogger(__name__)


def _send(timer: str) -> None:
    try:
        app.send_task("marketplace.tasks.run", args=[timer], retry=False, ignore_result=True)
    except (OperationalError, RedisError) as error:
        logger.warning("the broker does not answer (%s): %s waits for its next tick", error, timer)


def ring(*timers: str) -> None:
    """Wake these timers once the current transaction has been committed; called by views only."""
    for timer in timers:
        transaction.on_commit(partial(_send, timer))
