"""A fake of FCM HTTP v1 for tests: HTTP/2 over TLS on 127.0.0.1, and the token endpoint that belongs to it."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

from local.standins.fcm.access_tokens import AccessTokens
from local.standins.fcm.connection import Connection, Limits
from local.standins.fcm.credentials import certificate_authority, tls_context, write_service_account
from local.standins.fcm.fault_plan import FaultPlan
from local.standins.fcm.record import Request
from local.standins.fcm.router import Router
from local.standins.fcm.script import Script
from local.standins.fcm.token_endpoint import TokenEndpoint

_HOST = "127.0.0.1"
_ALL_SENT = Script()
_DEFAULT_LIMITS = Limits()


class FakeFcm:
    """Serves inside its context, from its own thread; every member is thread-safe.

    Leaving raises RuntimeError if the fake itself crashed, so that no test passes on half an answer.
    """

    def __init__(
        self,
        *,
        script: Script = _ALL_SENT,
        project: str = "demo",
        limits: Limits = _DEFAULT_LIMITS,
        access_token_seconds: int = 3600,
        accept_any_access_token: bool = False,
    ) -> None:
        self._project = project
        self._limits = limits
        self._script = script
        self._access_tokens = AccessTokens(lifetime_seconds=access_token_seconds, accept_any=accept_any_access_token)
        self._router = Router(project=project, plan=FaultPlan(script), access_tokens=self._access_tokens)
        self._open: set[asyncio.Transport] = set()
        self._crashes: list[dict[str, Any]] = []
        self._ports: tuple[int, int] = (0, 0)

    def __enter__(self) -> Self:
        self._directory = TemporaryDirectory(prefix="fake-fcm-")
        started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name="fake-fcm", daemon=True)
        self._thread.start()
        self._loop, self._stopping = started.result()
        certificate_authority().cert_pem.write_to_path(self.ca_file)
        token_uri = f"http://{_HOST}:{self._ports[1]}/token"
        write_service_account(self.service_account_file, project=self._project, token_uri=token_uri)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._directory.cleanup()
        if self._crashes:
            crash = self._crashes[0]
            raise RuntimeError(f"the fake FCM crashed: {crash['message']}") from crash.get("exception")

    @property
    def endpoint(self) -> str:
        """The https URL in place of https://fcm.googleapis.com; localhost works too."""
        return f"https://{_HOST}:{self._ports[0]}"

    @property
    def send_url(self) -> str:
        """The URL that messages are posted to."""
        return f"{self.endpoint}/v1/projects/{self._project}/messages:send"

    @property
    def ca_file(self) -> Path:
        """The certificate of the authority to trust, in PEM."""
        return Path(self._directory.name, "ca.pem")

    @property
    def service_account_file(self) -> Path:
        """The JSON of a service account whose tokens the fake issues."""
        return Path(self._directory.name, "service-account.json")

    @property
    def script(self) -> Script:
        """The script of answers. A new script starts with its counts at zero, from the next request on."""
        return self._script

    @script.setter
    def script(self, script: Script) -> None:
        self._script = script
        self._router.plan = FaultPlan(script)

    @property
    def requests(self) -> list[Request]:
        """A copy of the complete requests, in order of arrival, each recorded before it was answered."""
        return self._router.record.requests

    @property
    def seen(self) -> int:
        """How many requests' headers were seen; each request ends in `requests`, `refused` or `partial`."""
        return self._router.record.seen

    @property
    def partial(self) -> int:
        """How many seen requests will never arrive completely."""
        return self._router.record.partial

    @property
    def refused(self) -> int:
        """How many requests were not processed: REFUSED_STREAM, or above a GOAWAY's last stream id."""
        return self._router.record.refused

    @property
    def connections(self) -> int:
        """How many connections were opened."""
        return self._router.record.connections

    @property
    def issued_tokens(self) -> int:
        """How many access tokens were issued."""
        return self._access_tokens.issued

    def issue_token(self) -> str:
        """Return a new access token without the token endpoint; it counts as issued."""
        issued: Future[str] = Future()
        self._loop.call_soon_threadsafe(lambda: issued.set_result(self._access_tokens.issue(self._loop.time())))
        return issued.result()

    def revoke_tokens(self) -> None:
        """Answer 401 to all access tokens issued so far, as if they had expired."""
        self._access_tokens.revoke()

    def wait_until(self, happened: Callable[[], bool], timeout_seconds: float = 10) -> bool:
        """Return True once `happened` returns True after a recorded change; False if time runs out."""
        return self._router.record.wait_until(happened, timeout_seconds)

    def _run(self, started: "Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]") -> None:
        try:
            asyncio.run(self._serve(started))
        except Exception as error:
            if started.done():
                raise
            started.set_exception(error)

    async def _serve(self, started: "Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]") -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self._crashes.append(context))
        stopping = asyncio.Event()
        fcm = await loop.create_server(self._connection, _HOST, 0, backlog=1024)
        tokens = await loop.create_server(lambda: TokenEndpoint(self._access_tokens, self._open), _HOST, 0)
        self._ports = (fcm.sockets[0].getsockname()[1], tokens.sockets[0].getsockname()[1])
        started.set_result((loop, stopping))
        await stopping.wait()
        fcm.close()
        tokens.close()
        while self._open or len(asyncio.all_tasks()) > 1:
            for transport in list(self._open):
                transport.abort()
            await asyncio.sleep(0)

    def _connection(self) -> Connection:
        return Connection(
            router=self._router, limits=self._limits, context=tls_context(), open_connections=self._open
        )
