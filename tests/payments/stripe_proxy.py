"""Stripe on this machine: localstripe, a process of its own, behind a proxy that adds what it lacks.

The proxy answers a repeated idempotency key as the first time, knows amounts received and capturable, finds intents by
their metadata, keeps what was asked of it, and fails on demand: before what it was asked is done, or after.
"""

import http.client
import json
import re
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

KEY = "sk_test_trastienda"
_UNKNOWN_THERE = re.compile(r"off_session|automatic_payment_methods\[.*|setup_future_usage|metadata\[.*")


class Fault(StrEnum):
    """How a request goes wrong."""

    DOWN = "down"  # not done: 503
    UNREACHABLE = "unreachable"  # not done: the connection is cut
    CUT = "cut"  # done, and the connection is cut before the answer
    BROKEN = "broken"  # done, and answered 500, now and whenever its idempotency key comes again
    SLOW = "slow"  # done, and answered when nobody waits any more
    IMPOSSIBLE = "impossible"  # not done: 400, and the payment is why
    FORBIDDEN = "forbidden"  # not done: 400, and the account is why


FAULTS_BEFORE = (Fault.DOWN, Fault.UNREACHABLE)
FAULTS_AFTER = (Fault.CUT, Fault.BROKEN, Fault.SLOW)

type Reply = tuple[int, dict[str, Any]]


@dataclass
class Wire:
    """What the proxy knows and was told to do."""

    port: int
    """Where localstripe listens."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    faults: deque[tuple[str, Fault]] = field(default_factory=deque)
    """The next requests to fail: (the end of their path, how)."""
    events: Queue[tuple[str, bytes]] = field(default_factory=Queue)
    """What localstripe sent to its webhook: (signature, body)."""
    searchable: bool = True
    """Stripe's search runs behind by up to a minute."""
    kept: dict[str, tuple[str, Reply]] = field(default_factory=dict)
    agreed: dict[str, str] = field(default_factory=dict)
    patience_over: threading.Event = field(default_factory=threading.Event)

    lose_patience: Callable[[], None] = lambda: None
    """Makes the product wait less: nobody needs to sit through a real time-out."""

    def fail(self, path_end: str, *faults: Fault) -> None:
        """Let the next requests to a path fail, one after the other."""
        if Fault.SLOW in faults:
            self.lose_patience()
        self.faults.extend((path_end, fault) for fault in faults)

    def fault_for(self, path: str) -> Fault | None:
        if self.faults and path.endswith(self.faults[0][0]):
            return self.faults.popleft()[1]
        return None

    def tries(self, path_end: str) -> int:
        """How often something was asked."""
        return sum(method == "POST" and path.endswith(path_end) for method, path in self.asked)

    def ask(self, method: str, path: str, **params: object) -> dict[str, Any]:
        """Ask localstripe itself, past the proxy."""
        body = urlencode([(name, str(value)) for name, value in params.items()])
        status, answer = self._pass_on(method, path, body)
        assert status == 200, answer
        return answer

    def _pass_on(self, method: str, path: str, body: str) -> Reply:
        there = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/x-www-form-urlencoded"}
            there.request(method, path, body or None, headers)
            answer = there.getresponse()
            text = answer.read().decode()
            return answer.status, json.loads(text) if text else {}
        finally:
            there.close()

    def do(self, method: str, target: str, body: str) -> Reply:
        """What Stripe would do, done by localstripe."""
        path = urlsplit(target).path
        if path.endswith("/payment_intents/search"):
            return self._search(parse_qs(urlsplit(target).query)["query"][0])
        params = parse_qsl(body)
        capture, confirm = path.endswith("/capture"), path.endswith("/confirm")
        taken = [pair for pair in params if _UNKNOWN_THERE.fullmatch(pair[0])]
        creates = method == "POST" and not (capture or confirm)
        passed = [
            pair for pair in params if pair not in taken or (creates and pair[0].startswith("metadata"))
        ]
        status, answer = self._pass_on(method, target, urlencode(passed))
        if status != 200:
            return status, answer
        if capture and (marks := [pair for pair in taken if pair[0].startswith("metadata")]):
            status, answer = self._pass_on("POST", path.removesuffix("/capture"), urlencode(marks))
        if "setup_future_usage" in dict(taken):
            self.agreed[answer["id"]] = dict(taken)["setup_future_usage"]
        return status, self._whole(answer)

    def _search(self, query: str) -> Reply:
        found = re.fullmatch(r"metadata\['(\w+)'\]:'([\w-]+)'", query)
        assert found, query
        name, value = found.groups()
        everything = self.ask("GET", "/v1/payment_intents?limit=100")["data"] if self.searchable else []
        data = [self._whole(intent) for intent in everything if intent["metadata"].get(name) == value]
        return 200, {
            "object": "search_result",
            "data": data,
            "has_more": False,
            "url": "/v1/x",
            "next_page": None,
        }

    def _whole(self, answer: dict[str, Any]) -> dict[str, Any]:
        """An intent with the fields that localstripe has no idea of."""
        if answer.get("object") != "payment_intent":
            return answer
        charge = answer["latest_charge"] or {"captured": False, "amount_refunded": 0}
        let_go = sum(
            refund["amount"] for refund in charge.get("refunds", {}).get("data", []) if not refund["metadata"]
        )
        taken = answer["amount"] - let_go if answer["status"] == "succeeded" else 0
        held = answer["amount"] if answer["status"] == "requires_capture" else 0
        agreed = self.agreed.get(answer["id"])
        return {**answer, "amount_received": taken, "amount_capturable": held, "setup_future_usage": agreed}

    def answer(self, method: str, target: str, body: str, key: str) -> tuple[Reply | None, Fault | None]:
        """The reply, and how it is to go wrong; a key that was seen is answered as it was."""
        path = urlsplit(target).path
        self.asked.append((method, path))
        fault = self.fault_for(path) if method == "POST" else None
        if fault and fault not in FAULTS_AFTER:
            code = 503 if fault == Fault.DOWN else 400
            error = {"type": "api_error" if code == 503 else "invalid_request_error", "message": "No."}
            why = {"code": "charge_disputed"} if fault == Fault.IMPOSSIBLE else {}
            return (code, {"error": {**error, **why}}), fault
        asked = f"{method} {target} {body}"
        if method == "POST" and key in self.kept:
            before, reply = self.kept[key]
            if before != asked:
                return (400, {"error": {"type": "idempotency_error", "message": "another request"}}), fault
            return reply, fault
        reply = self.do(method, target, body)
        if fault == Fault.BROKEN:
            reply = (500, {"error": {"type": "api_error", "message": "Something went wrong."}})
        if method == "POST":
            self.kept[key] = (asked, reply)
        return reply, fault


class _Handler(BaseHTTPRequestHandler):
    wire: Wire

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/told":
            self.wire.events.put((self.headers["Stripe-Signature"], raw))
            self._write(200, {})
            return
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            self._write(
                401, {"error": {"type": "invalid_request_error", "message": "Invalid API Key provided"}}
            )
            return
        key = self.headers.get("Idempotency-Key", "")
        reply, fault = self.wire.answer(self.command, self.path, raw.decode(), key)
        if fault == Fault.SLOW:
            self.wire.patience_over.wait(10)
        if reply is None or fault in (Fault.CUT, Fault.UNREACHABLE, Fault.SLOW):
            self.close_connection = True
            return
        self._write(*reply)

    def _write(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def serve(wire: Wire) -> ThreadingHTTPServer:
    """A proxy on a port of its own, already answering; `shutdown()` and `server_close()` end it."""
    handler = type("Handler", (_Handler,), {"wire": wire})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server
