"""What an address has to look like, by its country: postal codes and telephones (EXC-03).

Only what is certain is refused: a country that is not in the table has any postal code that could be one.
"""

import re

_POSTAL_CODES = {
    "AD": r"AD[1-7]00",
    "AT": r"[1-9]\d{3}",
    "BE": r"[1-9]\d{3}",
    "CH": r"[1-9]\d{3}",
    "CO": r"\d{6}",
    "DE": r"\d{5}",
    "DK": r"\d{4}",
    "ES": r"(0[1-9]|[1-4]\d|5[0-2])\d{3}",
    "FR": r"\d{5}",
    "GB": r"[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2}",
    "IT": r"\d{5}",
    "LU": r"\d{4}",
    "MX": r"\d{5}",
    "NL": r"[1-9]\d{3}[A-Z]{2}",
    "PL": r"\d{5}",
    "PT": r"[1-9]\d{6}",
    "US": r"\d{5}(\d{4})?",
}
"""Postal codes in capitals, without spaces and hyphens."""

_ANY_CODE = re.compile(r"[0-9A-Z]{2,10}")
_TELEPHONE = re.compile(r"\+?\d{6,15}")
_NATIONAL = {"ES": (r"[6-9]\d{8}", "34"), "PT": (r"[29]\d{8}", "351"), "FR": (r"0[1-9]\d{8}", "33")}
"""What a telephone of a country looks like without its prefix, and that prefix; with it, as anywhere."""

_BETWEEN = re.compile(r"[\s().\-/]")


def postal_code_fits(country: str, postal_code: str) -> bool:
    """Whether this can be a postal code of the country; spaces and hyphens do not count."""
    code = re.sub(r"[\s-]", "", postal_code).upper()
    shape = _POSTAL_CODES.get(country.upper())
    return bool(re.fullmatch(shape, code, re.ASCII) if shape else _ANY_CODE.fullmatch(code))


def telephone_fits(country: str, telephone: str) -> bool:
    """Whether this can be called from the country: one of its own numbers, or one with a + before it."""
    number = _BETWEEN.sub("", telephone)
    number = "+" + number[2:] if number.startswith("00") else number
    if not _TELEPHONE.fullmatch(number) or not number.isascii():
        return False
    shape, prefix = _NATIONAL.get(country.upper(), ("", ""))
    if not shape:
        return True
    if not number.startswith("+"):
        return re.fullmatch(shape, number, re.ASCII) is not None
    if not number.startswith(f"+{prefix}"):
        return True
    rest = number.removeprefix(f"+{prefix}")
    return any(re.fullmatch(shape, one, re.ASCII) for one in (rest, f"0{rest}"))
