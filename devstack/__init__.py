"""The embedded stack: PostgreSQL, Valkey, web, worker and beat under one supervisor (see docs/adr/0002)."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class StackError(Exception):
    """Something that the reader of the terminal can put right; its text says how."""
