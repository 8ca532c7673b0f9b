"""Serves plain functions as gRPC methods, with the client libraries' own messages."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import grpc

from local.standins.cloud_tasks.errors import Refused
from local.standins.cloud_tasks.fault_plan import FaultPlan
from local.standins.cloud_tasks.script import FailedCalls, Landed

_THREADS = 32
_GRACE_SECONDS = 1.0


def _allow(_: str, __: Any) -> None:
    """Allow every call."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method: the message types of its request and its reply (None for an empty one), and its function.

    `half` leaves the state of an UpdateJob that failed half-way.
    """

    request: Any
    reply: Any
    answer: Callable[[Any], Any]
    half: Callable[[Any], None] | None = None


class GrpcServer:
    """Serves services, given as methods by name, on 127.0.0.1 without TLS; port 0 picks a free one.

    `check` raises Refused for a call, by its method's name and request, that the caller may not make. Leaving raises
    RuntimeError if a method crashed, so that no test passes after a crash.
    """

    def __init__(
        self,
        services: Mapping[str, Mapping[str, Method]],
        plan: FaultPlan,
        port: int = 0,
        *,
        check: Callable[[str, Any], None] = _allow,
        threads: int = _THREADS,
    ) -> None:
        self._plan, self._check = plan, check
        self._crashes: list[Exception] = []
        pool = ThreadPoolExecutor(threads, thread_name_prefix="cloud-rpc")
        # without this option, the server would share a port that is in use
        self._server = grpc.server(pool, options=[("grpc.so_reuseport", 0)])
        for service, methods in services.items():
            handlers = {name: self._handler(name, method) for name, method in methods.items()}
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        self.port: int = self._server.add_insecure_port(f"127.0.0.1:{port}")

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.stop(_GRACE_SECONDS).wait()
        if self._crashes and error is None:
            raise RuntimeError(f"the emulator crashed: {self._crashes[0]!r}") from self._crashes[0]

    def _handler(self, name: str, method: Method) -> Any:
        def answer(request: Any, context: Any) -> Any:
            self._answer(lambda called: self._check(name, called), request, context)
            failing = self._plan.failure(name)
            if failing is None or failing.landed is Landed.ALL:
                reply = self._answer(method.answer, request, context)
            if failing is not None:
                if failing.landed is Landed.UPDATE_FAILED and method.half is not None:
                    self._answer(method.half, request, context)
                _fail(context, failing)
            return reply

        return grpc.unary_unary_rpc_method_handler(
            answer,
            request_deserializer=method.request.deserialize,
            response_serializer=method.reply.serialize if method.reply else lambda _: b"",
        )

    def _answer(self, function: Callable[[Any], Any], request: Any, context: Any) -> Any:
        try:
            reply = function(request)
        except Refused as refusal:
            context.abort(grpc.StatusCode[refusal.status], str(refusal))
        except Exception as error:
            self._crashes.append(error)
            raise
        # grpc treats None as a failure
        return b"" if reply is None else reply


def _fail(context: Any, failing: FailedCalls) -> None:
    context.abort(grpc.StatusCode[failing.status], f"the script makes {failing.method} fail")
