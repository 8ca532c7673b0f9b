"""All functions on one port of this machine, with the clock running."""

import json
from collections.abc import Iterable, Mapping
from importlib import import_module
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.sansio.utils import host_is_trusted
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from functions import bootstrap
from functions.domain.errors import Transient
from functions.domain.instants import stamp
from functions.ports import Ports
from local.runtime.served_token import behind_token

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_LOCAL = ("127.0.0.1", "localhost", "[::1]")
SOURCE = Path(__file__).parents[2] / "main.py"
CALLED_BY_SERVICES = (
    "launch",
    "build_audience",
    "send_test",
    "checkpoint",
    "send_push",
    "send_shard",
    "finish",
    "reconcile",
    "send_alert",
)
FUNCTIONS = (*CALLED_BY_SERVICES, "api", "console")


_LOADED_LATE = ("functions.domain.cadence.ledger", "functions.handlers.api.app", "functions.handlers.console.app")
"""Modules that only some functions load, with their first request; see decisions/0034."""


def load_handlers() -> None:
    """Load the modules of a first request now, so that a fast clock does not run ahead meanwhile."""
    for module in _LOADED_LATE:
        import_module(module)


def http_server(
    apps: Mapping[str, "WSGIApplication"],
    ports: Ports,
    host: str,
    port: int,
    *,
    token: str = "",
    own_ports: Mapping[str, Ports] = MappingProxyType({}),
) -> BaseWSGIServer:
    """Return a server that has each function at its name, and at / what is there and what runs.

    With a token, callers have to show it. `own_ports` are those of the functions that do not run with `ports`.

    As in the addresses of deployed functions, hyphens may stand for the name's underscores. The API's calls begin
    with its name, so it gets their whole path.
    """
    bound = {name: _bound(app, own_ports.get(name, ports), whole_path=name == "api") for name, app in apps.items()}
    mounted = {f"/{address}": app for name, app in bound.items() for address in (name, name.replace("_", "-"))}
    app = DispatcherMiddleware(_index(ports), mounted)
    guarded = behind_token(app, token) if token else _for_this_machine(app, host)
    return make_server(host, port, guarded, threaded=True, request_handler=_Quiet)


def is_this_machine(host: str) -> bool:
    """Whether only this machine can reach a server at an address; False for names other than localhost."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _for_this_machine(app: "WSGIApplication", host: str) -> "WSGIApplication":
    """Refuse requests to another name than this machine's, where the server is for this machine only.

    Else a page of the internet could have its own name point here, and be taken for the console itself.
    """
    if not is_this_machine(host):
        return app

    def guarded(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if host_is_trusted(environ.get("HTTP_HOST"), (*_LOCAL, host)):
            return app(environ, start_response)
        start_response("421 Misdirected Request", [("Content-Type", "text/plain; charset=utf-8")])
        return [f"this machine is called {', '.join(_LOCAL)}\n".encode()]

    return guarded


class _Quiet(WSGIRequestHandler):
    """Does not log: the functions do."""

    def log_request(self, *_: object) -> None:
        """Log nothing."""


def _bound(app: "WSGIApplication", ports: Ports, *, whole_path: bool) -> "WSGIApplication":
    def bound(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO") or "/"  # a function is at its address, not only below it
        mounted = {"PATH_INFO": path}
        if whole_path:
            mounted = {"SCRIPT_NAME": "", "PATH_INFO": environ["SCRIPT_NAME"] + environ.get("PATH_INFO", "")}
        with bootstrap.bind(ports):
            return app({**environ, **mounted}, start_response)

    return bound


def _index(ports: Ports) -> "WSGIApplication":
    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        status: str = "404 Not Found"
        body: dict[str, Any] = {"message": "no such function; GET / lists them"}
        if environ.get("PATH_INFO") == "/version":
            status, body = "200 OK", vars(bootstrap.running_version())
        elif environ.get("PATH_INFO") in ("", "/"):
            try:
                status, body = "200 OK", _overview(ports)
            except Transient as error:
                status, body = "503 Service Unavailable", {"message": str(error)}
        start_response(status, [("Content-Type", "application/json; charset=utf-8")])
        return [json.dumps(body, ensure_ascii=False, indent=2).encode()]

    return app


def _overview(ports: Ports) -> dict[str, Any]:
    return {
        "functions": [f"/{name}" for name in FUNCTIONS],
        "now": stamp(ports.clock.now()),
        "schedules": [
            {"name": job.name, "cron": job.cron, "timezone": job.zone, "function": job.function}
            for job in ports.schedules.all()
        ],
        "executions": [
            {"executionId": execution.id, "status": execution.state.value, "sendAt": stamp(execution.send_at)}
            for execution in ports.executions.unfinished()
        ],
    }
