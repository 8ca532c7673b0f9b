"""One client's HTTP/2 connection."""

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, RemoteSettingsChanged, RequestReceived, StreamEnded, StreamReset, WindowUpdated
from h2.exceptions import ProtocolError, StreamClosedError, StreamIDTooLowError
from h2.settings import SettingCodes, Settings
from hyperframe.frame import GoAwayFrame, SettingsFrame

from local.standins.fcm.answer import Answer, AtHeaders, Delivery
from local.standins.fcm.responder import Responder
from local.standins.fcm.router import Router
from local.standins.fcm.script import GoAway
from local.standins.fcm.tls import Tls

_DEFAULT_WINDOW_BYTES = 65_535
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits that the server announces to each client, and the delay before it reopens a full window."""

    max_concurrent_streams: int = 100
    initial_window_bytes: int = _DEFAULT_WINDOW_BYTES
    window_update_delay_seconds: float = 0


class _Upload:
    __slots__ = ("chunks", "headers")

    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = headers
        self.chunks: list[bytes] = []


class Connection(asyncio.Protocol):
    """Reads requests, passes them to the router, and sends the answer or the failure."""

    _transport: asyncio.Transport
    _number: int

    def __init__(
        self, *, router: Router, limits: Limits, context: ssl.SSLContext, open_connections: set[asyncio.Transport]
    ) -> None:
        self._router = router
        self._limits = limits
        self._open = open_connections
        self._loop = asyncio.get_running_loop()
        self._tls = Tls(context)
        # Validating every header would cost a third of the speed.
        self._http2 = H2Connection(
            H2Configuration(
                client_side=False,
                header_encoding="utf-8",
                validate_inbound_headers=False,
                normalize_inbound_headers=False,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        # No limit by h2 itself: h2 would end the connection where a server refuses one stream.
        self._http2.local_settings = Settings(client=False)
        self._responder = Responder(self._http2)
        self._uploads: dict[int, _Upload] = {}
        self._processed = 0
        self._goaway: GoAway | None = None
        self._draining = False
        self._closed = False
        self._handlers: dict[type, Callable[[Any], None]] = {
            RequestReceived: self._arrived,
            DataReceived: self._grew,
            StreamEnded: self._completed,
            StreamReset: self._cancelled,
            WindowUpdated: lambda _: self._responder.resume(),
            RemoteSettingsChanged: lambda _: self._responder.resume(),
        }

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open.add(transport)
        self._number = self._router.record.connect()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the signature of every protocol
        """End."""
        self._closed = True
        self._open.discard(self._transport)
        self._router.record.lose(len(self._uploads))

    def data_received(self, data: bytes) -> None:
        """Handle all data that has arrived, then write once."""
        if self._closed:
            return
        greeted = self._tls.established
        try:
            plain = self._tls.decrypt(data)
            if self._tls.established and not greeted:
                self._greet()
            events = self._http2.receive_data(plain) if plain else ()
        except ssl.SSLError:
            self._transport.abort()
            return
        except ProtocolError:
            self._close()
            return
        for event in events:
            if self._closed:
                return
            handle = self._handlers.get(type(event))
            if handle:
                with suppress(
                    StreamClosedError, StreamIDTooLowError
                ):  # h2 already knows what a later event will report
                    handle(event)
        self._flush()

    def _greet(self) -> None:
        self._http2.initiate_connection()
        if self._limits.initial_window_bytes != _DEFAULT_WINDOW_BYTES:
            self._http2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: self._limits.initial_window_bytes})
        streams = {SettingCodes.MAX_CONCURRENT_STREAMS.value: self._limits.max_concurrent_streams}
        self._write(self._http2.data_to_send() + SettingsFrame(0, settings=streams).serialize())

    def _arrived(self, event: RequestReceived) -> None:
        stream = event.stream_id
        self._router.record.see()
        if self._draining:
            self._router.record.refuse()
            return
        if len(self._uploads) + len(self._responder.owed) >= self._limits.max_concurrent_streams:
            self._refuse(stream)
            return
        arrival = self._router.plan.arrive(self._number)
        self._goaway = self._goaway or arrival.goaway
        if arrival.withheld:
            self._router.record.refuse()
        elif arrival.fault is AtHeaders.REFUSE:
            self._refuse(stream)
        else:
            self._uploads[stream] = _Upload(dict(cast("list[tuple[str, str]]", event.headers)))
            self._processed = stream
            if arrival.fault is AtHeaders.DROP:
                self._drop()

    def _refuse(self, stream: int) -> None:
        self._router.record.refuse()
        self._http2.reset_stream(stream, ErrorCodes.REFUSED_STREAM)

    def _grew(self, event: DataReceived) -> None:
        upload = self._uploads.get(event.stream_id)
        if upload:
            upload.chunks.append(event.data)
        if self._limits.window_update_delay_seconds:
            delay = self._limits.window_update_delay_seconds
            self._loop.call_later(delay, self._widen_late, event.flow_controlled_length, event.stream_id)
        else:
            self._http2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)

    def _widen_late(self, length: int, stream: int) -> None:
        if not self._closed:
            self._http2.acknowledge_received_data(length, stream)
            self._flush()

    def _completed(self, event: StreamEnded) -> None:
        stream = event.stream_id
        upload = self._uploads.pop(stream, None)
        if upload is None:
            return
        content = b"".join(upload.chunks)
        now = self._loop.time()
        answer, body = self._router.take(upload.headers, content, connection=self._number, stream=stream, now=now)
        self._responder.owed.add(stream)
        if answer.latency_seconds:
            self._loop.call_later(answer.latency_seconds, self._answer_late, stream, answer, body)
        else:
            self._answer(stream, answer, body)

    def _answer_late(self, stream: int, answer: Answer, body: bytes) -> None:
        if not self._closed and stream in self._responder.owed:
            self._answer(stream, answer, body)
            self._flush()

    def _answer(self, stream: int, answer: Answer, body: bytes) -> None:
        match answer.delivery:
            case Delivery.WHOLE:
                self._responder.send(stream, answer, body)
            case Delivery.CUT:
                self._responder.send_half(stream, answer, body)
                self._close()
            case Delivery.DROP:
                self._drop()
            case Delivery.CLOSE:
                self._close()
            case Delivery.RESET:
                self._responder.reset(stream, answer)

    def _cancelled(self, event: StreamReset) -> None:
        self._responder.forget(event.stream_id)
        if self._uploads.pop(event.stream_id, None):
            self._router.record.lose(1)

    def _flush(self) -> None:
        if self._closed:
            return
        goaway = self._goaway_frame(self._goaway) if self._goaway and not self._draining else b""
        self._write(goaway + self._http2.data_to_send())
        if self._draining and not self._uploads and not self._responder.owed:
            self._close()

    def _goaway_frame(self, goaway: GoAway) -> bytes:
        self._draining = True
        last = self._processed if goaway.unprocessed else self._http2.highest_inbound_stream_id
        # Built by hand, and sent before the answers: h2 sends nothing more after its own GOAWAY.
        return GoAwayFrame(0, last_stream_id=last, error_code=goaway.error_code).serialize()

    def _write(self, plain: bytes) -> None:
        data = self._tls.encrypt(plain)
        if data:
            self._transport.write(data)

    def _close(self) -> None:
        """Close normally. Keep reading from the client, so that the client can read what was sent to it."""
        self._write(self._http2.data_to_send())
        self._closed = True
        self._transport.write(self._tls.goodbye())
        with suppress(OSError):  # the client closed first
            self._transport.write_eof()

    def _drop(self) -> None:
        """End with a TCP reset, after all earlier answers."""
        self._write(self._http2.data_to_send())
        self._closed = True
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()
