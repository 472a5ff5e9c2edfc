"""Writing many rows at the speed of the database: COPY for new ones, one UPDATE … FROM for changed ones.

Rows are decided in Python and written in bulk; constraints and triggers see every one of them. All calls run inside
the caller's transaction. A move of few rows pays for each round trip to the database: inside `gathered()` its writes
wait for each other and travel as one statement.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from threading import get_ident
from typing import Any, NamedTuple, cast

import psycopg
from django.db import connection, models
from django.db.models.base import ModelState
from psycopg import sql
from psycopg.abc import Loader
from psycopg.pq import Format

_FEW = 8


class _Write(NamedTuple):
    """A write that waits for the others: its table, its statement and its parameters."""

    table: str
    statement: bytes
    params: Sequence[object]


_waiting: ContextVar[list[_Write] | None] = ContextVar("waiting", default=None)


@contextmanager
def gathered() -> Iterator[None]:
    """Let the writes of a block travel together; to be entered inside a transaction.

    They are sent at its end, and before anything is read in it, whether by these functions or by the ORM.
    """
    if _waiting.get() is not None:
        yield
        return
    token = _waiting.set([])
    try:
        with connection.execute_wrapper(_send_first):
            yield
        _send()
    finally:
        _waiting.reset(token)


def _send_first(
    execute: Callable[..., Any], statement: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    _send()
    return execute(statement, params, many, context)


def _send() -> None:
    """Send what waits, as one statement of data-modifying WITH clauses."""
    writes = _waiting.get()
    if not writes:
        return
    _waiting.set([])
    statement = _joined(tuple(write.statement for write in writes))
    with _cursor() as cursor:
        cursor.execute(statement, [value for write in writes for value in write.params])


@lru_cache(maxsize=512)
def _joined(statements: tuple[bytes, ...]) -> bytes:
    *others, last = statements
    if not others:
        return _numbered(last)
    head = b", ".join(b"w%d AS (%s)" % (n, statement) for n, statement in enumerate(others))
    return _numbered(b"WITH " + head + b" " + last)


@lru_cache(maxsize=512)
def _numbered(statement: bytes) -> bytes:
    """The statement with its places numbered, as the server reads it: psycopg has nothing left to translate."""
    first, *rest = statement.split(b"%s")
    return b"".join((first, *(b"$%d%s" % (n, part) for n, part in enumerate(rest, 1))))


def _write(table: str, statement: bytes, params: Sequence[object]) -> None:
    """Send a write, or let it wait. Two writes of one table never travel together: neither would see the other."""
    writes = _waiting.get()
    if writes is None:
        with _cursor() as cursor:
            cursor.execute(_numbered(statement), params)
        return
    if any(write.table == table for write in writes):
        _send()
        writes = _waiting.get()
    assert writes is not None
    writes.append(_Write(table, statement, params))


@contextmanager
def _cursor(*, reads_moments: bool = False) -> Iterator[psycopg.Cursor[Any]]:
    """A server-side-binding cursor on Django's own connection; errors come out as Django's.

    What is asked often is prepared by the server (`prepare_threshold` in the settings), not planned anew each time.
    """
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    raw = cast("psycopg.Connection[Any]", connection.connection)
    with connection.wrap_database_errors, psycopg.RawCursor(raw) as cursor:
        if reads_moments:  # psycopg's own loader: Django's does the same in Python, for another time zone
            cursor.adapters.register_loader("timestamptz", _MOMENTS)
        yield cursor


_MOMENTS = cast(
    "type[Loader]", psycopg.adapters.get_loader(psycopg.adapters.types["timestamptz"].oid, Format.TEXT)
)


@lru_cache(maxsize=256)
def _columns(model: type[models.Model], names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Column and PostgreSQL type of each attribute."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    return tuple(
        (str(fields[n].column), str(fields[n].db_type(connection)).split(" GENERATED")[0]) for n in names
    )


def _array_type(kind: str) -> str:
    return {"bigserial": "bigint", "serial": "integer"}.get(kind, kind) + "[]"


@lru_cache(maxsize=256)
def _insert_few(model: type[models.Model], names: tuple[str, ...], count: int) -> bytes:
    columns = _columns(model, names)
    one = sql.SQL("({})").format(sql.SQL(", ").join(sql.Placeholder() * len(columns)))
    return (
        sql.SQL("INSERT INTO {} ({}) VALUES {}")
        .format(_table(model), _listed(columns), sql.SQL(", ").join([one] * count))
        .as_bytes()
    )


@lru_cache(maxsize=256)
def _copy_in(model: type[models.Model], names: tuple[str, ...]) -> bytes:
    return (
        sql.SQL("COPY {} ({}) FROM STDIN").format(_table(model), _listed(_columns(model, names))).as_bytes()
    )


@lru_cache(maxsize=256)
def _update_from(model: type[models.Model], names: tuple[str, ...], alike: frozenset[int]) -> bytes:
    """An UPDATE whose columns `alike` take one value for all rows, and the others one a row."""
    columns = _columns(model, names)
    varying = [n for n in range(len(columns)) if n not in alike]
    sets = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(
            sql.Identifier(columns[n][0]),
            sql.SQL("{}::{}").format(sql.Placeholder(), sql.SQL(columns[n][1]))
            if n in alike
            else sql.SQL("new.{}").format(sql.Identifier(f"v{n}")),
        )
        for n in [*sorted(alike), *varying[1:]]
    )
    return (
        sql.SQL("UPDATE {} AS old SET {} FROM unnest({}) AS new ({}) WHERE old.{} = new.v0")
        .format(
            _table(model),
            sets,
            _arrays([columns[n] for n in varying]),
            sql.SQL(", ").join(sql.Identifier(f"v{n}") for n in varying),
            sql.Identifier(columns[0][0]),
        )
        .as_bytes()
    )


@lru_cache(maxsize=256)
def _insert_missing(model: type[models.Model], names: tuple[str, ...]) -> bytes:
    columns = _columns(model, names)
    return (
        sql.SQL("INSERT INTO {} ({}) SELECT * FROM unnest({}) ON CONFLICT DO NOTHING RETURNING {}, id")
        .format(_table(model), _listed(columns), _arrays(columns), sql.Identifier(columns[0][0]))
        .as_bytes()
    )


@lru_cache(maxsize=64)
def _select_for_update(model: type[models.Model], skip_locked: bool) -> bytes:
    columns = _columns(model, _attributes(model))
    return (
        sql.SQL("SELECT {} FROM {} WHERE id = ANY({}::bigint[]) ORDER BY id FOR NO KEY UPDATE{}")
        .format(
            _listed(columns), _table(model), sql.Placeholder(), sql.SQL(" SKIP LOCKED" if skip_locked else "")
        )
        .as_bytes()
    )


@lru_cache(maxsize=64)
def _attributes(model: type[models.Model]) -> tuple[str, ...]:
    return tuple(field.attname for field in model._meta.concrete_fields)


@lru_cache(maxsize=64)
def _json_attributes(model: type[models.Model]) -> tuple[str, ...]:
    """Columns that arrive as text, because Django decodes its JSON fields itself."""
    return tuple(f.attname for f in model._meta.concrete_fields if isinstance(f, models.JSONField))


def _table(model: type[models.Model]) -> sql.Identifier:
    return sql.Identifier(model._meta.db_table)


def _listed(columns: Sequence[tuple[str, str]]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(column) for column, _ in columns)


def _arrays(columns: Sequence[tuple[str, str]]) -> sql.Composed:
    """One typed array parameter a column, for unnest()."""
    return sql.SQL(", ").join(
        sql.SQL("{}::{}").format(sql.Placeholder(), sql.SQL(_array_type(kind))) for _, kind in columns
    )


def fetch(statement: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """The rows of a query that is asked often."""
    _send()
    with _cursor() as cursor:
        cursor.execute(_numbered(statement.encode()), params)
        return cursor.fetchall()


def read[Row: models.Model](model: type[Row], statement: str, params: Sequence[object] = ()) -> list[Row]:
    """Rows of a model, built as the ORM builds them less its per-row signals.

    `{columns}` in the statement stands for the model's columns, `{table}` for its table.
    """
    _send()
    with _cursor(reads_moments=True) as cursor:
        cursor.execute(_about(model, statement), params)
        return [_built(model, values) for values in cursor.fetchall()]


@lru_cache(maxsize=64)
def _about(model: type[models.Model], statement: str) -> bytes:
    columns = _listed(_columns(model, _attributes(model))).as_string()
    return _numbered(statement.format(columns=columns, table=_table(model).as_string()).encode())


def write(model: type[models.Model], statement: str, params: Sequence[object] = ()) -> None:
    """Run a set-based statement that writes the model's table; it may wait for others (`gathered`)."""
    _write(model._meta.db_table, statement.encode(), params)


def insert(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Write new rows of a model; `names` are attribute names, `rows` their values. Returns how many."""
    rows = rows if isinstance(rows, list) else list(rows)
    if not rows:
        return 0
    names = tuple(names)
    if len(rows) <= _FEW:
        values = [value for row in rows for value in row]
        _write(model._meta.db_table, _insert_few(model, names, len(rows)), values)
        return len(rows)
    _send()
    with _cursor() as cursor, cursor.copy(_copy_in(model, names)) as copy:
        for row in rows:
            copy.write_row(row)
    return len(rows)


def insert_numbered(
    model: type[models.Model], names: Sequence[str], rows: Sequence[Sequence[object]]
) -> list[int]:
    """Write new rows and answer their ids, in the order of the rows, so that children can be written after them."""
    if not rows:
        return []
    ids = _take_numbers(model, len(rows))
    insert(model, ("id", *names), [(row_id, *row) for row_id, row in zip(ids, rows, strict=True)])
    return ids


_ahead: ContextVar[dict[tuple[type[models.Model], int], list[int]] | None] = ContextVar("ahead", default=None)
_AHEAD = 200


@contextmanager
def numbers_ahead() -> Iterator[None]:
    """Take the numbers of new rows from the database by the hundred; those left over at the end are never used."""
    token = _ahead.set({})
    try:
        yield
    finally:
        _ahead.reset(token)


def _take_numbers(model: type[models.Model], count: int) -> list[int]:
    ahead = _ahead.get()
    if ahead is None:
        return _next_numbers(model, count)
    waiting = ahead.setdefault((model, get_ident()), [])  # batches run side by side never share numbers
    if len(waiting) < count:
        waiting += _next_numbers(model, max(count, _AHEAD))
    taken, waiting[:count] = waiting[:count], []
    return taken


def _next_numbers(model: type[models.Model], count: int) -> list[int]:
    with _cursor() as cursor:  # needs nothing of what waits
        cursor.execute(
            b"SELECT nextval(pg_get_serial_sequence($1, 'id')) FROM generate_series(1, $2)",
            [model._meta.db_table, count],
        )
        return [row[0] for row in cursor.fetchall()]


def insert_missing(
    model: type[models.Model], names: Sequence[str], rows: Sequence[Sequence[object]]
) -> dict[Any, int]:
    """Write the rows that no unique key forbids; answers {value of the first name: new id} for those written."""
    if not rows:
        return {}
    _send()
    with _cursor() as cursor:
        cursor.execute(
            _numbered(_insert_missing(model, tuple(names))),
            [list(values) for values in zip(*rows, strict=True)],
        )
        return dict(cursor.fetchall())


def update(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write changed rows of a model; the first of `names` is the key."""
    rows = rows if isinstance(rows, list) else list(rows)
    if not rows:
        return
    columns = list(zip(*rows, strict=True))
    alike = frozenset(n for n, values in enumerate(columns) if n and values.count(values[0]) == len(values))
    values: list[object] = [columns[n][0] for n in sorted(alike)]
    values += [list(column) for n, column in enumerate(columns) if n not in alike]
    _write(model._meta.db_table, _update_from(model, tuple(names), alike), values)


def lock[Row: models.Model](model: type[Row], ids: Sequence[int], *, skip_locked: bool = False) -> list[Row]:
    """Read rows whole and lock them in the order of their ids, so that two lockers never wait in a ring."""
    _send()
    with _cursor(reads_moments=True) as cursor:
        cursor.execute(_numbered(_select_for_update(model, skip_locked)), [list(ids)])
        return [_built(model, values) for values in cursor.fetchall()]


def _built[Row: models.Model](model: type[Row], values: Sequence[object]) -> Row:
    row = model.__new__(model)
    row.__dict__.update(zip(_attributes(model), values, strict=True))
    for name in _json_attributes(model):
        row.__dict__[name] = json.loads(row.__dict__[name])
    row._state = ModelState()
    row._state.adding, row._state.db = False, "default"
    return row
