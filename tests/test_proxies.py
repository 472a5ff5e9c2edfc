"""What a server believes of the headers it is sent."""

import json
import os
import subprocess
import sys

import pytest

SAYS = """
import json
from marketplace import settings
print(json.dumps(getattr(settings, "SECURE_PROXY_SSL_HEADER", None)))
"""


@pytest.mark.parametrize(
    ("proxies", "header"), [("", None), ("0", None), ("1", ["HTTP_X_FORWARDED_PROTO", "https"])]
)
def test_https_is_believed_of_a_proxy_alone(proxies: str, header: object) -> None:
    server = {name: value for name, value in os.environ.items() if name != "TRASTIENDA_DEVELOPMENT"}
    server |= {"TRASTIENDA_SECRET_KEY": "x" * 60, "TRASTIENDA_HOSTS": "tienda.example"}
    server |= {"TRASTIENDA_PROXIES": proxies} if proxies else {}
    said = subprocess.run(
        [sys.executable, "-c", SAYS], env=server, capture_output=True, text=True, check=True
    )
    assert json.loads(said.stdout) == header
