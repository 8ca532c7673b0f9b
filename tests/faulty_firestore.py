"""A Firestore that fails: a gRPC proxy between the real client and the real emulator."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import grpc

_THREADS = 48
_OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Calls of a method, such as Commit, that fail: after the first `after`, the next `times`, all where it is None.

    Firestore does what it is asked where the call `landed`, and only the answer is lost, all but the first `answered`
    messages of it. With `share` only a random part of the calls fails. Without a `status` the call
    is passed on, though late, when its client may have given it up. `copies` arrive one after another.
    `meanwhile` is done before the client hears of anything.
    """

    method: str
    status: str = "UNAVAILABLE"
    landed: bool = False
    answered: int = 0
    after: int = 0
    times: int | None = 1
    share: float = 1.0
    late_seconds: float = 0.0
    copies: int = 1
    meanwhile: Callable[[], object] | None = None


class FaultyFirestore:
    """Forwards every call to an emulator while it is entered, and fails as `faults` say; the first that fits decides.

    `calls` counts the calls that clients have made, by method; assigning `faults` resets both.
    """

    def __init__(self, emulator: str, seed: int = 0) -> None:
        self._emulator, self._chance = emulator, random.Random(seed)
        self._lock = threading.Lock()
        self.faults = []

    def __enter__(self) -> Self:
        self._channel = grpc.insecure_channel(self._emulator, options=_OPTIONS)
        pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="faulty-firestore")
        self._server = grpc.server(pool, options=[*_OPTIONS, ("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers((_Forward(self._answer),))
        self.host = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.stop(None).wait()
        self._channel.close()

    @property
    def faults(self) -> list[Fault]:
        """What goes wrong from now on."""
        return self._faults

    @faults.setter
    def faults(self, faults: list[Fault]) -> None:
        with self._lock:
            self._faults, self.calls = faults, Counter[str]()
            self._hits: Counter[int] = Counter()

    def _answer(self, method: str, request: bytes, context: Any) -> Iterator[bytes]:
        fault = self._fault(method.rpartition("/")[2])
        if fault is None:
            yield from self._forward(method, request, context)
            return
        time.sleep(fault.late_seconds)
        messages: list[bytes] = []
        try:
            for _ in range(fault.copies if fault.landed or not fault.status else 0):
                messages = list(self._forward(method, request, context, late=fault.late_seconds > 0))
        finally:
            if fault.meanwhile is not None:
                fault.meanwhile()
        if fault.status:
            yield from messages[: fault.answered]
            context.abort(grpc.StatusCode[fault.status], f"{fault.method} fails, as the test says")
        yield from messages

    def _fault(self, method: str) -> Fault | None:
        with self._lock:
            self.calls[method] += 1
            for number, fault in enumerate(self._faults):
                if fault.method == method and self.calls[method] > fault.after and self._due(number, fault):
                    return fault
        return None

    def _due(self, number: int, fault: Fault) -> bool:
        if fault.times is not None and self._hits[number] >= fault.times:
            return False
        if self._chance.random() >= fault.share:
            return False
        self._hits[number] += 1
        return True

    def _forward(self, method: str, request: bytes, context: Any, *, late: bool = False) -> Iterator[bytes]:
        """Pass a call on as it came; a unary call is on the wire a stream of one message."""
        metadata = [pair for pair in context.invocation_metadata() if pair.key != "user-agent"]
        call = self._channel.unary_stream(method, _as_it_is, _as_it_is)
        try:
            yield from call(request, metadata=metadata, timeout=None if late else context.time_remaining())
        except grpc.RpcError as error:
            context.abort(error.code(), error.details())


class _Forward(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc ships no types
    def __init__(self, answer: Callable[[str, bytes, Any], Iterator[bytes]]) -> None:
        self._answer = answer

    def service(self, handler_call_details: Any) -> Any:
        method = handler_call_details.method
        return grpc.unary_stream_rpc_method_handler(
            lambda request, context: self._answer(method, request, context), _as_it_is, _as_it_is
        )


def _as_it_is(message: bytes) -> bytes:
    return message
