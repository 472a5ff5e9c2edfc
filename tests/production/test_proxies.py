"""What a server believes of the headers it is sent."""

import json

import pytest

from tests.production.test_deploy import on_a_server

SAYS = """
import json
from marketplace import settings
print(json.dumps(getattr(settings, "SECURE_PROXY_SSL_HEADER", None)))
"""


@pytest.mark.parametrize(("proxies", "header"), [("0", None), ("1", ["HTTP_X_FORWARDED_PROTO", "https"])])
def test_https_is_believed_of_a_proxy_alone(proxies: str, header: object) -> None:
    said = on_a_server("-c", SAYS, TRASTIENDA_PROXIES=proxies)
    assert (said.returncode, json.loads(said.stdout)) == (0, header)
