"""A server that answers exactly what a test tells it to, including what no sane server would.

The stand-in shop of the package behaves; this one is for misbehaviour. It speaks real HTTP on a free loopback
port.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as the server saw it."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def page(self) -> int:
        return int(self.query.get("page", "1"))

    @property
    def token(self) -> str:
        return self.headers.get("Authorization", "")


@dataclass(frozen=True)
class Reply:
    """What to answer: bytes as they are, anything else as JSON. `raw` replaces all of it, status line too."""

    value: Any = b""
    status: int = 200
    content_type: str | None = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None

    @property
    def body(self) -> bytes:
        return self.value if isinstance(self.value, bytes) else json.dumps(self.value).encode()


Answer = Callable[[Asked], Reply]


class ScriptedShop:
    """The running server: `url`, `asked` with every request so far; `answer` can be replaced at any time."""

    def __init__(self, url: str, answer: Answer) -> None:
        self.url = url
        self.answer = answer
        self.asked: list[Asked] = []

    def count(self, path_end: str) -> int:
        return sum(asked.path.endswith(path_end) for asked in self.asked)


def in_turn(*replies: Reply) -> Answer:
    """Answer with one reply after the other, the last one for ever."""
    waiting = list(replies)
    lock = threading.Lock()

    def answer(_: Asked) -> Reply:
        with lock:
            return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    return answer


@contextmanager
def scripted_shop(answer: Answer) -> Iterator[ScriptedShop]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1
        timeout = 20

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
            pass

        def do_GET(self) -> None:
            self._handle()

        def do_POST(self) -> None:
            self._handle()

        def _handle(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), dict(self.headers), body)
            shop.asked.append(asked)
            reply = shop.answer(asked)
            if reply.raw is not None:
                self.close_connection = True
                self.wfile.write(reply.raw)
                self.wfile.flush()
                return
            # send_response_only: no Date of its own, so that a test can decide about it.
            self.send_response_only(reply.status)
            headers = {
                "Content-Length": str(len(reply.body)),
                "Content-Type": reply.content_type,
                **reply.headers,
            }
            for name, value in headers.items():
                if value is not None:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)
            self.wfile.flush()

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False
        # The default of 5 refuses connections when a test starts many threads at once.
        request_queue_size = 64

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up in the middle is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    shop = ScriptedShop(f"http://127.0.0.1:{server.server_port}", answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
