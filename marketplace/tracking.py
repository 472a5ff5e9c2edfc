"""What a carrier's tracking numbers may look like: patterns that are quick to try on any number (SHP-05)."""

import re
from typing import Final

from django.utils.translation import gettext as _

LONGEST: Final = 60
"""Letters of the longest number that is held against a pattern."""

MOST_TIMES: Final = 40
MOST_OPEN: Final = 2
MOST_WAYS: Final = 10_000

_ATOM = r"""(?:[^\\\[\](){}^$|?*+]|\\[dw]|\\\W|\[\^?(?:(?!--)[^\\\[\]^&~|]|\\[dw]|\\\W)+\])"""
_TIMES = r"""(?:[?*+]|\{[0-9]{1,3}(?:,[0-9]{1,3})?\})"""
_PIECE = re.compile(rf"{_ATOM}(?P<times>{_TIMES})?", re.DOTALL)
_GROUP = re.compile(rf"\((?:\?:)?(?P<body>(?:{_ATOM}(?:{_TIMES})?|\|)*)\)(?P<maybe>\??)", re.DOTALL)


class _Unfit(Exception):
    """A pattern that is not taken; its text says why."""


def flaw(pattern: str) -> str | None:
    """Say why a pattern is not taken, or None when trying it takes no time worth speaking of (SHP-05).

    Taken are letters, classes, counted repetitions of one of them, alternatives, and groups that are neither
    nested nor repeated. The ways in which a number could be split among the parts are bounded, so that
    a number that does not fit is known at once.
    """
    try:
        ways, open_ends = _ways(pattern), len(_open_ends(pattern))
        re.compile(pattern)
    except _Unfit as unfit:
        return str(unfit)
    except re.error as wrong:
        return _("No es una expresión regular: %(flaw)s.") % {"flaw": wrong}
    if ways > MOST_WAYS or open_ends > MOST_OPEN:
        return _("Tiene demasiadas partes de largo variable: concreta cuántas letras o cifras son.")
    return None


def fits(pattern: str, number: str) -> bool:
    """Whether a number looks as the pattern says; one that is too long never does (SHP-05)."""
    return len(number) <= LONGEST and re.fullmatch(pattern, number) is not None


def _ways(text: str, *, in_group: bool = False) -> int:
    """In how many ways at most a number can be split among the parts of a pattern."""
    total, branch, at = 0, 1, 0
    while at < len(text):
        if text[at] == "|":
            total, branch, at = total + branch, 1, at + 1
        elif piece := _PIECE.match(text, at):
            branch, at = branch * _lengths(piece["times"]), piece.end()
        elif not in_group and (group := _GROUP.match(text, at)):
            branch, at = branch * _ways_of_group(group), group.end()
        else:
            raise _Unfit(
                _("No se admite desde «%(rest)s»: usa letras, [A-Z], \\d, {8,12} y alternativas con |.")
                % {"rest": text[at : at + 20]}
            )
    return total + branch


def _ways_of_group(group: re.Match[str]) -> int:
    ways = _ways(group["body"], in_group=True)
    if not group["maybe"]:
        return ways
    if any(piece["times"] for piece in _PIECE.finditer(group["body"])):
        raise _Unfit(_("Un grupo con repeticiones dentro no puede repetirse ni ser opcional."))
    return ways + 1


def _lengths(times: str | None) -> int:
    """How many lengths a repetition may have."""
    if not times:
        return 1
    if times in "?*+":
        return {"?": 2, "*": LONGEST + 1, "+": LONGEST}[times]
    least, _comma, most = times.strip("{}").partition(",")
    fewest, highest = int(least), int(most or least)
    if highest > MOST_TIMES or fewest > highest:
        raise _Unfit(
            _("La repetición %(times)s no vale: como mucho %(n)s veces.") % {"times": times, "n": MOST_TIMES}
        )
    return highest - fewest + 1


def _open_ends(pattern: str) -> list[str]:
    """The repetitions without an upper end."""
    return [piece["times"] for piece in _PIECE.finditer(pattern) if piece["times"] in ("+", "*")]
