"""What Django cannot say of the books, said to PostgreSQL (SET-04, I1, I2)."""

from django.db import migrations

from marketplace.shopwall import of_the_same_shop, only_added_to

BALANCED = """
ALTER TABLE ledger_entry ADD COLUMN made_in bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint);

-- An entry is judged when its transaction ends: by then all its postings stand.
CREATE FUNCTION ledger_entry_is_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) < 2 FROM ledger_posting WHERE entry_id = NEW.id)
       OR EXISTS (SELECT 1 FROM ledger_posting WHERE entry_id = NEW.id
                  GROUP BY currency HAVING sum(amount_cents) <> 0) THEN
        RAISE EXCEPTION 'entry % does not balance', NEW.key USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON ledger_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION ledger_entry_is_balanced();

-- Postings join an entry only in the transaction that made it: what is balanced stays so.
CREATE FUNCTION ledger_posting_is_timely() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM added LEFT JOIN ledger_entry entry ON entry.id = added.entry_id
               WHERE entry.made_in IS DISTINCT FROM pg_current_xact_id()::text::bigint) THEN
        RAISE EXCEPTION 'a posting came after its entry was closed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER timely AFTER INSERT ON ledger_posting REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_posting_is_timely();
"""

UNBALANCED = """
DROP TRIGGER timely ON ledger_posting; DROP FUNCTION ledger_posting_is_timely();
DROP TRIGGER balanced ON ledger_entry; DROP FUNCTION ledger_entry_is_balanced();
ALTER TABLE ledger_entry DROP COLUMN made_in;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_spine"), ("orders", "0001_spine")]
    operations = [
        of_the_same_shop("ledger_posting", "entry_id", "ledger_entry"),
        of_the_same_shop("ledger_entry", "order_id", "orders_order"),
        migrations.RunSQL(BALANCED, UNBALANCED),
        only_added_to("ledger_entry"),
        only_added_to("ledger_posting"),
    ]
