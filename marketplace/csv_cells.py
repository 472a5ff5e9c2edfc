"""Cells of the CSV files that people open in a spreadsheet."""

_FORMULA = tuple("=+-@\t\r")


def plain(words: str) -> str:
    """Words that no spreadsheet takes for a formula."""
    return f"'{words}" if words.startswith(_FORMULA) else words
