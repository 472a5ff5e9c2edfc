"""An incident that stands holds its order, and says of its conversation what its conversation says."""

from datetime import datetime

from marketplace.invariants import Broken, broken, invariant


@invariant("I30", "An order is held by an incident exactly while one of it stands, until it has ended.")
def incidents_hold_their_orders(at: datetime | None) -> Broken:
    return broken(
        """
        SELECT 'order ' || o.reference FROM orders_order o
          JOIN (SELECT order_id, bool_or(stands) AS stands, bool_or(held) AS held FROM (
                    SELECT order_id, true AS stands, false AS held FROM incidents_incident WHERE state <> 'closed'
                    UNION ALL
                    SELECT order_id, false, true FROM orders_hold
                     WHERE kind = 'incident' AND released_at IS NULL) AS each GROUP BY 1) i ON i.order_id = o.id
         WHERE (i.held AND NOT i.stands)
            OR (i.stands AND NOT i.held AND o.state NOT IN ('closed', 'refused', 'cancelled', 'failed', 'returned'))
        """
    )


@invariant(
    "I31", "An incident is about lines of its order, in its conversation, and counts what was said there."
)
def incidents_agree(at: datetime | None) -> Broken:
    return broken(
        """
        SELECT 'incident ' || i.reference FROM incidents_incident i
          LEFT JOIN messaging_thread t ON t.id = i.thread_id
         WHERE t.id IS NULL OR t.order_id <> i.order_id OR NOT t.of_incident
            OR i.messages_count <> t.messages_count
            OR i.answer_by IS DISTINCT FROM CASE WHEN i.state <> 'closed' THEN t.answer_by END
            OR (i.state <> 'closed') <> (i.turn <> '')
        UNION ALL
        SELECT 'incident ' || i.reference || ', line ' || coalesce(l.line_id, 0) FROM incidents_incident i
          LEFT JOIN incidents_incidentline l ON l.incident_id = i.id
          LEFT JOIN orders_line o ON o.id = l.line_id
         WHERE l.id IS NULL OR o.order_id <> i.order_id OR l.standing <> (i.state <> 'closed')
        """
    )
