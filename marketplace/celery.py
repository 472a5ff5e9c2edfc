"""The clock of the site: every timer on one screen, woken by Celery's beat, by cron or by the bell.

Celery carries no news. A timer finds in the database what is due, so a task lost, doubled or late changes nothing but
the moment. The order of the list is the order at one instant: what is received at a closing still enters it.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from celery import Celery, signals
from django.conf import settings
from django.utils.module_loading import import_string

from marketplace import logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer: its work (`path(at=…, tally=…)`), when something of it is next due (`due() -> moment | None`)."""

    name: str
    path: str
    due: str
    every_s: int
    what: str

    @property
    def work(self) -> Callable[..., None]:
        return cast("Callable[..., None]", import_string(self.path))

    def next_due(self) -> datetime | None:
        """The earliest moment at which this timer has something to do; None when nothing waits."""
        return cast("datetime | None", import_string(self.due)())


TIMERS = (
    Timer("expire", "orders.tasks.expire_unaccepted", "orders.queries.next_expiry", 20,
          "cancel what was not accepted in time"),
    Timer("payments", "payments.tasks.drain_inquiries", "payments.queries.next_inquiry", 30,
          "ask the provider about payments made beforehand"),
    Timer("lapse", "orders.tasks.lapse_unpaid", "orders.queries.next_lapse", 60,
          "cancel what was not paid in time"),
    Timer("presale", "orders.tasks.end_presale_holds", "orders.queries.next_presale_end", 60,
          "end pre-sale holds on their date"),
    Timer("charge", "payments.tasks.drain_charges", "payments.queries.next_charge", 5,
          "ask the provider for charges"),
    Timer("payback", "payments.tasks.drain_paybacks", "payments.queries.next_payback", 10,
          "ask the provider to pay back"),
    Timer("let_go", "payments.tasks.drain_releases", "payments.queries.next_release", 60,
          "let go of authorisations that nobody will charge"),
    Timer("debits", "payments.tasks.alert_stuck_debits", "payments.queries.next_stuck_debit", 60,
          "alert on debits that take too long"),
    Timer("incidents", "incidents.tasks.close_quiet", "incidents.queries.next_due", 60,
          "close resolved incidents after their quiet time, or list them for the operator"),
    Timer("returns", "refunds.tasks.pass_deadlines", "refunds.return_queries.next_due", 60,
          "see to returns whose deadline has passed"),
    Timer("receive", "orders.tasks.receive_shipped", "orders.queries.next_receipt", 60,
          "count shipped orders as received"),
    Timer("reviews", "quality.tasks.ask_for_reviews", "quality.queries.next_request", 300,
          "ask customers for reviews"),
    Timer("statements", "settlements.tasks.close_due_cycles", "settlements.queries.next_closing", 300,
          "close statements on the calendar"),
    Timer("invoices", "settlements.tasks.issue_due_invoices", "settlements.queries.next_invoice", 300,
          "bill the commissions of closed statements"),
    Timer("forget", "payments.tasks.forget_webhooks", "payments.queries.next_forgetting", 3600,
          "delete what webhooks said 90 days ago"),
    Timer("notices", "messaging.tasks.send_notices", "messaging.queries.next_notice", 5,
          "send notices"),
    Timer("files", "messaging.tasks.sweep_files", "messaging.queries.next_sweep", 3600,
          "delete blobs that no message knows"),
    Timer("watch", "messaging.tasks.watch_invariants", "messaging.queries.next_watch", 600,
          "check what must always hold"),
    Timer("seal", "ledger.tasks.seal_books", "ledger.sealing.next_seal", 3600,
          "seal the days of the books that are over, and prove those that were sealed"),
)  # fmt: skip

BY_NAME = {timer.name: timer for timer in TIMERS}

app = Celery("trastienda")
app.conf.update(
    broker_url=settings.BROKER_URL,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": 3600,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 1,
        "socket_timeout": 1,
        # Whoever rings the bell waits in a page: one more try, at once. The worker's own loop goes on by itself.
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0,
    },
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_time_limit=1800,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    timezone="UTC",
    beat_schedule={
        timer.name: {
            "task": "marketplace.tasks.run",
            "schedule": timer.every_s,
            "args": [timer.name],
            "options": {"expires": timer.every_s * 2},
        }
        for timer in TIMERS
    },
)


@signals.celeryd_init.connect  # type: ignore[untyped-decorator]
def be_patient(**_: object) -> None:
    """A worker waits for its broker, which has nothing to say for a while; a page does not."""
    app.conf.broker_transport_options = {**app.conf.broker_transport_options, "socket_timeout": 30}


app.autodiscover_tasks(["marketplace"])
signals.setup_logging.connect(logs.leave_logging_alone)
signals.task_prerun.connect(logs.begin_task)
signals.task_postrun.connect(logs.end_task)
