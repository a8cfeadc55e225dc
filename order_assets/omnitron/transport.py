"""One request over the wire: connection pool, TLS, proxies, time-outs, size limit.

Belongs here: sending a single request and reading its answer, and saying in plain words what broke. Not here:
whether to repeat it (`session`), and what the answer means (`response`).
"""

import ssl
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.models import PreparedRequest
from requests.structures import CaseInsensitiveDict

from order_assets.omnitron.client_settings import ClientSettings
from order_assets.omnitron.instance import host_of, is_loopback

_CHUNK = 64 * 1024
# Error pages are read to keep the connection usable and to quote a line of them, not to be kept.
_ERROR_BODY_BYTES = 64 * 1024
# What we ask for, and so what we can undo; an answer in another encoding is reported, not guessed.
_ENCODINGS = ("", "identity", "gzip", "deflate")
_GZIP_SIGN = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it goes out; `about` says in messages what it is for, `where` is method and address."""

    method: str
    url: str
    where: str
    about: str
    headers: CaseInsensitiveDict[str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.about[0].upper()}{self.about[1:]}: {self.where}" if self.about else self.where


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and the decompressed body of one answer; error bodies may be cut."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class BrokenCallError(Exception):
    """No complete answer. `reason` is for people.

    `final`: a repeat cannot help. `reached`: the server was connected to. `answered`: an answer had begun.
    `timed_out`: it took too long, so that the server may be overloaded.
    """

    def __init__(
        self,
        reason: str,
        *,
        final: bool = False,
        reached: bool = True,
        answered: bool = False,
        timed_out: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final
        self.reached = reached
        self.answered = answered
        self.timed_out = timed_out


class Transport:
    """Sends requests to one instance; safe to use from many threads, connections are kept and shared.

    It sits on the adapter of requests and not on its Session, because a Session reads redirect bodies without
    limit, adds netrc passwords and keeps cookies, and costs more per call.
    """

    def __init__(self, settings: ClientSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._timeout = (settings.connect_timeout, settings.read_timeout)
        self._adapter = HTTPAdapter(pool_connections=2, pool_maxsize=settings.max_concurrency + 1, max_retries=0)
        self._proxies: dict[str, str] = {}
        self._verify: bool | str = True
        if not is_loopback(host_of(settings.url)):
            with requests.Session() as session:
                found = session.merge_environment_settings(settings.url, {}, True, True, None)
            self._proxies = dict(found["proxies"])
            self._verify = found["verify"] or True

    def send(self, call: Call) -> Answer:
        """Send one request and read the answer. Raises BrokenCallError."""
        request = PreparedRequest()
        request.method = call.method
        request.url = call.url
        request.headers = call.headers
        request.body = call.body
        started = self._clock()
        try:
            response = self._adapter.send(
                request, stream=True, timeout=self._timeout, verify=self._verify, proxies=self._proxies
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise self._explained(error) from None
        raw: urllib3.HTTPResponse = response.raw
        try:
            return Answer(response.status_code, raw.headers, self._body(raw, response.status_code, started))
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raw.close()
            raise self._explained(error, answered=True) from None
        except BaseException:
            raw.close()
            raise
        finally:
            raw.release_conn()

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._adapter.close()

    def _body(self, raw: urllib3.HTTPResponse, status: int, started: float) -> bytes:
        """The decompressed body, complete; error bodies are cut, others must stay within the limit."""
        encoding = raw.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in _ENCODINGS:
            raise BrokenCallError("the answer is compressed in a way that was not asked for", final=True, answered=True)
        limit = self._settings.max_body_bytes if status == requests.codes.ok else _ERROR_BODY_BYTES
        pieces: list[bytes] = []
        size = 0
        for piece in unpacked(_pieces(raw), encoding):
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raw.close()
                if status != requests.codes.ok:
                    break
                raise BrokenCallError(f"the answer is larger than {limit} bytes", final=True, answered=True)
            if self._clock() - started > self._settings.total_timeout:
                raise BrokenCallError(
                    f"the answer was not complete after {self._settings.total_timeout:g} s",
                    answered=True,
                    timed_out=True,
                )
        return b"".join(pieces)

    def _explained(self, error: Exception, *, answered: bool = False) -> BrokenCallError:
        """What broke, from the chain of exceptions that the HTTP libraries wrap around each other."""
        chain = list(_chain(error))

        def met(*kinds: type[BaseException]) -> bool:
            return any(isinstance(link, kinds) for link in chain)

        settings = self._settings
        if met(requests.exceptions.ProxyError, requests.exceptions.InvalidProxyURL, urllib3.exceptions.ProxyError):
            return BrokenCallError("the proxy of this machine's environment did not connect us", reached=False)
        # Before the wrong addresses: to Python an error about a certificate is a ValueError as well.
        if met(ssl.SSLCertVerificationError, ssl.CertificateError):
            return BrokenCallError("its TLS certificate is not trusted here", final=True, reached=False)
        if met(requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL, ValueError) and not answered:
            return BrokenCallError("the address or the proxy address cannot be used", final=True, reached=False)
        if met(urllib3.exceptions.NameResolutionError):
            return BrokenCallError("the name does not resolve", reached=False)
        if met(ConnectionRefusedError):
            return BrokenCallError("the connection is refused", reached=False)
        if met(requests.exceptions.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError):
            return BrokenCallError(
                f"no connection within {settings.connect_timeout:g} s", reached=False, timed_out=True
            )
        if met(urllib3.exceptions.NewConnectionError):
            return BrokenCallError("no connection can be made", reached=False)
        if met(requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError, TimeoutError):
            return BrokenCallError(f"silence for {settings.read_timeout:g} s", answered=answered, timed_out=True)
        if met(requests.exceptions.SSLError, urllib3.exceptions.SSLError, ssl.SSLError):
            return BrokenCallError("the TLS connection failed", reached=answered)
        if met(urllib3.exceptions.DecodeError):
            return BrokenCallError("the answer cannot be decompressed", answered=True)
        return BrokenCallError("the answer was cut short" if answered else "the connection broke", answered=answered)


def _pieces(raw: urllib3.HTTPResponse) -> Iterator[bytes]:
    """The body as it arrives. Single reads, so that a dribbling server cannot hide behind one long read."""
    while piece := raw.read1(_CHUNK, decode_content=False):
        yield piece


def unpacked(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The content of a compressed body, in pieces of a bounded size.

    Raises BrokenCallError where it cannot be decompressed or ends before its end: the HTTP libraries take what is
    there, and half a document would look like a document that is wrong.
    """
    if encoding in ("", "identity"):
        yield from pieces
        return
    packed = b""
    decoder = None
    try:
        for piece in pieces:
            packed += piece
            if decoder is None:
                decoder = zlib.decompressobj(_window(packed, encoding))
            while packed and not decoder.eof:
                if content := decoder.decompress(packed, _CHUNK):
                    yield content
                packed = decoder.unconsumed_tail
                # A body may be several compressed parts, one after the other. What else follows the end is padding.
                if decoder.eof and decoder.unused_data.startswith(_GZIP_SIGN):
                    packed, decoder = decoder.unused_data, zlib.decompressobj(_window(_GZIP_SIGN, "gzip"))
        while decoder is not None and not decoder.eof and (content := decoder.decompress(b"", _CHUNK)):
            yield content
    except zlib.error:
        raise BrokenCallError("the answer cannot be decompressed", answered=True) from None
    if decoder is not None and not decoder.eof:
        raise BrokenCallError("the answer was cut short", answered=True)


def _window(packed: bytes, encoding: str) -> int:
    """How zlib is to read a body: `deflate` means with zlib's header, and some servers leave it out."""
    if encoding == "gzip":
        return 16 + zlib.MAX_WBITS
    has_header = packed[0] & 0x0F == zlib.DEFLATED and (len(packed) < 2 or (packed[0] << 8 | packed[1]) % 31 == 0)
    return zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and what it was raised from or wraps, outermost first."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        link = waiting.pop(0)
        if isinstance(link, BaseException) and id(link) not in seen:
            seen.add(id(link))
            yield link
            waiting += [getattr(link, "reason", None), link.__cause__, link.__context__, *link.args]
