"""What a client does in one breath: it asks, and at once no longer wants to know."""

import json
import socket
import ssl
from urllib.parse import urlsplit

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ResponseReceived

from local.standins.fcm import FakeFcm


def test_a_request_withdrawn_as_soon_as_it_is_whole_leaves_the_connection_alone() -> None:
    with FakeFcm(accept_any_access_token=True) as fcm, _connected(fcm) as wire:
        http2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        http2.initiate_connection()
        _post(http2, fcm, stream=1, token="withdrawn")
        http2.reset_stream(1)
        _post(http2, fcm, stream=3, token="meant")
        wire.sendall(http2.data_to_send())
        assert _first_answer(http2, wire) == 3
        assert [request.token for request in fcm.requests] == ["withdrawn", "meant"]


def _connected(fcm: FakeFcm) -> ssl.SSLSocket:
    trust = ssl.create_default_context(cafile=str(fcm.ca_file))
    trust.set_alpn_protocols(["h2"])
    address = urlsplit(fcm.send_url)
    plain = socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=20)
    return trust.wrap_socket(plain, server_hostname=address.hostname)


def _post(http2: H2Connection, fcm: FakeFcm, *, stream: int, token: str) -> None:
    address = urlsplit(fcm.send_url)
    named = {":method": "POST", ":path": address.path, ":scheme": "https", ":authority": address.netloc}
    http2.send_headers(
        stream, [*named.items(), ("authorization", "Bearer any"), ("content-type", "application/json")]
    )
    body = {"message": {"token": token, "notification": {"title": "Hello"}}}
    http2.send_data(stream, json.dumps(body).encode(), end_stream=True)


def _first_answer(http2: H2Connection, wire: ssl.SSLSocket) -> int | None:
    while data := wire.recv(65_536):
        for event in http2.receive_data(data):
            if isinstance(event, ResponseReceived):
                return event.stream_id
        wire.sendall(http2.data_to_send())
    return None
