"""Makes the HTTP requests of tasks and jobs."""

import threading
from collections import defaultdict, deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from local.embedded.agenda import Work
from local.embedded.clock import VirtualClock, WaitableClock
from local.embedded.delivery import Delivery
from local.embedded.response import Response
from local.standins.cloud_tasks.agenda import STILL_RUNNING
from local.standins.cloud_tasks.fault_plan import FaultPlan, name_of
from local.standins.cloud_tasks.http_call import HttpCall, call_of
from local.standins.cloud_tasks.oidc import OidcKey

_REMEMBERED = 100_000
_GOES_ON_FOR = timedelta(minutes=1)
"""How long an attempt may still take after its deadline."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request that was made: its time by the emulator's clock, its task or job, and the answer.

    `attempt` counts from 1. `status` is 0 if there was no answer, 504 if none came before the deadline. An answer
    that the script loses is recorded as the function gave it.
    """

    at: datetime
    name: str
    url: str
    attempt: int
    status: int


class Caller:
    """Calls functions, several times at once if the script says so, and records their answers."""

    def __init__(self, clock: WaitableClock, key: OidcKey, plan: FaultPlan) -> None:
        self._clock = clock
        self._key = key
        self._plan = plan
        self._lock = threading.Lock()
        self._requests: deque[Request] = deque(maxlen=_REMEMBERED)
        self._running: dict[str, list[Work]] = defaultdict(list)

    @property
    def requests(self) -> Sequence[Request]:
        """The last requests, in the order in which they ended."""
        with self._lock:
            return tuple(self._requests)

    def __call__(self, work: Work) -> Response:
        """Make the request and its copies, and return the first answer as the service sees it."""
        if self._outlives(work):
            return STILL_RUNNING
        together = [work] * (1 + self._plan.copies_at_once(work)) + self._still_running(work)
        lost = self._plan.loses_response(work)
        if len(together) == 1:
            response = self._request(work)
        else:
            start = threading.Barrier(len(together))
            with ThreadPoolExecutor(len(together)) as pool:
                response, *_ = pool.map(lambda each: self._request(each, start), together)
        return Response(status=0, text="the script loses the answer") if lost else response

    def _outlives(self, work: Work) -> bool:
        """Keep an attempt that goes on after its deadline, for the time of the next one."""
        outlives = isinstance(work, Delivery) and self._plan.outlives_deadline(work)
        if outlives:
            with self._lock:
                self._running[name_of(work)].append(work)
        return outlives

    def _still_running(self, work: Work) -> list[Work]:
        with self._lock:
            running = self._running.pop(name_of(work), [])
        until = self._clock.now() + _GOES_ON_FOR
        return [replace(each, deadline=until) for each in running]

    def _request(self, work: Work, start: threading.Barrier | None = None) -> Response:
        call = call_of(work)
        if call.email:
            token = self._key.token(call.email, call.audience)
            call = _authorized(call, token)
        if start is not None:
            start.wait()
        at = self._clock.now()
        response = _send(call, self._seconds_until(work.deadline))
        request = Request(at=at, name=name_of(work), url=call.url, attempt=work.attempt, status=response.status)
        with self._lock:
            self._requests.append(request)
        return response

    def _seconds_until(self, deadline: datetime) -> float:
        """Return the seconds of real time until the deadline; on a virtual clock, all of its seconds."""
        if isinstance(self._clock, VirtualClock):
            return max(0.001, (deadline - self._clock.now()).total_seconds())
        return max(0.001, self._clock.real_seconds_until(deadline))


def _authorized(call: HttpCall, token: str) -> HttpCall:
    headers = {name: value for name, value in call.headers.items() if name.lower() != "authorization"}
    return replace(call, headers=headers | {"Authorization": f"Bearer {token}"})


def _send(call: HttpCall, timeout_seconds: float) -> Response:
    """Make one request on its own connection, without a retry and without following redirects."""
    parts = urlsplit(call.url)
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = connect(parts.netloc.rpartition("@")[2], timeout=timeout_seconds)
    path = parts.path or "/"
    try:
        connection.request(
            call.method, f"{path}?{parts.query}" if parts.query else path, call.body or None, dict(call.headers)
        )
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
    except TimeoutError:
        return Response(status=504, text="DEADLINE_EXCEEDED")
    except (OSError, HTTPException) as error:
        return Response(status=0, text=f"{type(error).__name__}: {error}")
    finally:
        connection.close()
    headers = {name.title(): value for name, value in answer.headers.items()}
    return Response(status=answer.status, headers=headers, text=text)
