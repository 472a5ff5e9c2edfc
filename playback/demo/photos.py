"""The photos of the demonstration, drawn on the spot and put through the gate that everybody's files go through."""

from io import BytesIO

from django.core.files.base import ContentFile
from PIL import Image, ImageDraw, ImageFilter

from marketplace import files
from marketplace.files import Checked
from marketplace.policy import Settings

_TABLE, _WALL, _GLAZE, _CLAY, _DARK = "#b08b64", "#e9e1d4", "#3f6f8f", "#c98d63", "#22323d"


def photo(name: str, rules: Settings) -> list[Checked]:
    """A picture of a jar whose handle has come off, as a file of a message."""
    taken, _turned = files.check(
        [ContentFile(_drawn(), name)],
        types=rules.attachment_types,
        most_mb=rules.attachment_mb,
        most_files=rules.attachments_most,
    )
    return taken


def _drawn() -> bytes:
    picture = Image.new("RGB", (960, 720), _WALL)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 520, 960, 720), fill=_TABLE)
    pen.ellipse((300, 590, 720, 650), fill="#8d6c4b")
    pen.ellipse((330, 250, 630, 620), fill=_GLAZE)
    pen.rectangle((420, 140, 540, 300), fill=_GLAZE)
    pen.ellipse((405, 118, 555, 166), fill=_CLAY)
    pen.ellipse((425, 126, 535, 156), fill=_DARK)
    pen.arc((560, 230, 720, 430), 250, 290, fill=_GLAZE, width=26)
    pen.polygon(((585, 300), (630, 318), (602, 352)), fill=_CLAY)
    pen.line(((600, 340), (560, 392), (584, 440), (540, 500)), fill=_DARK, width=5)
    pen.arc((700, 540, 830, 650), 170, 330, fill=_GLAZE, width=26)
    pen.polygon(((640, 640), (672, 618), (690, 652)), fill=_CLAY)
    pen.ellipse((370, 300, 420, 430), fill="#5d8dab")
    kept = BytesIO()
    picture.filter(ImageFilter.GaussianBlur(1.2)).save(kept, "JPEG", quality=82)
    return kept.getvalue()
