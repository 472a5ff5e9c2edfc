"""What must not get into the repository: other hosts, places of one machine, names that say nothing, long modules."""

import re
import subprocess
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.ROOT)
PYPI = {"pypi.org", "files.pythonhosted.org"}
PLACE = re.compile(r"(?<![\w.])/(?:work|root|home|Users|mnt|private)/\w[\w.-]*")
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "managers", "base", "common", "misc"}
LONGEST = 400


def files() -> list[Path]:
    """What belongs to the repository: known to git, or new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def modules() -> list[Path]:
    return [path for path in files() if path.suffix == ".py" and "migrations" not in path.parts]


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_lock_names_the_public_index_and_nothing_else() -> None:
    lock = (ROOT / "uv.lock").read_text("utf-8")
    assert set(re.findall(r"https?://([^/\"]+)", lock)) == PYPI


def test_no_file_names_a_place_of_one_machine() -> None:
    found = []
    for path in files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{short(path)}: {place}" for place in PLACE.findall(text)]
    assert found == []


def test_a_place_would_be_noticed() -> None:
    place = "/".join(["", "home", "ana"])
    assert PLACE.findall(f"see {place}/notes, https://a.example{place}, orders/work/x") == [place]


def test_names_of_modules_say_something() -> None:
    assert [short(path) for path in files() if path.suffix == ".py" and path.stem in SAYS_NOTHING] == []
    assert [short(path) for path in modules() if SAYS_NOTHING & set(path.relative_to(ROOT).parts)] == []


def test_a_module_is_a_sitting() -> None:
    lengths = {short(path): len(path.read_text("utf-8").splitlines()) for path in modules()}
    assert {path: n for path, n in lengths.items() if n > LONGEST} == {}
