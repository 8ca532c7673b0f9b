"""Sends answers on the streams of one HTTP/2 connection, as fast as the client's flow control allows."""

from contextlib import suppress

from h2.connection import H2Connection
from h2.exceptions import StreamClosedError, StreamIDTooLowError

from local.standins.fcm.answer import Answer


class Responder:
    """Tracks the streams that wait for an answer, and the unsent rest of each answer."""

    def __init__(self, http2: H2Connection) -> None:
        self._http2 = http2
        self._unsent: dict[int, bytes] = {}
        self.owed: set[int] = set()

    def send(self, stream: int, answer: Answer, body: bytes) -> None:
        """Send a whole answer, or the part that fits the client's window now and the rest later."""
        self._headers(stream, answer, body)
        self._unsent[stream] = body
        self._advance(stream)

    def send_half(self, stream: int, answer: Answer, body: bytes) -> None:
        """Send the headers and half of the body."""
        self._headers(stream, answer, body)
        self._http2.send_data(stream, body[: min(len(body) // 2, self._room(stream))])

    def reset(self, stream: int, answer: Answer) -> None:
        """Send RST_STREAM instead of an answer."""
        self._http2.reset_stream(stream, answer.error_code)
        self.owed.discard(stream)

    def resume(self) -> None:
        """Continue sending, because the client's windows have changed."""
        for stream in list(self._unsent):
            with suppress(StreamClosedError, StreamIDTooLowError):  # the client has just cancelled it
                self._advance(stream)

    def forget(self, stream: int) -> None:
        """Drop a stream whose client no longer wants an answer."""
        self.owed.discard(stream)
        self._unsent.pop(stream, None)

    def _headers(self, stream: int, answer: Answer, body: bytes) -> None:
        fixed = ((":status", str(answer.status)), ("content-length", str(len(body))))
        self._http2.send_headers(stream, (*fixed, *answer.headers))

    def _room(self, stream: int) -> int:
        return min(self._http2.local_flow_control_window(stream), self._http2.max_outbound_frame_size)

    def _advance(self, stream: int) -> None:
        rest = self._unsent[stream]
        while rest and (room := self._room(stream)) > 0:
            chunk, rest = rest[:room], rest[room:]
            self._http2.send_data(stream, chunk, end_stream=not rest)
        if rest:
            self._unsent[stream] = rest
        else:
            self.forget(stream)
