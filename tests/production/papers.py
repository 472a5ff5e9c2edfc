"""docker-compose.yml and Dockerfile as they are read by what runs them: the environment and commands of a server."""

import json
import os
import re
import shlex
from collections.abc import Mapping
from typing import Any

import yaml
from django.conf import settings

COMPOSE = settings.ROOT / "docker-compose.yml"
DOCKERFILE = settings.ROOT / "Dockerfile"
HOLE = re.compile(r"\$\{(\w+)(?::([?-])([^}]*))?\}|\$\$")

ANSWERS = {
    "POSTGRES_PASSWORD": "clave0de0pruebas",
    "VALKEY_PASSWORD": "otra0clave0de0pruebas",
    "TRASTIENDA_SECRET_KEY": "Zx8-una_clave_larga_y_al_azar_para_las_pruebas_de_un_servidor-4fQ2",
    "TRASTIENDA_HOSTS": "tienda.example",
    "TRASTIENDA_URL": "https://tienda.example",
    "TRASTIENDA_SMTP_URL": "smtp+tls://avisos:clave@correo.example:587",
    "TRASTIENDA_MAIL_FROM": "Tienda <avisos@tienda.example>",
}
"""What an operator writes into .env: everything that the file asks for, and nothing else."""


class Refused(Exception):
    """A variable that must be given is not; its text is what the file says about it."""


def compose() -> dict[str, Any]:
    """The file with its anchors resolved and its holes open."""
    read: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))
    return read


def filled(text: str, answers: Mapping[str, str]) -> str:
    """A text with its holes filled as Compose does. Raises Refused."""

    def fill(hole: re.Match[str]) -> str:
        name, kind, words = hole.groups()
        if name is None:
            return "$"
        if answers.get(name):
            return answers[name]
        if kind == "?":
            raise Refused(f"{name}: {words}")
        return words or ""

    return HOLE.sub(fill, text)


def environment_of(service: str, answers: Mapping[str, str]) -> dict[str, str]:
    """The environment that a service is started with. Raises Refused."""
    wanted: dict[str, object] = compose()["services"][service]["environment"]
    return {name: filled(str(text), answers) for name, text in wanted.items()}


def server_environment() -> dict[str, str]:
    """The whole environment of the web service's process; nothing of ours leaks in but the way to programs."""
    image = {name: value.replace("/app", str(settings.ROOT)) for name, value in image_environment().items()}
    compose = environment_of("web", ANSWERS)
    return {**image, "PATH": os.environ["PATH"], "PYTHONWARNINGS": "ignore", **compose}


def image_command() -> list[str]:
    """What the image runs when it is told nothing else."""
    words = re.findall(r"^CMD (\[.*?\])$", DOCKERFILE.read_text("utf-8").replace("\\\n", ""), re.MULTILINE)
    command: list[str] = json.loads(words[-1])
    return command


def image_environment() -> dict[str, str]:
    """The variables that the image itself sets, in its last stage."""
    last = DOCKERFILE.read_text("utf-8").replace("\\\n", "").rpartition("\nFROM ")[2]
    pairs = [word for line in re.findall(r"^ENV (.*)$", last, re.MULTILINE) for word in shlex.split(line)]
    return dict(pair.split("=", 1) for pair in pairs)
