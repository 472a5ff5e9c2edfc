"""Papers: a Jinja2 template becomes a PDF that fetches nothing from anywhere."""

import gc
import io
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from typing import Any

from barcode.codex import Code128
from django.template.loader import render_to_string
from django.utils.translation import override

TO_INSTALL = "apt-get install -y libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"


class PdfUnavailable(Exception):
    """The system's libraries that draw PDFs are missing; `TO_INSTALL` is the line to type."""


def render_pdf(template: str, context: Mapping[str, Any], language: str) -> bytes:
    """Render a template of `templates/pdf/` in a language as PDF. Raises PdfUnavailable."""
    with override(language):
        return draw(render_to_string(template, dict(context), using="jinja2"))


def draw(html: str) -> bytes:
    """Draw a document; whatever addresses and files it names are refused. Raises PdfUnavailable."""
    try:
        # Loading it loads Pango, which a machine that makes no papers need not have.
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except OSError as missing:
        raise PdfUnavailable(str(missing)) from missing
    nowhere = URLFetcher(allowed_protocols=(), allow_redirects=False)
    pdf: bytes = HTML(string=html, url_fetcher=nowhere).write_pdf()
    return pdf


def draw_in_parts(parts: Iterable[str], footers: Callable[[int], str]) -> bytes:
    """Draw documents one after the other into one: a hundred pages take no more memory than a part.

    No part knows how many pages there are, so `footers` makes a document of that many pages to be laid over them all.
    Raises PdfUnavailable.
    """
    from pikepdf import Pdf, Rectangle

    with Pdf.new() as whole, ExitStack() as drawn:
        for html in parts:
            part = drawn.enter_context(Pdf.open(io.BytesIO(draw(html))))
            if not whole.pages:
                whole.docinfo.update(whole.copy_foreign(part.docinfo))
                whole.Root.Lang = part.Root.Lang
            whole.pages.extend(part.pages)
            gc.collect()  # boxes know their parents: nothing of a page is let go by itself
        over = drawn.enter_context(Pdf.open(io.BytesIO(draw(footers(len(whole.pages))))))
        for page, footer in zip(whole.pages, over.pages, strict=True):
            page.add_overlay(footer, Rectangle(page.trimbox))
        made = io.BytesIO()
        whole.save(made)
    return made.getvalue()


def code128(text: str) -> list[tuple[int, int]] | None:
    """The bars of a Code 128 as (start, width) in modules, no quiet zones; None if it cannot be written."""
    if not (text and text.isascii() and text.isprintable()):
        return None
    modules = Code128(text).build()[0]
    bars: list[tuple[int, int]] = []
    for place, module in enumerate(modules):
        if module == "1" and bars and sum(bars[-1]) == place:
            bars[-1] = (bars[-1][0], bars[-1][1] + 1)
        elif module == "1":
            bars.append((place, 1))
    return bars
