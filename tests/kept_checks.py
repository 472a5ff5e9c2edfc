"""Every invariant in one question whose plans the server keeps: after thousands of tests it is the same question.

A prepared statement would be forgotten at each rollback, and every test ends with one; the plans of a function stay.
"""

from typing import Any, cast

import psycopg
from django.db import connection

from marketplace.invariants import Broken, all_of_them

_NAME = "every_invariant"


def keep() -> None:
    """Write the function that asks every invariant which is a query, with no moment to judge deadlines by."""
    asked = {one.code: found for one in all_of_them() if isinstance(found := one.check(None), Broken)}
    parts = [
        f"RETURN QUERY SELECT '{code}', broken::text FROM ({_written(found)}) AS found (broken) LIMIT 20;"
        for code, found in asked.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE OR REPLACE FUNCTION {_NAME}() RETURNS TABLE (its_code text, its_row text) LANGUAGE plpgsql AS "
            f"$body$ BEGIN {' '.join(parts)} END $body$"
        )


def _written(found: Broken) -> str:
    """The query with its parameters in it."""
    connection.ensure_connection()
    raw = cast("psycopg.Connection[Any]", connection.connection)
    return psycopg.ClientCursor(raw).mogrify(found.sql, list(found.params)) if found.params else found.sql


def failing() -> list[tuple[str, str]]:
    """The rows that break an invariant now, each with its code."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT its_code, its_row FROM {_NAME}()")
        rows: list[tuple[str, str]] = cursor.fetchall()
    others = ((one.code, one.check(None)) for one in all_of_them())
    return rows + [(code, row) for code, found in others if not isinstance(found, Broken) for row in found]
