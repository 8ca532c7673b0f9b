"""Where requests come in: at the handlers, or one layer further out, at the apps of functions-framework."""

import logging
from collections.abc import Callable, Mapping
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

from flask import Flask, Request
from werkzeug.test import Client

from functions import bootstrap
from functions.handlers.jobs.alerts import handle_send_alert
from functions.handlers.jobs.scheduler import handle_launch, handle_reconcile
from functions.handlers.jobs.tasks import handle_task
from functions.logs import log
from functions.ports import Ports
from local.embedded.documents import to_text
from local.embedded.response import Response
from local.runtime.functions import load_functions
from local.runtime.serving import FUNCTIONS, SOURCE

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

EntryPoint = Callable[[Ports, str, Mapping[str, str], Mapping[str, Any]], Response]
"""Posts a JSON object to a function and returns its answer. Exceptions of the function pass through."""

_flask = Flask(__name__)


def through_handlers(ports: Ports, function: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Response:
    """Call the handler of a function with a Flask request, as `main.py` does, but faster."""
    request = Request(_environ(headers, to_text(body).encode()))
    with bootstrap.bind(ports), _flask.app_context():
        if function == "launch":
            answer = handle_launch(request)
        elif function == "reconcile":
            answer = handle_reconcile(request)
        elif function == "send_alert":
            answer = handle_send_alert(request)
        else:
            answer = handle_task(function, request)
    return Response(status=answer.status_code, headers=dict(answer.headers), text=answer.get_data(as_text=True))


def through_apps(ports: Ports, function: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Response:
    """Call a deployed function through functions-framework, as Cloud Run does."""
    with bootstrap.bind(ports):
        client = Client(_apps()[function], use_cookies=False)
        sent = {"Content-Type": "application/json", **headers}
        answer = client.post("/", data=to_text(body).encode(), headers=sent, buffered=True)
    return Response(status=answer.status_code, headers=dict(answer.headers), text=answer.text)


def hush() -> None:
    """Turn logging off: a simulation makes thousands of requests, and reports them itself."""
    log.setLevel(logging.CRITICAL + 1)


@cache
def _apps() -> "dict[str, WSGIApplication]":
    apps = load_functions(FUNCTIONS, SOURCE)
    for app in apps.values():
        vars(app).get("config", {})["PROPAGATE_EXCEPTIONS"] = True
    return apps


def _environ(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        **named,
    }
