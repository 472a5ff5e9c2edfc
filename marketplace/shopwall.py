"""The second wall between shops: composite foreign keys and append-only tables, as migration operations.

The first wall is the access function of each app; this one is the database's own refusal.
"""

from django.db.migrations import RunSQL


def of_the_same_shop(table: str, column: str, parent: str, *, shop: str = "shop_id") -> RunSQL:
    """A child row refers to a parent of the same shop: (shop, column) → parent (shop_id, id)."""
    name = f"{table}_{column}_same_shop"
    return RunSQL(
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" FOREIGN KEY ("{shop}", "{column}") '
        f'REFERENCES "{parent}" (shop_id, id) DEFERRABLE INITIALLY DEFERRED',
        f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"',
    )


def only_added_to(table: str) -> RunSQL:
    """Rows of this table can be added, never changed or taken away."""
    return RunSQL(
        f"""
        CREATE FUNCTION {table}_is_only_added_to() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '{table} can only be added to' USING ERRCODE = 'integrity_constraint_violation';
        END $$;
        CREATE TRIGGER only_added_to BEFORE UPDATE OR DELETE ON "{table}"
            FOR EACH ROW EXECUTE FUNCTION {table}_is_only_added_to();
        CREATE TRIGGER never_emptied BEFORE TRUNCATE ON "{table}"
            FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_only_added_to();
        """,
        f"""
        DROP TRIGGER only_added_to ON "{table}"; DROP TRIGGER never_emptied ON "{table}";
        DROP FUNCTION {table}_is_only_added_to();
        """,
    )
