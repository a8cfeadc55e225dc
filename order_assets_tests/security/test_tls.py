"""A certificate that nobody vouches for is refused, and nothing in the environment switches that off by accident."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from order_assets.omnitron import ClientSettings, OmnitronClient, OmnitronError
from order_assets.omnitron.transport import Transport

TOKEN = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[str]]]:
    """A server with a certificate of its own making, and what it was asked."""
    if shutil.which("openssl") is None:
        pytest.skip("the command openssl is not there to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers.get("Authorization", ""))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": ""},
        {"PYTHONHTTPSVERIFY": "0"},
        {"SSL_CERT_FILE": "/dev/null", "SSL_CERT_DIR": "/nonexistent"},
    ],
    ids=str,
)
def test_a_self_signed_certificate_is_refused_and_sees_no_token(
    self_signed: tuple[str, list[str]], environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked = self_signed
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with (
        OmnitronClient(ClientSettings(url, token=TOKEN, retries=0)) as client,
        pytest.raises(OmnitronError, match="TLS certificate is not trusted here") as caught,
    ):
        next(client.list_orders())
    assert TOKEN not in str(caught.value)
    assert asked == []


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize("value", ["", "/etc/company-ca.pem"])
def test_the_environment_can_name_another_authority_but_not_turn_the_check_off(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, value)
    found = Transport(ClientSettings("https://shop.example.com", token=TOKEN))._verify
    assert found == (value or True)


def test_there_is_no_setting_that_turns_the_check_off() -> None:
    sources = Path(__file__).resolve().parents[2].joinpath("order_assets").rglob("*.py")
    words = ("verify=False", "CERT_NONE", "_create_unverified_context", "disable_warnings")
    assert [path for path in sources if any(word in path.read_text(encoding="utf-8") for word in words)] == []
