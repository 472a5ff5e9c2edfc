"""The corpus of hostile files, each with what the gate is to say of it."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pikepdf

from marketplace.files import Why
from marketplace.policy import FileType
from tests.files.hostile import (
    MARK,
    SCRIPT,
    SVG,
    acting,
    archive,
    carrying,
    chunk,
    gif_of,
    half,
    jpeg_of,
    launching,
    moving,
    nested_pdfs,
    noted,
    passes,
    placed,
    plain_pdf,
    png,
    scripted,
    unfolding,
    webp_of,
    with_form,
)
from tests.files.samples import pdf, picture


@dataclass(frozen=True)
class Hostile:
    """A file, and why it is refused; one that is made harmless has the kind it is let in as instead."""

    what: str
    name: str
    make: Callable[[], bytes]
    says: Why | FileType

    def __str__(self) -> str:
        return self.what.replace(" ", "_")


T, W = FileType, Why
HOSTILE = [
    Hostile("an SVG as PNG", "logo.png", lambda: SVG, W.TYPE),
    Hostile(
        "an SVG with a declaration as JPEG",
        "logo.jpg",
        lambda: b"\xef\xbb\xbf<?xml version='1.0'?>" + SVG,
        W.TYPE,
    ),
    Hostile("a page as JPEG", "foto.jpg", lambda: b"<html>" + SCRIPT, W.TYPE),
    Hostile("a page as text", "nota.txt", lambda: b" \n\t<!DOCTYPE html>" + SCRIPT, W.TYPE),
    Hostile(
        "a page in UTF-16 as text",
        "nota.txt",
        lambda: ("<html>" + SCRIPT.decode()).encode("utf-16"),
        W.BROKEN,
    ),
    Hostile("PHP as GIF", "foto.gif", lambda: b"<?php system($_GET[0]); ?>", W.TYPE),
    Hostile(
        "PHP behind the name of a GIF", "foto.gif", lambda: b"GIF89a<?php system($_GET[0]); ?>", W.BROKEN
    ),
    Hostile("a shell script as text", "nota.txt", lambda: b"#!/bin/sh\nrm -rf /\n", W.TYPE),
    Hostile("a program as JPEG", "foto.jpg", lambda: b"MZ\x90\0" + MARK * 99, W.TYPE),
    Hostile("a program as PDF", "factura.pdf", lambda: b"\x7fELF\2\1\1" + MARK * 99, W.TYPE),
    Hostile("an archive as JPEG", "foto.jpg", archive, W.TYPE),
    Hostile("a zip bomb as PDF", "factura.pdf", lambda: archive(b"\0" * (64 << 20)), W.TYPE),
    Hostile(
        "a gzip bomb as text",
        "nota.txt",
        lambda: b"\x1f\x8b\x08" + zlib.compress(b"\0" * (64 << 20))[2:],
        W.TYPE,
    ),
    Hostile("a document with macros", "factura.docm", lambda: archive(SCRIPT, "word/vbaProject.bin"), W.TYPE),
    Hostile("RTF as text", "nota.txt", lambda: b"{\\rtf1\\object\\objdata " + MARK + b"}", W.TYPE),
    Hostile("a HEIC photo", "IMG_0001.HEIC", lambda: b"\0\0\0\x18ftypheic\0\0\0\0" + bytes(99), W.HEIC),
    Hostile("a bitmap as PNG", "foto.png", lambda: picture("BMP"), W.TYPE),
    Hostile("a TIFF as JPEG", "foto.jpg", lambda: picture("TIFF"), W.TYPE),
    Hostile("an empty file", "foto.jpg", lambda: b"", W.EMPTY),
    Hostile("nothing but NUL", "foto.jpg", lambda: bytes(5000), W.TYPE),
    Hostile(
        "a text that moves the cursor", "nota.txt", lambda: b"hola \x1b[2J\x1b]0;" + MARK + b"\x07", W.BROKEN
    ),
    Hostile("a text with a NUL far in", "nota.txt", lambda: b"hola " * 2000 + b"\0" + MARK, W.BROKEN),
    Hostile("a GIFAR", "foto.gif", lambda: picture("GIF") + archive(), T.GIF),
    Hostile("a JPEG that is a ZIP", "foto.jpg", lambda: picture() + archive(), T.JPEG),
    Hostile("a PNG with a page behind it", "foto.png", lambda: picture("PNG") + SCRIPT, T.PNG),
    Hostile("a WebP with an archive behind it", "foto.webp", lambda: picture("WEBP") + archive(), T.WEBP),
    Hostile("a PNG with scripts in its notes", "foto.png", noted, T.PNG),
    Hostile(
        "a JPEG with PHP in its comment", "foto.php.jpg", lambda: picture(comment=b"<?php " + MARK), T.JPEG
    ),
    Hostile("a photo with where it was taken", "casa.jpg", placed, T.JPEG),
    Hostile("a PNG called SVG", "foto.svg", lambda: picture("PNG"), T.PNG),
    Hostile("a JPEG called a program", "foto.jpg.exe", picture, T.JPEG),
    Hostile("a JPEG in four inks", "foto.jpg", lambda: picture(mode="CMYK"), T.JPEG),
    Hostile(
        "an interlaced PNG in 16 bits", "foto.png", lambda: picture("PNG", mode="I;16", interlace=1), T.PNG
    ),
    Hostile(
        "a PNG with a palette and holes", "foto.png", lambda: picture("PNG", mode="P", transparency=0), T.PNG
    ),
    Hostile("a photo of 50 megapixels", "foto.jpg", lambda: picture(size=(8160, 6120)), T.JPEG),
    Hostile("a PNG of 100,000 × 100,000", "foto.png", lambda: png(100_000, 100_000), W.PIXELS),
    Hostile("a JPEG of 65,000 × 65,000", "foto.jpg", lambda: jpeg_of(65_000, 65_000), W.PIXELS),
    Hostile("a WebP of 16,000 × 16,000", "foto.webp", lambda: webp_of(16_000, 16_000), W.PIXELS),
    Hostile("a GIF of 65,000 × 65,000", "foto.gif", lambda: gif_of(65_000, 65_000), W.PIXELS),
    Hostile("a PNG whose pixels unfold", "foto.png", lambda: png(10, 10, b"\0" * (64 << 20)), T.PNG),
    Hostile(
        "a PNG whose note unfolds",
        "foto.png",
        lambda: png(1, 1, bytes(4), chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(64 << 20)))),
        W.BROKEN,
    ),
    Hostile(
        "a PNG with a wrong sum",
        "foto.png",
        lambda: picture("PNG").replace(b"IDAT", b"IDAT\xff", 1),
        W.BROKEN,
    ),
    Hostile("a JPEG of a thousand passes", "foto.jpg", lambda: passes(1000), W.TOO_HARD),
    *(
        Hostile(f"a moving {kind}", "foto.gif", partial(moving, kind), W.MOVES)
        for kind in ("GIF", "PNG", "WEBP")
    ),
    *(
        Hostile(
            f"half a {kind}",
            "foto",
            partial(half, kind),
            W.BROKEN,
        )
        for kind in ("JPEG", "PNG", "WEBP", "GIF")
    ),
    Hostile("a page before a PDF", "factura.pdf", lambda: b"<html>" + SCRIPT + pdf(), W.TWO_THINGS),
    Hostile("a line before a PDF", "factura.pdf", lambda: b"hola\n" + pdf(), W.TWO_THINGS),
    Hostile(
        "a page inside the head of a PDF",
        "factura.pdf",
        lambda: pdf().replace(b"\n", b"\n%<html>" + SCRIPT + b"\n", 1),
        W.TWO_THINGS,
    ),
    Hostile("a PDF that is a ZIP", "factura.pdf", lambda: pdf() + archive(), W.TWO_THINGS),
    Hostile(
        "a PDF that is a ZIP before its end",
        "factura.pdf",
        lambda: pdf().replace(b"startxref", b"%" + archive() + b"\nstartxref"),
        W.TWO_THINGS,
    ),
    Hostile(
        "a PDF with a program behind it", "factura.pdf", lambda: pdf() + b"MZ\x90\0" + MARK, W.TWO_THINGS
    ),
    Hostile("a PDF with a script", "factura.pdf", lambda: acting(scripted), W.ACTIVE),
    Hostile(
        "a PDF with a script spelt oddly",
        "factura.pdf",
        lambda: acting(scripted, hidden=False).replace(b"/JavaScript", b"/J#61vaScript"),
        W.ACTIVE,
    ),
    Hostile("a PDF that starts a program", "factura.pdf", lambda: acting(launching), W.ACTIVE),
    Hostile(
        "a PDF with a program in it", "factura.pdf", lambda: acting(carrying(b"MZ\x90\0" + MARK)), W.ACTIVE
    ),
    Hostile("PDFs in PDFs in PDFs", "factura.pdf", nested_pdfs, W.ACTIVE),
    Hostile("a PDF with a form that is a program", "factura.pdf", lambda: acting(with_form), W.ACTIVE),
    Hostile(
        "a PDF with a password",
        "factura.pdf",
        lambda: pdf(encryption=pikepdf.Encryption(user="a", owner="b")),
        W.LOCKED,
    ),
    Hostile("half a PDF", "factura.pdf", lambda: pdf(9)[:-200], W.BROKEN),
    Hostile(
        "a PDF that is only called so", "factura.pdf", lambda: b"%PDF-1.7\n" + MARK + b"\n%%EOF", W.BROKEN
    ),
    Hostile(
        "a PDF nested 200,000 deep",
        "factura.pdf",
        lambda: plain_pdf(b"[" * 200_000 + b"]" * 200_000),
        W.BROKEN,
    ),
    Hostile("a PDF whose objects unfold", "factura.pdf", lambda: unfolding(600 << 20), W.BROKEN),
    Hostile("a PDF of 101,000 objects", "factura.pdf", lambda: plain_pdf(*[b"1"] * 101_000), W.TOO_HARD),
]
