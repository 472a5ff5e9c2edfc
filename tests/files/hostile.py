"""How files are made that mean harm, or might. `MARK` is in all that is hidden: what is let in must not have it."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import pikepdf
from pikepdf import Array, Dictionary, Name
from PIL import Image, PngImagePlugin

from tests.files.samples import pdf, picture

MARK = b"HOSTIL-1f3a"
SCRIPT = b"<script>/*" + MARK + b"*/alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">' + SCRIPT + b"</svg>"


def archive(content: bytes = SCRIPT, name: str = "a.class") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
        packed.comment = MARK
    return made.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack("!I", len(content)) + kind + content + struct.pack("!I", zlib.crc32(kind + content))


def png(width: int, height: int, content: bytes = b"\0", extra: bytes = b"") -> bytes:
    """A PNG that says how large it is, whatever its pixels are."""
    head = chunk(b"IHDR", struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + head + extra + chunk(b"IDAT", zlib.compress(content, 9)) + chunk(b"IEND", b"")
    )


def jpeg_of(width: int, height: int) -> bytes:
    """A JPEG whose header says another size than it has."""
    content = bytearray(picture())
    at = content.index(b"\xff\xc0") + 5
    content[at : at + 4] = struct.pack("!HH", height, width)
    return bytes(content)


def passes(times: int) -> bytes:
    """A progressive JPEG that goes over itself again and again."""
    content = picture(size=(640, 480), progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * times + content[-2:]


def placed() -> bytes:
    """A photo as a phone takes it: lying on its side, with where it was taken, by what, and a word."""
    image = Image.new("RGB", (60, 40), "red")
    told = Image.Exif()
    told[0x0112], told[0x010F] = 6, MARK.decode()
    told.get_ifd(0x8825).update({1: "N", 2: (41.0, 39.0, 7.2), 3: "W", 4: (0.0, 52.0, 51.6)})
    made = io.BytesIO()
    image.save(made, "JPEG", exif=told, comment=MARK, icc_profile=MARK * 50)
    return made.getvalue()


def noted() -> bytes:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", SCRIPT.decode())
    told.add_itxt("XML:com.adobe.xmp", SVG.decode(), zip=True)
    return picture("PNG", pnginfo=told)


def moving(kind: str) -> bytes:
    first, *rest = [Image.new("RGB", (20, 20), colour) for colour in ("red", "green", "blue")]
    made = io.BytesIO()
    first.save(made, kind, save_all=True, append_images=rest, duration=100)
    return made.getvalue()


def half(kind: str) -> bytes:
    """The first half of a picture: what a connection that broke off leaves."""
    whole = picture(kind, (400, 300))
    return whole[: len(whole) // 2]


def acting(how: Callable[[pikepdf.Pdf], None], *, hidden: bool = True) -> bytes:
    """A PDF with something done to it; `hidden` puts its objects where no search for words finds them."""
    made, document = io.BytesIO(), pikepdf.new()
    document.add_blank_page()
    how(document)
    mode = pikepdf.ObjectStreamMode
    document.save(made, object_stream_mode=mode.generate if hidden else mode.disable)
    return made.getvalue()


def scripted(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = document.make_indirect(Dictionary(S=Name.JavaScript, JS="app.alert(1)"))


def launching(document: pikepdf.Pdf) -> None:
    act = Dictionary(S=Name.Launch, F="cmd.exe")
    document.pages[0].Annots = Array(
        [Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], A=act)]
    )


def carrying(content: bytes) -> Callable[[pikepdf.Pdf], None]:
    def carry(document: pikepdf.Pdf) -> None:
        document.attachments["a.pdf"] = content

    return carry


def nested_pdfs(depth: int = 12) -> bytes:
    content = pdf()
    for _ in range(depth):
        content = acting(carrying(content))
    return content


def with_form(document: pikepdf.Pdf) -> None:
    document.Root.AcroForm = Dictionary(Fields=[], XFA=document.make_stream(b"<xdp/>"))


def plain_pdf(*objects: bytes) -> bytes:
    """A PDF written by hand: objects 3 and on are given."""
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R /X 3 0 R >>",
        b"<< /Type /Pages /Kids [ << /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >> ] /Count 1 >>",
        *objects,
    ]
    body, places = bytearray(b"%PDF-1.7\n"), []
    for number, part in enumerate(parts, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, len(body))
    return bytes(body) + b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1) + table + end


def unfolding(size: int) -> bytes:
    """A PDF whose objects are packed into a stream that unfolds to `size` bytes."""
    packer = zlib.compressobj(9)
    packed = packer.compress(b"3 0 << /A 1 >> ")
    for _ in range(size >> 20):
        packed += packer.compress(b" " * (1 << 20))
    packed += packer.flush()
    stream = b"<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d >> stream\n%s\nendstream"
    body = b"%PDF-1.7\n"
    places = []
    for number, part in enumerate(
        (
            b"<< /Type /Catalog /Pages 2 0 R /X 3 0 R >>",
            b"<< /Type /Pages /Kids [ << /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >> ] /Count 1 >>",
            stream % (len(packed), packed),
        ),
        1,
    ):
        number = 4 if number == 3 else number
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    rows = [
        (0, 0, 255),
        (1, places[0], 0),
        (1, places[1], 0),
        (2, 4, 0),
        (1, places[2], 0),
        (1, len(body), 0),
    ]
    table = b"".join(struct.pack("!BIB", *one) for one in rows)
    words = b"<< /Type /XRef /Size 6 /W [1 4 1] /Root 1 0 R /Length %d >>" % len(table)
    return body + b"5 0 obj\n%s stream\n%s\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % (
        words,
        table,
        len(body),
    )


def webp_of(width: int, height: int) -> bytes:
    words = (
        b"VP8X"
        + struct.pack("<I", 10)
        + b"\0\0\0\0"
        + (width - 1).to_bytes(3, "little")
        + (height - 1).to_bytes(3, "little")
    )
    body = b"WEBP" + words + picture("WEBP")[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def gif_of(width: int, height: int) -> bytes:
    content = bytearray(picture("GIF"))
    content[6:10] = struct.pack("<HH", width, height)
    return bytes(content)
