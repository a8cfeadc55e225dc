"""One call to the API, from the budget to a checked answer: authentication, repeats, the error if it fails.

Belongs here: everything that is the same for all calls. Not here: the wire (`transport`), the token
(`auth`), the wording of errors (`messages`), and what the answers are about (`pagination`, `documents`).
"""

import logging
import random
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

from requests.structures import CaseInsensitiveDict

from order_assets.omnitron.api_errors import (
    OmnitronAuthError,
    OmnitronBlockedError,
    OmnitronError,
    OmnitronForbiddenError,
    OmnitronQuietError,
    OmnitronStoppedError,
    OmnitronUnavailableError,
)
from order_assets.omnitron.api_prefix import Prefixes, prefix_of
from order_assets.omnitron.auth import LOGIN_PATH, Credential, Credentials
from order_assets.omnitron.cancellation import Halt
from order_assets.omnitron.client_settings import ClientSettings
from order_assets.omnitron.intermediaries import is_page_in_between
from order_assets.omnitron.messages import Explainer
from order_assets.omnitron.rate_limit.budget import CallReport
from order_assets.omnitron.rate_limit.limiter import SharedBudget
from order_assets.omnitron.response import Response, is_json_type, parse_http_date, parse_json, retry_after_seconds
from order_assets.omnitron.stats import Counters
from order_assets.omnitron.transport import Answer, BrokenCallError, Call, Transport

Params = Mapping[str, str | int]

_log = logging.getLogger("order_assets.omnitron")
_REPEATABLE = frozenset({408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
_NUMBER = re.compile(r"\d+")
# Errors after which asking for a row of the list would prove nothing.
_SAYS_NOTHING_OF_HEALTH = (OmnitronStoppedError, OmnitronQuietError, OmnitronAuthError, OmnitronForbiddenError)
_ONE_ROW: Params = {"limit": 1, "page": 1}
# A firewall that blocks us looks for a while: longer waits than after a hiccup, and never a quick repeat.
_PAGE_PATIENCE = 2.0
# A redirect before the first answer of the API is more likely a wrong address than a firewall.
_REDIRECTS_AT_FIRST = 2
_LOGIN_PAUSE_SECONDS = 60.0
# What the API says in, when it says that something is not there; gateways have words of their own.
_WORDS_OF_THE_API = frozenset({"detail", "non_field_errors", "code", "error_code"})


class Session:
    """Calls to one instance; safe to use from many threads."""

    def __init__(
        self,
        settings: ClientSettings,
        budget: SharedBudget,
        counters: Counters,
        halt: Halt,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._budget = budget
        self._counters = counters
        self._halt = halt
        self._clock = clock
        self.prefixes = Prefixes(settings.api)
        self.explain = Explainer(settings)
        self._credentials = Credentials(settings, self._post_login, self.explain.learn, clock)
        self._transport = Transport(settings, clock)
        self._random = random.SystemRandom()
        self._server_met = False
        self._api_met = False
        self._failures_in_a_row = 0
        self._blocks_in_a_row = 0

    def get(
        self,
        path: str,
        params: Params | None = None,
        *,
        about: str = "",
        missing_ok: bool = False,
        unclean_ok: bool = False,
        optional: bool = False,
    ) -> Response:
        """GET a path below /api/v1/ or /api/i1/, whichever serves it; the answer is JSON. Raises OmnitronError.

        `about` says in messages what the call is for, such as `order 12, detail`. With `missing_ok` a 404 is
        an answer (status 404), but only one that comes from the API as JSON: the 404 page of a proxy or of a
        wrong host must not look like an order that is gone. With `unclean_ok` text that calls itself JSON and is not
        is asked for once more, since it may have been cut off, and then is an answer whose `is_clean` is false.
        `optional` is a path that an instance may lack: then any 404 is an answer (status 404), without a repeat.
        """
        try:
            response = self._get(path, params, about, missing_ok=missing_ok, unclean_ok=unclean_ok, optional=optional)
        except _SAYS_NOTHING_OF_HEALTH:
            raise
        except OmnitronError as error:
            self._failures_in_a_row += 1
            is_block = isinstance(error, OmnitronBlockedError)
            self._blocks_in_a_row = self._blocks_in_a_row + 1 if is_block else 0
            many = self._settings.check_after_failures
            # A block that stays is looked into at once: waiting it out for each order would take hours.
            if not error.systemic and (is_block or self._failures_in_a_row >= many):
                self._check_instance(error)
            if self._blocks_in_a_row >= many and not error.systemic:
                error.systemic = True
                error.args = (f"{error} {many} calls in a row ended so: the run stops here.",)
            raise
        self._failures_in_a_row = self._blocks_in_a_row = 0
        return response

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _get(
        self,
        path: str,
        params: Params | None,
        about: str,
        *,
        missing_ok: bool = False,
        unclean_ok: bool = False,
        optional: bool = False,
    ) -> Response:
        if path.startswith("/") or "//" in path or ".." in path or not path.isascii() or set(path) & set("?#\\: %"):
            raise ValueError(f"Not a path below the API's prefix: {path!r}")
        started = self._clock()
        call, answer, retries = self._served(path, params, about, optional=optional)
        if optional and answer.status == 404:
            server_date = parse_http_date(answer.headers.get("Date"))
            return Response(404, answer.body, None, server_date, self._clock() - started, retries)
        response = self._checked(call, answer, retries, started, missing_ok=missing_ok, unclean_ok=unclean_ok)
        if not response.is_clean:
            _log.info("%s answered with text that is not clean JSON, asking once more", call.where)
            self._counters.add(retries=1)
            call, answer, more = self._served(path, params, about)
            retries += more + 1
            response = self._checked(call, answer, retries, started, missing_ok=missing_ok, unclean_ok=unclean_ok)
        return response

    def _served(
        self, path: str, params: Params | None, about: str, *, optional: bool = False
    ) -> tuple[Call, Answer, int]:
        """The answer under the prefix that serves the path; also how many repeats it took.

        Under a wrong prefix there is a 404 or a page for everything, which must not look like an order that is gone.
        """
        first, *others = self.prefixes.candidates(path)
        call, answer, retries = self._logged_in(first, path, params, about, patient=not (others or optional))
        if others and (answer.status == 404 or _is_page(answer)):
            self._counters.add(retries=1)
            retries += 1
            if (found := self._elsewhere(others[0], path, params, about, answer)) is not None:
                return (*found, retries)
            if _is_page(answer) and not (optional and answer.status == 404):
                call, answer, more = self._logged_in(first, path, params, about)
                retries += more + 1
        if _is_answer(answer):
            self.prefixes.served(path, first)
        return call, answer, retries

    def _elsewhere(
        self, version: str, path: str, params: Params | None, about: str, before: Answer
    ) -> tuple[Call, Answer] | None:
        """The answer under the other prefix; None where it serves the path no better than the one `before`."""
        call = self._call(version, path, params, about, self._credentials.current())
        try:
            answer, _ = self._answer(call, patient=False)
        except OmnitronUnavailableError as error:
            if error.systemic:
                raise
            return None
        if answer.status == 401:
            call, answer, _ = self._logged_in(version, path, params, about, patient=False)
        if _is_answer(answer):
            self.prefixes.served(path, version)
            return call, answer
        # What is said in JSON is nearer to the truth than a page; but a 404 of the API itself stands.
        return (call, answer) if _is_page(before) and answer.status != 404 and not _is_page(answer) else None

    def _call(self, version: str, path: str, params: Params | None, about: str, credential: Credential) -> Call:
        base = self._settings.url + prefix_of(version)
        url = f"{base}{path}?{urlencode(params)}" if params else base + path
        return Call("GET", url, f"GET {base}{path}", about, credential.headers)

    def _logged_in(
        self, version: str, path: str, params: Params | None, about: str, *, patient: bool = True
    ) -> tuple[Call, Answer, int]:
        """GET with a token, with another one where the first is not good any more; also how many repeats it took."""
        credential = self._credentials.current()
        call = self._call(version, path, params, about, credential)
        answer, retries = self._answer(call, patient=patient)
        if answer.status == 401 and not _is_page(answer):
            _log.info("%s answered 401, getting another token", call.where)
            credential = self._credentials.renewed(credential)
            call = self._call(version, path, params, about, credential)
            answer, more = self._answer(call, patient=patient)
            retries += more + 1
            if answer.status == 401 and not _is_page(answer):
                raise self.explain.refused_again(call)
        return call, answer, retries

    def _post_login(self, headers: CaseInsensitiveDict[str], body: bytes) -> Response:
        """Log in. Whatever goes wrong here stops everything."""
        started = self._clock()
        try:
            self._wait_for_login()
            call, answer, retries = self._posted(headers, body)
            if answer.status in (400, 401, 403):
                raise self.explain.refused_login(answer)
            response = self._checked(call, answer, retries, started)
        except OmnitronError as error:
            error.systemic = True
            raise
        self._counters.add(logins=1)
        return response

    def _posted(self, headers: CaseInsensitiveDict[str], body: bytes) -> tuple[Call, Answer, int]:
        """The login's answer under the prefix that serves it."""

        def call_under(version: str) -> Call:
            url = self._settings.url + prefix_of(version) + LOGIN_PATH
            return Call("POST", url, f"POST {url}", "login", headers, body)

        first, *others = self.prefixes.candidates(LOGIN_PATH)
        call = call_under(first)
        answer, retries = self._answer(call, patient=not others)
        if others and (answer.status == 404 or _is_page(answer)):
            other_call = call_under(others[0])
            other, _ = self._answer(other_call, patient=False)
            if other.status != 404 and not _is_page(other):
                first, call, answer = others[0], other_call, other
            elif _is_page(answer):
                answer, retries = self._answer(call)
        if _is_answer(answer):
            self.prefixes.served(LOGIN_PATH, first)
        return call, answer, retries

    def _wait_for_login(self) -> None:
        """Take one of the few logins that all processes have, waiting for it a while."""
        waited = 0.0
        while (wait := self._budget.login_turn()) > 0:
            if waited + wait > self._settings.max_login_wait_seconds:
                raise self.explain.logins_used_up(waited, wait)
            if not waited:
                _log.warning(self.explain.waiting_for_login(wait))
            self._counters.add(seconds_waited=wait)
            self._halt.pause(wait)
            waited += wait

    def _answer(self, call: Call, *, patient: bool = True) -> tuple[Answer, int]:
        """Send a call until an answer comes that a repeat would not change; also how many repeats it took.

        A page of something in between is waited out, with longer waits; without `patient` it is an answer.
        """
        settings = self._settings
        retries = 0
        while True:
            asked: float | None = None
            is_page = False
            try:
                answer = self._once(call)
            except BrokenCallError as broken:
                # Before the first answer the address is more likely wrong than the network is shaky.
                most = settings.retries if broken.reached or self._server_met else min(1, settings.retries)
                if broken.final or retries >= most:
                    raise self.explain.broken(call, broken, retries) from None
                problem = broken.reason
            else:
                self._server_met = True
                is_page = _is_page(answer)
                if answer.status not in _REPEATABLE and not (is_page and patient):
                    return answer, retries
                problem = f"a page with status {answer.status}" if is_page else f"status {answer.status}"
                asked = self._asked_to_wait(call, answer)
                if retries >= self._most_repeats(answer):
                    raise (self.explain.in_between if is_page else self.explain.still_failing)(call, answer, retries)
                if call.method == "POST" and answer.status == 429:
                    retries += 1
                    self._counters.add(retries=1)
                    self._budget.hold_logins(_LOGIN_PAUSE_SECONDS if asked is None else asked)
                    self._wait_for_login()
                    continue
            wait = self._backoff(retries, is_page=is_page) if asked is None else asked
            retries += 1
            _log.info("%s: %s, repeat %d of %d in %.1f s", call.where, problem, retries, settings.retries, wait)
            self._counters.add(retries=1, seconds_waited=wait)
            self._halt.pause(wait)

    def _most_repeats(self, answer: Answer) -> int:
        is_early = 300 <= answer.status < 400 and not self._api_met
        return min(_REDIRECTS_AT_FIRST, self._settings.retries) if is_early else self._settings.retries

    def _once(self, call: Call) -> Answer:
        """Send a call once, within the budget."""
        asked = self._clock()
        with self._budget.acquire(self._halt.pause) as is_trial:
            waited = self._clock() - asked
            self._counters.add(seconds_waited=waited, budget_seconds_waited=waited)
            self._halt.check()
            if is_trial:
                self._try_instance(call)
            return self._sent(call)

    def _sent(self, call: Call) -> Answer:
        """Send a call, count it, and tell the budget how it went."""
        status: int | None = None
        size = 0
        timed_out = asked_to_wait = False
        started = self._clock()
        try:
            answer = self._transport.send(call)
            status, size = answer.status, len(answer.body)
            # A firewall says in its way that we are too much for it.
            asked_to_wait = "Retry-After" in answer.headers or _is_page(answer)
            return answer
        except BrokenCallError as broken:
            timed_out = broken.timed_out
            raise
        finally:
            seconds = self._clock() - started
            self._counters.add(requests=1, bytes_received=size)
            route = _NUMBER.sub("0", call.where)
            self._budget.report(CallReport(route, seconds, status, timed_out, asked_to_wait))
            pace = self._budget.pace()
            self._counters.note_pace(slow_downs=pace.slow_downs, lowest_share=pace.lowest_share)

    def _try_instance(self, call: Call) -> None:
        """After a time in which the instance was left alone: see whether it gives one row of the order list.

        A call about a single order would not do: it may fail for that order alone. Any answer that is no passing
        trouble will do, also a refused token: somebody is there who answers.
        """
        base = self._settings.url + prefix_of(self.prefixes.candidates("orders/")[0])
        about = "check of the instance"
        trial = Call("GET", f"{base}orders/?{urlencode(_ONE_ROW)}", f"GET {base}orders/", about, call.headers)
        try:
            answer = self._sent(trial)
        except BrokenCallError as broken:
            raise self._budget.open_circuit(str(self.explain.broken(trial, broken, 0))) from None
        if answer.status in _REPEATABLE:
            raise self._budget.open_circuit(str(self.explain.still_failing(trial, answer, 0)))
        if _is_page(answer) and self.prefixes.is_sure("orders/"):
            raise self._budget.open_circuit(str(self.explain.in_between(trial, answer, 0)))
        self._budget.close_circuit()

    def _backoff(self, retries: int, *, is_page: bool = False) -> float:
        """A random wait, so that many threads do not come back at the same moment."""
        step = self._settings.backoff_seconds * (_PAGE_PATIENCE if is_page else 1)
        longest = min(self._settings.max_backoff_seconds, step * 2.0 ** min(retries, 60))
        return self._random.uniform(longest / 2 if is_page else 0, longest)

    def _asked_to_wait(self, call: Call, answer: Answer) -> float | None:
        """Seconds that the server asks for; all other calls are held back too."""
        now = parse_http_date(answer.headers.get("Date")) or datetime.now(UTC)
        seconds = retry_after_seconds(answer.headers.get("Retry-After"), now)
        if seconds is None:
            return None
        is_login = call.method == "POST"
        if seconds > self._settings.max_retry_after_seconds:
            if is_login:
                self._budget.hold_logins(seconds)
            raise self.explain.long_wait(call, answer, seconds)
        if not is_login:
            self._budget.hold(seconds)
        return seconds

    def _checked(
        self,
        call: Call,
        answer: Answer,
        retries: int,
        started: float,
        *,
        missing_ok: bool = False,
        unclean_ok: bool = False,
    ) -> Response:
        """The answer as a response, or the error that it stands for."""
        content_type = answer.headers.get("Content-Type", "")
        is_json = claims_json = bool(answer.body) and is_json_type(content_type)
        value: object = None
        if is_json:
            try:
                value = parse_json(answer.body)
            except ValueError:
                is_json = False
        missing = answer.status == 404 and missing_ok and isinstance(value, Mapping) and _is_said_by_the_api(value)
        self._api_met = self._api_met or is_json
        if not (answer.status == 200 or missing):
            raise self.explain.refused(call, answer, value)
        # A page of a proxy or nothing at all is no answer about an order, whatever its header says.
        is_unclean = unclean_ok and claims_json and answer.body.lstrip()[:1] not in (b"", b"<")
        if not is_json and not is_unclean:
            raise self.explain.not_json(call, answer, content_type)
        if missing:
            self._counters.add(not_found=1)
        return Response(
            status=answer.status,
            body=answer.body,
            value=value,
            server_date=parse_http_date(answer.headers.get("Date")),
            seconds=self._clock() - started,
            retries=retries,
            is_clean=is_json,
        )

    def _check_instance(self, error: OmnitronError) -> None:
        """After many failures in a row: if even one row of the order list cannot be had, stop everything.

        The instance is left alone for a while then, by everybody who shares the budget. Otherwise the failures are
        those of single orders, and the walk goes on.
        """
        self._failures_in_a_row = 0
        try:
            self._get("orders/", _ONE_ROW, "check of the instance")
        except OmnitronStoppedError:
            return
        except OmnitronError as failure:
            if not isinstance(failure, _SAYS_NOTHING_OF_HEALTH):
                self._budget.open_circuit(str(failure))
            error.systemic = True
            error.args = (f"{error} Other calls fail too, so the run stops here.",)


def _is_page(answer: Answer) -> bool:
    return is_page_in_between(answer.status, answer.headers, answer.body)


def _is_answer(answer: Answer) -> bool:
    """Whether the API answered what was asked."""
    return answer.status == 200 and is_json_type(answer.headers.get("Content-Type", "")) and not _is_page(answer)


def _is_said_by_the_api(value: Mapping[str, object]) -> bool:
    return not _WORDS_OF_THE_API.isdisjoint(value)
