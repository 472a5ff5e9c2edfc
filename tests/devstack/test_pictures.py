"""The pictures of the README: all of them there, as large as a screen, small as files."""

import re

import pytest
from PIL import Image

from devstack import ROOT
from devstack.pictures import FOLDER, LARGEST, SHOTS, Shot


@pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.name)
def test_a_picture_is_a_screen_and_small(shot: Shot) -> None:
    kept = FOLDER / f"{shot.name}.png"
    assert kept.stat().st_size < LARGEST
    with Image.open(kept) as image:
        assert (image.format, image.size) == ("PNG", shot.size)
        assert image.info == {}


def test_the_readme_shows_each_and_there_is_no_other() -> None:
    shown = re.findall(r"\]\(docs/pictures/([\w-]+)\.png\)", (ROOT / "README.md").read_text("utf-8"))
    assert (
        sorted(shown) == sorted(shot.name for shot in SHOTS) == sorted(path.stem for path in FOLDER.iterdir())
    )
