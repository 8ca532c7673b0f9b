"""Serve each request in its trace: in the logs, in the tasks that it adds, and in a collector, if there is one."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import Request, Response

from functions import bootstrap, logs
from functions.domain import tracing

P = ParamSpec("P")
_PREFIX = "handle_"


def traced(serve: Callable[P, Response]) -> Callable[P, Response]:
    """Return a handler that does the same in the trace that the request's headers name, or in a new one.

    The request is the last argument; before it there may be the name of the function that is called.
    """

    @wraps(serve)
    def serve_traced(*args: P.args, **kwargs: P.kwargs) -> Response:
        *named, request = args
        assert isinstance(request, Request)
        name, headers = str(named[0]) if named else serve.__name__.removeprefix(_PREFIX), request.headers
        span = tracing.begin(headers.get(tracing.HEADER, ""), headers.get(tracing.GOOGLES_HEADER, ""))
        with tracing.within(span), logs.context(trace=span.trace_id, span=span.id, sampled=span.sampled):
            collector = bootstrap.span_collector()
            if collector is None:
                return serve(*args, **kwargs)
            with collector.measured(span, name, _about(request)) as seen:
                response = serve(*args, **kwargs)
                seen["http.response.status_code"] = response.status_code
            return response

    return serve_traced


def _about(request: Request) -> dict[str, str | int]:
    """Return the attributes of a span: nothing of a body, an address or a caller."""
    about: dict[str, str | int] = {"http.request.method": request.method}
    if task := request.headers.get("X-CloudTasks-TaskName"):
        about["messaging.message.id"] = task
    if (retries := request.headers.get("X-CloudTasks-TaskRetryCount", "")).isdecimal():
        about["messaging.delivery.retries"] = int(retries)
    return about
