"""HTML of a mail as text: what a person sees of it; nothing is fetched, run or kept as markup.

It is read in one pass, whatever it is: the standard library's reader takes minutes over a comment that does not end.
"""

import re
from collections.abc import Iterator
from html import unescape

from messaging.inbound.plain import clean

MOST_HTML = 300_000
"""Characters that are looked at; what a person writes stands at the top of a mail."""

_LONGEST_TAG = 2_000
_DEEPEST_QUOTE = 9
_NAME = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)")
_HREF = re.compile(r"""\bhref\s*=\s*["']?(https?://[^\s"'<>]{1,1000})""", re.IGNORECASE)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_TOO_LONG_A_NUMBER = re.compile(r"&#[xX]?[0-9a-fA-F]{8,};?")
_SKIPPED = frozenset({"script", "style", "head", "title", "noscript", "template", "svg", "math", "object",
                      "iframe", "select", "textarea", "audio", "video", "canvas"})  # fmt: skip
_MAY_HIDE = frozenset({"div", "span", "p", "table", "td"})
_BREAKS = frozenset({"p", "div", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "section", "article",
                     "header", "footer", "pre", "dl", "dt", "dd", "hr", "br", "blockquote", "li"})  # fmt: skip


def of_html(html: str) -> str:
    """The text of an HTML document, a paragraph a line; what it quotes begins with `> `."""
    page = _Page()
    for piece in _pieces(html[:MOST_HTML]):
        page.take(piece)
    return clean("\n".join("".join(line).strip() for line in page.lines))


def _pieces(html: str) -> Iterator[str]:
    """Tags and the text between them, in order; comments and declarations are left out."""
    at = 0
    while (start := html.find("<", at)) >= 0:
        if start > at:
            yield html[at:start]
        end_mark = "-->" if html.startswith("<!--", start) else ">"
        if html[start + 1 : start + 2] not in ("!", "?") and not _NAME.match(html, start):
            yield "&lt;"
            at = start + 1
            continue
        end = html.find(end_mark, start)
        if end < 0:
            if end_mark == ">" and _NAME.match(html, start):
                yield html[start:].replace("<", "&lt;")
            return
        if html[start + 1] not in "!?":
            yield html[start : end + 1]
        at = end + len(end_mark)
    yield html[at:]


class _Page:
    """Collects lines from pieces."""

    def __init__(self) -> None:
        self.lines: list[list[str]] = [[]]
        self._inside = ""
        self._depth = 0
        self._quoted = 0
        self._link = ""

    def take(self, piece: str) -> None:
        tag = _NAME.match(piece)
        if tag is None:
            if not self._depth:
                self._say(re.sub(r"\s+", " ", unescape(_TOO_LONG_A_NUMBER.sub("", piece))))
            return
        name = tag[1].lower()
        if self._depth:
            if name == self._inside:
                self._depth += -1 if piece[1] == "/" else not piece.endswith("/>")
        elif piece[1] == "/":
            self._close(name)
        else:
            self._open(name, piece[:_LONGEST_TAG], alone=piece.endswith("/>"))

    def _open(self, name: str, piece: str, *, alone: bool) -> None:
        if not alone and (name in _SKIPPED or (name in _MAY_HIDE and _HIDDEN.search(piece))):
            self._inside, self._depth = name, 1
            return
        if name in _BREAKS:
            self.lines.append([])
        if name == "blockquote":
            self._quoted += 1
        elif name == "li":
            self._say("- ")
        elif name == "a" and (link := _HREF.search(piece)):
            self._link = unescape(link[1])

    def _close(self, name: str) -> None:
        if name in _BREAKS:
            self.lines.append([])
        if name == "blockquote":
            self._quoted = max(0, self._quoted - 1)
        elif name == "p":
            self.lines.append([])
        elif name == "a" and self._link:
            if self._link not in "".join(self.lines[-1]):
                self._say(f" <{self._link}>")
            self._link = ""

    def _say(self, text: str) -> None:
        line = self.lines[-1]
        if line or text.strip():
            if not line:
                line.append("> " * min(self._quoted, _DEEPEST_QUOTE))
                text = text.lstrip()
            line.append(text)
