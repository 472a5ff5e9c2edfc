"""Cash that couriers collected, and payments that were confirmed, before there were rows for them."""

from django.db import migrations

COLLECTED = """
INSERT INTO payments_collection
    (shop_id, order_id, channel_id, carrier_id, courier, courier_key, currency, amount_cents, collected_at)
SELECT e.shop_id, e.order_id, e.channel_id, c.id, coalesce(c.name, s.carrier_name, ''),
       coalesce('#' || c.id, s.folded, ''), p.currency, p.amount_cents, e.at
  FROM ledger_entry e
  JOIN ledger_posting p ON p.entry_id = e.id AND p.account = 'courier' AND p.amount_cents > 0
  LEFT JOIN LATERAL (SELECT carrier_id, carrier_name,
                            lower(regexp_replace(trim(carrier_name), '[[:space:]]+', ' ', 'g')) AS folded
                       FROM orders_shipment WHERE order_id = e.order_id ORDER BY number DESC LIMIT 1) s ON true
  LEFT JOIN LATERAL (SELECT id, name FROM marketplace_carrier
                      WHERE id = s.carrier_id
                         OR (s.carrier_id IS NULL AND (code = s.folded OR lower(name) = s.folded))
                      ORDER BY id LIMIT 1) c ON true
 WHERE e.kind = 'collect'
   AND NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.order_id = e.order_id AND r.kind = 'remit')
ON CONFLICT DO NOTHING
"""

NAMED = """
INSERT INTO payments_paymentreference (channel_id, reference, basket_id)
SELECT DISTINCT ON (o.channel_id, c.reference) o.channel_id, c.reference, o.basket_id
  FROM payments_charge c
  JOIN orders_order o ON o.id = c.order_id
 WHERE c.state = 'succeeded' AND c.reference <> '' AND c.tries = 0
   AND EXISTS (SELECT 1 FROM orders_event v WHERE v.order_id = o.id AND v.verb = 'confirm_payment')
 ORDER BY o.channel_id, c.reference, c.id
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0006_cash_and_payments_told"),
        ("ledger", "0003_other_presets"),
        ("orders", "0005_other_presets"),
    ]
    operations = [
        migrations.RunSQL(COLLECTED, migrations.RunSQL.noop),
        migrations.RunSQL(NAMED, migrations.RunSQL.noop),
    ]
