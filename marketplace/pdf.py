"""Papers: a Jinja2 template becomes a PDF that fetches nothing from anywhere."""

from collections.abc import Mapping
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
