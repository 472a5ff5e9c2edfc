"""An order's history is a path of its machine, its rows are its shop's, and nothing free is overdue."""

from datetime import datetime, timedelta

from marketplace.invariants import Broken, broken, invariant
from marketplace.policy import Settings
from orders.states import FIRST, INSTANT, MOVES, PAID, Verb

LATE = timedelta(minutes=10)
"""How long after its moment a timer may come before it counts as overdue."""

_USUAL = [
    Settings.model_fields[name].default
    for name in ("commission_bp", "commission_on_shipping", "commission_vat_bp")
]
"""What a policy says of the commission that is from before these settings."""


def _paths() -> list[str]:
    """Legal steps as «verb before after»; told without a move, a verb leaves the state as it was."""
    moves = [f"{step.verb} {step.source} {target}" for step in MOVES for target in step.targets]
    return [*moves, *(f"{Verb.PLACE}  {state}" for state in FIRST)]


_STANDING = [
    str(verb)
    for verb in (
        Verb.HOLD,
        Verb.RELEASE,
        Verb.HAND_OVER,
        Verb.CONFIRM,
        Verb.ASSIGN,
        Verb.SHORTEN,
        Verb.NOTE_DELIVERY,
        Verb.LATE_CHARGE,
        Verb.PAID_BACK,
        Verb.NOT_PAID_BACK,
        Verb.MAIL_BOUNCED,
        Verb.REFUND,
        Verb.REFUND_UNDONE,
        Verb.RETURN_ASKED,
        Verb.RETURN_ACCEPTED,
        Verb.RETURN_REFUSED,
        Verb.RETURN_INSTRUCTED,
        Verb.RETURN_SENT,
        Verb.RETURN_WITHDRAWN,
        Verb.RETURN_LAPSED,
        Verb.RETURN_RECEIVED,
        Verb.RETURN_INSPECTED,
        Verb.RETURN_REFUNDED,
        Verb.RETURN_REPLACED,
        Verb.RETURN_REJECTED,
        Verb.RETURN_REOPENED,
        Verb.RETURN_LATE,
        Verb.LINKS_REVOKED,
        Verb.INVOICE_ASKED,
        Verb.INVOICE_GIVEN,
        Verb.INVOICE_TAKEN_BACK,
        Verb.REQUEST_MADE,
        Verb.REQUEST_APPROVED,
        Verb.REQUEST_DECLINED,
        Verb.REQUEST_WITHDRAWN,
        Verb.REQUEST_OVERTAKEN,
        Verb.INCIDENT_OPENED,
        Verb.INCIDENT_RESOLVED,
        Verb.INCIDENT_SENT_BACK,
        Verb.INCIDENT_CLOSED,
    )
]


@invariant("I7", "An order's events are a path of its machine, and the last one is its state.")
def histories_are_paths(at: datetime | None) -> Broken:
    return broken(
        """
        WITH told AS (
            SELECT e.*, lag(e.after, 1, '') OVER w AS came_from, lag(e.at) OVER w AS earlier,
                   row_number() OVER (PARTITION BY e.order_id ORDER BY e.id DESC) = 1 AS last
              FROM orders_event e WINDOW w AS (PARTITION BY e.order_id ORDER BY e.id))
        SELECT 'order ' || o.id || ', event ' || coalesce(told.id, 0) || ' (' || coalesce(told.verb, 'none') || ')'
          FROM orders_order o LEFT JOIN told ON told.order_id = o.id
         WHERE told.id IS NULL OR told.before <> told.came_from OR told.at < told.earlier
            OR (told.last AND (told.after <> o.state OR told.at <> o.moved_at))
            OR NOT (told.verb || ' ' || told.before || ' ' || told.after = ANY(%s)
                    OR (told.verb = ANY(%s) AND told.before = told.after))
        """,
        [_paths(), _STANDING],
    )


@invariant("I8", "Nothing that is not held is overdue.")
def nothing_is_overdue(at: datetime | None) -> Broken | list[str]:
    if at is None:
        return []
    return broken(
        """
        SELECT 'order ' || reference || ' (' || state || ')' FROM orders_order
         WHERE (state = 'pending_acceptance' AND accept_by < %(by)s)
            OR (state = 'pending_payment' AND pay_by < %(by)s)
            OR (state IN ('shipped', 'delivered') AND held_at IS NULL AND incident_at IS NULL AND receive_at < %(by)s)
        """.replace("%(by)s", "%s"),
        [at - LATE] * 3,
    )


@invariant("I10", "A child's shop is its parent's.")
def children_are_of_the_shop(at: datetime | None) -> Broken:
    children = (
        "orders_line",
        "orders_shipment",
        "orders_hold",
        "orders_event",
        "orders_part",
        "orders_request",
        "orders_deliveryexception",
        "payments_charge",
        "payments_payback",
        "payments_release",
    )
    return broken(
        " UNION ALL ".join(
            f"SELECT '{table} ' || c.id FROM {table} c JOIN orders_order o ON o.id = c.order_id "
            "WHERE c.shop_id <> o.shop_id"
            for table in children
        )
    )


@invariant("I14", "What an order says of its holds is what its holds say.")
def holds_agree(at: datetime | None) -> Broken:
    return broken(
        """
        SELECT 'order ' || o.reference FROM orders_order o
          LEFT JOIN (SELECT order_id, bool_or(kind NOT IN ('incident', 'return')) AS held,
                            bool_or(kind IN ('incident', 'return')) AS incident
                       FROM orders_hold WHERE released_at IS NULL GROUP BY 1) h ON h.order_id = o.id
         WHERE (o.held_at IS NOT NULL) <> coalesce(h.held, false)
            OR (o.incident_at IS NOT NULL) <> coalesce(h.incident, false)
        """
    )


@invariant(
    "I17", "What an order says of its digital lines is what they say, and none that is paid waits for nobody."
)
def digital_lines_agree(at: datetime | None) -> Broken:
    return broken(
        """
        SELECT 'order ' || o.reference FROM orders_order o
          LEFT JOIN (SELECT order_id, count(*) FILTER (WHERE kind = ANY(%s) AND confirmed_at IS NULL) AS at_once,
                            count(*) FILTER (WHERE kind <> ALL(%s) AND confirmed_at IS NULL) AS to_confirm,
                            max(confirmed_at) AS confirmed_at
                       FROM orders_line WHERE kind <> 'goods' AND decision <> 'refused' GROUP BY 1) l
                 ON l.order_id = o.id
         WHERE o.state <> 'refused'
           AND (o.at_once <> coalesce(l.at_once, 0) OR o.to_confirm <> coalesce(l.to_confirm, 0)
                OR o.confirmed_at IS DISTINCT FROM l.confirmed_at
                OR (o.state = ANY(%s) AND o.at_once > 0 AND o.held_at IS NULL)
                OR (o.receive_at IS NOT NULL AND o.at_once + o.to_confirm > 0))
        """,
        [list(map(str, INSTANT)), list(map(str, INSTANT)), list(map(str, PAID))],
    )


@invariant("I15", "Who fulfils an order, and its parts, is what its lines say that were not refused.")
def parts_agree(at: datetime | None) -> Broken:
    return broken(
        """
        WITH said AS (
            SELECT order_id, count(DISTINCT coalesce(supplier_id, 0)) AS n, max(supplier_id) AS one
              FROM orders_line WHERE decision <> 'refused' AND kind <> ALL(%s) GROUP BY order_id),
        served AS (
            SELECT order_id, supplier_id, sum(quantity) AS units FROM orders_line
             WHERE supplier_id IS NOT NULL AND decision <> 'refused' AND kind <> ALL(%s) GROUP BY 1, 2)
        SELECT 'order ' || o.reference FROM orders_order o LEFT JOIN said ON said.order_id = o.id
         WHERE o.state <> 'refused'
           AND (o.shared <> (coalesce(said.n, 0) > 1)
                OR o.supplier_id IS DISTINCT FROM CASE WHEN said.n = 1 THEN said.one END)
        UNION ALL
        SELECT 'part of order ' || coalesce(p.order_id, s.order_id)
          FROM orders_part p FULL JOIN served s USING (order_id, supplier_id)
         WHERE p.units IS DISTINCT FROM s.units
        """,
        [list(map(str, INSTANT))] * 2,
    )


@invariant(
    "I20", "An order's amounts are those of its accepted lines, and of all of them where there was no answer."
)
def amounts_are_of_the_lines(at: datetime | None) -> Broken:
    return broken(
        """
        SELECT 'order ' || o.reference FROM orders_order o
          LEFT JOIN (SELECT order_id, sum(goods_cents) AS goods, sum(shipping_cents) AS shipping,
                            coalesce(sum(goods_cents) FILTER (WHERE decision = 'accepted'), 0) AS goods_kept,
                            coalesce(sum(shipping_cents) FILTER (WHERE decision = 'accepted'), 0) AS shipping_kept
                       FROM orders_line GROUP BY 1) l ON l.order_id = o.id
         WHERE o.goods_cents <> coalesce(CASE WHEN o.accepted_at IS NULL THEN l.goods ELSE l.goods_kept END, 0)
            OR o.shipping_cents <> coalesce(CASE WHEN o.accepted_at IS NULL THEN l.shipping ELSE l.shipping_kept END, 0)
        """
    )


@invariant(
    "I21",
    "A commission is what its parts add up to, and where it has none, the policy's rate of what is kept; with its VAT, but where the shop has told of a seat that has none.",
)
def commissions_add_up(at: datetime | None) -> Broken:
    return broken(
        """
        WITH rules AS MATERIALIZED (
            SELECT id, coalesce((settings::jsonb ->> 'commission_bp')::numeric, %s) AS rate,
                   coalesce((settings::jsonb ->> 'commission_on_shipping')::boolean, %s) AS on_shipping,
                   coalesce((settings::jsonb ->> 'commission_vat_bp')::numeric, %s) AS vat
              FROM marketplace_policy),
        asked AS (
            SELECT o.id, o.shop_id, o.reference, o.commission_cents, o.commission_vat_cents, p.vat,
                   CASE WHEN o.commission_parts <> '[]'::jsonb
                        THEN (SELECT sum((part ->> 'cents')::bigint) FROM jsonb_array_elements(o.commission_parts) part)
                        WHEN o.accepted_at IS NULL THEN 0
                        ELSE round((o.goods_cents + CASE WHEN p.on_shipping THEN o.shipping_cents ELSE 0 END)
                                   * p.rate / 10000)
                   END AS fee
              FROM orders_order o JOIN rules p ON p.id = o.policy_id)
        SELECT 'order ' || reference FROM asked
         WHERE commission_cents <> fee OR commission_vat_cents NOT IN (0, round(fee * vat / 10000))
            OR (commission_vat_cents = 0 AND round(fee * vat / 10000) <> 0
                AND NOT EXISTS (SELECT FROM settlements_payee told WHERE told.shop_id = asked.shop_id
                                                                     AND told.vat_seat <> 'domestic'))
        """,
        _USUAL,
    )


@invariant(
    "I24",
    "An order whose delivery failed has exactly one open delivery exception, and no other order has any.",
)
def exceptions_agree(at: datetime | None) -> Broken:
    return broken(
        """
        SELECT 'order ' || o.reference FROM orders_order o
         WHERE o.state = 'exception'
           AND NOT EXISTS (SELECT FROM orders_deliveryexception e WHERE e.order_id = o.id AND e.ended_at IS NULL)
        UNION ALL
        SELECT 'order ' || o.reference FROM orders_deliveryexception e JOIN orders_order o ON o.id = e.order_id
         WHERE e.ended_at IS NULL AND o.state <> 'exception'
        UNION ALL
        SELECT 'exception ' || id FROM orders_deliveryexception WHERE ended_at < reported_at
        """
    )


@invariant(
    "I25",
    "What an order says of its open requests is what they say, and they are of the state that it is in.",
)
def requests_agree(at: datetime | None) -> Broken:
    return broken(
        """
        SELECT 'order ' || o.reference FROM orders_order o
          LEFT JOIN (SELECT order_id, count(*) AS n, min(order_state) AS first, max(order_state) AS last
                       FROM orders_request WHERE state = 'open' GROUP BY 1) r ON r.order_id = o.id
         WHERE (o.open_requests > 0 OR r.n > 0)
           AND (o.open_requests <> coalesce(r.n, 0) OR r.first <> o.state OR r.last <> o.state)
        """
    )
