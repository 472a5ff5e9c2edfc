"""What somebody wrote in answer to a mail, cut from the mail that it answers and from the signature under it.

The headings of mail programs are known to a library, in many spellings; those of Spanish ones, which it misses, stand
here. Its notion of a signature is left alone: it takes «Gracias, pero llegó roto» for one, and what a customer says
must not be lost. What it is given is short and has no two empty lines in a row, over which it would take hours.
"""

import re

from mailparser_reply.parser import EmailMessage

from messaging.inbound.plain import clean

_MOST_CUT = 40_000
_LONGEST_LINE = 1_000
"""Characters of a line that are looked at for a heading."""

LANGUAGES = ("es", "en", "fr", "de", "it")

_WROTE = re.compile(
    r"[> ]*(El|On|Le|Am|Il|Em|O) .{4,400}(escribió|wrote|a écrit|schrieb|ha scritto|escreveu|va escriure) ?:"
)
_ORIGINAL = re.compile(
    r"[-_ ]{2,}(Mensaje original|Mensaje reenviado|Original Message|Forwarded message)[-_ ]{2,}", re.I
)
_SENT_BY = re.compile(
    r"(Enviado desde|Enviado con|Enviado por|Sent from|Sent with|Get Outlook for|Obtener Outlook|Obtén Outlook|"
    r"Descargar Outlook|Enviat des)\b.{0,120}",
    re.IGNORECASE,
)
_FROM = re.compile(r"^[> *]*(De|From|Desde|Von|Da|Expéditeur) ?: ?\*? ?\S", re.IGNORECASE | re.MULTILINE)
_WHEN = re.compile(
    r"^[> *]*(Enviado|Sent|Fecha|Date|Gesendet|Datum|Envoyé|Inviato|Data)( el)? ?:", re.I | re.M
)
_RULE = re.compile(r"[-_=* ]{5,}")
_LONGEST_SIGNATURE = 25
_MAY_GO_ON = 60
"""A quoted line of so many letters may go on, without its mark, in the line below."""


def reply_of(text: str) -> str:
    """What somebody wrote in answer to a mail, without that mail and without the signature under it.

    Whoever answers below what they quote, or between its lines, is kept too. Where all of it looks quoted, all that
    does not begin with `>` is what they wrote: nothing that was said is lost for a line that looks like a heading.
    """
    text = clean(text[:_MOST_CUT])
    lines = text.splitlines()
    begins = _quotation([line[:_LONGEST_LINE] for line in lines])
    above = _unsigned(_trimmed(lines[:begins]))
    if above:
        between = _unsigned(_trimmed(_between(lines[begins:])))
        return "\n".join([*above, "", *between] if between else above)
    below = [line for line in lines if not _is_of_quotation(line)]
    return "\n".join(_unsigned(_trimmed(below)))


def _between(quotation: list[str]) -> list[str]:
    """What somebody wrote between the lines of a quotation; nothing where it is in one piece, whatever stands below
    it: mail servers put their notices there."""
    marked = [number for number, line in enumerate(quotation) if line.lstrip().startswith(">")]
    if not marked:
        return []
    inside = set(range(marked[0], marked[-1])).difference(marked)
    if not any(quotation[n].strip() and not _goes_on(quotation[n - 1]) for n in inside):
        return []
    return [line for line in quotation[marked[0] :] if not _is_of_quotation(line)]


def _goes_on(line: str) -> bool:
    return line.lstrip().startswith(">") and len(line) >= _MAY_GO_ON


class _Fragments(EmailMessage):  # type: ignore[misc]  # the library has no types
    """The library's reader of a text that is in order already: its own tidying is slow, and calls `re` as Python will
    not be called for long."""

    def _normalize_text(self) -> None:
        self.keep_hyphen_lists = True


def _is_of_quotation(line: str) -> bool:
    line = line.strip()[:_LONGEST_LINE]
    return line.startswith(">") or bool(_WROTE.fullmatch(line) or _ORIGINAL.fullmatch(line))


def _quotation(lines: list[str]) -> int:
    """The line in which the mail that is answered begins; how many there are, where it does not."""
    for number, line in enumerate(lines):
        if _ORIGINAL.fullmatch(line.strip()):
            return number
        for length in (1, 2, 3):
            if _WROTE.fullmatch(" ".join(lines[number : number + length])):
                return number
    return _by_heading(lines)


def _by_heading(lines: list[str]) -> int:
    """The same by the lines `From: … Sent: … To: …`, which the library knows in many spellings.

    What it takes for a heading is one only if it says from whom: an address that somebody writes down is not.
    """
    for fragment in _Fragments(text="\n".join(lines), languages=list(LANGUAGES)).read().replies:
        heading = (fragment.headers or "").strip()
        if "@" in heading or (_FROM.search(heading) and _WHEN.search(heading)):
            first = heading.splitlines()[0].strip()
            return next((number for number, line in enumerate(lines) if line.strip() == first), len(lines))
    return len(lines)


def _trimmed(lines: list[str]) -> list[str]:
    """Lines without the empty ones, the rules and the quotation at their end, and the empty ones at their start."""
    kept = list(lines)
    while kept and (not kept[-1].strip() or kept[-1].lstrip().startswith(">") or _RULE.fullmatch(kept[-1])):
        kept.pop()
    while kept and not kept[0].strip():
        kept.pop(0)
    return kept


def _unsigned(lines: list[str]) -> list[str]:
    """Lines without the signature: what follows `-- `, and what a program says of itself at the end."""
    marks = [number for number, line in enumerate(lines) if line.rstrip() == "--"]
    if marks and len(lines) - marks[-1] <= _LONGEST_SIGNATURE:
        lines = _trimmed(lines[: marks[-1]])
    while lines and _SENT_BY.fullmatch(lines[-1].strip()):
        lines = _trimmed(lines[:-1])
    return lines
