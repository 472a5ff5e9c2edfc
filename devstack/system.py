"""What a wheel cannot bring: the libraries that draw PDFs, the browser of the tests, and Compose."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from devstack import StackError

PDF_LIBRARIES = ("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0", "libfontconfig.so.1")
PDF_PACKAGES = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-dejavu-core")
BROWSER_PACKAGES = ("chromium",)
COMPOSE_PACKAGES = ("docker-compose",)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def missing_for_pdf() -> list[str]:
    """The packages to install before a PDF can be made: none when everything is there."""
    if sys.platform == "linux" and all(map(_loads, PDF_LIBRARIES)) and _has_fonts():
        return []
    if sys.platform == "darwin" and Path("/opt/homebrew/lib/libpango-1.0.dylib").exists():
        return []
    return list(PDF_PACKAGES)


def missing_for_browser() -> list[str]:
    """The packages to install before the browser tests can run."""
    return [] if any(map(shutil.which, BROWSERS)) else list(BROWSER_PACKAGES)


def missing_for_compose() -> list[str]:
    """The packages to install before docker-compose.yml can be checked; no engine is needed for that."""
    return [] if shutil.which("docker-compose") else list(COMPOSE_PACKAGES)


def missing_for_tests() -> list[str]:
    """All that the tests want of the system."""
    return missing_for_pdf() + missing_for_browser() + missing_for_compose()


def may_install() -> bool:
    """Whether packages may be installed without asking anybody: as root, or on a CI machine through sudo."""
    if shutil.which("apt-get") is None:
        return False
    if os.geteuid() == 0:
        return True
    on_ci = os.environ.get("CI") == "true" and shutil.which("sudo") is not None
    return on_ci and subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode == 0


def by_hand(packages: Iterable[str]) -> str:
    """The one line to type where we may not install."""
    if shutil.which("apt-get"):
        return f"sudo apt-get install -y --no-install-recommends {' '.join(packages)}"
    if sys.platform == "darwin":
        return "brew install pango docker-compose && brew install --cask chromium"
    return f"install what your system calls {', '.join(packages)}"


def install(packages: list[str]) -> None:
    """apt-get update once, then install. Raises StackError with the line to type when apt fails."""
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
    steps = [[*apt, "update"], [*apt, "install", "-y", "--no-install-recommends", *packages]]
    for step in steps:
        print(f"$ {shlex.join(step)}", file=sys.stderr, flush=True)
        done = subprocess.run(
            step, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        if done.returncode:
            print(done.stdout.decode(errors="replace"), file=sys.stderr, flush=True)
            raise StackError(f"apt-get failed. By hand: {by_hand(packages)}")


def ensure_for_tests() -> None:
    """Everything that the tests need of the system: installed, or the line to type; an error on CI."""
    packages = missing_for_tests()
    if packages and may_install():
        install(packages)
        packages = missing_for_tests()
    if packages and os.environ.get("CI") == "true":
        raise StackError(f"The tests need packages that are not there: {by_hand(packages)}")
    if packages:
        print(
            f"Some tests need packages that are not there: {by_hand(packages)}", file=sys.stderr, flush=True
        )


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _has_fonts() -> bool:
    places = [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts"]
    return any(next(place.rglob("*.[to]tf"), None) for place in places if place.is_dir())


def main() -> int:
    """`python -m devstack.system`: install what PDFs need; used by the supervisor once the page is up."""
    try:
        install(missing_for_pdf())
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
