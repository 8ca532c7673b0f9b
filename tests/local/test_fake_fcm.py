"""The fake FCM answers as FCM does and fails as networks do; the clients here are those that will meet it."""

import gc
import io
import json
import re
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import pycurl
import pytest
import requests
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request as TokenRequest
from google.oauth2 import service_account
from h2.errors import ErrorCodes

from local.standins.fcm import Answer, AtHeaders, FakeFcm, GoAway, Limits, Script, Share, answers

Serve = Callable[..., FakeFcm]
Client = Callable[[FakeFcm], httpx.Client]

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
HTTP2_STREAM_ERROR = 92
"""libcurl's CURLE_HTTP2_STREAM, which pycurl does not name."""
SCOPES = ["https://www.googleapis.com/auth/firebase.messaging"]
CONNECTION_ENDED = {pycurl.E_HTTP2, pycurl.E_SEND_ERROR, pycurl.E_RECV_ERROR, pycurl.E_SEND_FAIL_REWIND}
CUT_SHORT = pycurl.E_PARTIAL_FILE
BRIEFLY = httpx.Timeout(10, read=0.05)


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(FakeFcm(**{"accept_any_access_token": True, **options}))


@pytest.fixture
def connect() -> Iterator[Client]:
    with ExitStack() as stack:

        def make(fcm: FakeFcm) -> httpx.Client:
            trust = ssl.create_default_context(cafile=str(fcm.ca_file))
            headers = {"authorization": "Bearer anything"}
            return stack.enter_context(httpx.Client(http2=True, verify=trust, headers=headers, trust_env=False))

        yield make


def message(token: str, **more: Any) -> dict[str, Any]:
    return {"message": {"token": token, "notification": {"title": "Hello"}, **more}}


def post(client: httpx.Client, fcm: FakeFcm, token: str = "t1", **more: Any) -> httpx.Response:
    return client.post(fcm.send_url, json=message(token, **more))


def account_of(fcm: FakeFcm) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(fcm.service_account_file.read_text(encoding="utf-8")))


def sender(account: dict[str, Any]) -> service_account.Credentials:
    made = service_account.Credentials.from_service_account_info(account, scopes=SCOPES)  # type: ignore[no-untyped-call]
    return cast("service_account.Credentials", made)


def refresh(credentials: service_account.Credentials, session: requests.Session) -> None:
    credentials.refresh(TokenRequest(session))  # type: ignore[no-untyped-call]


def answered(fcm: FakeFcm) -> list[tuple[str, str]]:
    return [(request.token, request.answered) for request in fcm.requests]


def curl(fcm: FakeFcm, token: str, *, rewindable: bool = True, body_bytes: int = 0) -> Any:
    """A request that libcurl may send again by itself, or with a body that it cannot rewind."""
    body = json.dumps(message(token, data={"filler": "x" * body_bytes})).encode()
    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, fcm.send_url)
    handle.setopt(pycurl.CAINFO, str(fcm.ca_file))
    handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2_0)
    handle.setopt(pycurl.HTTPHEADER, ["Authorization: Bearer anything", "Content-Type: application/json"])
    handle.setopt(pycurl.PIPEWAIT, 1)
    handle.setopt(pycurl.TIMEOUT_MS, 10_000)
    handle.setopt(pycurl.WRITEFUNCTION, len)
    if rewindable:
        handle.setopt(pycurl.POSTFIELDS, body)
    else:
        handle.setopt(pycurl.POST, 1)
        handle.setopt(pycurl.POSTFIELDSIZE, len(body))
        handle.setopt(pycurl.READFUNCTION, io.BytesIO(body).read)
    return handle


class Curls:
    """Requests of libcurl that go out together, over one connection unless told otherwise."""

    def __init__(self, connections: int = 1) -> None:
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, connections)

    def perform(self, *handles: Any) -> list[int]:
        """The HTTP status of each, or the negative of libcurl's error code."""
        outcomes: dict[Any, int] = {}
        for handle in handles:
            self._multi.add_handle(handle)
        while len(outcomes) < len(handles):
            self._multi.perform()
            _, good, bad = self._multi.info_read()
            outcomes.update({handle: handle.getinfo(pycurl.RESPONSE_CODE) for handle in good})
            outcomes.update({handle: -code for handle, code, _ in bad})
            if not good and not bad:
                self._multi.select(1.0)
        for handle in handles:
            self._multi.remove_handle(handle)
        return [outcomes[handle] for handle in handles]

    def close(self) -> None:
        self._multi.close()


@pytest.fixture
def curls() -> Iterator[Callable[..., Curls]]:
    with ExitStack() as stack:

        def make(connections: int = 1) -> Curls:
            together = Curls(connections)
            stack.callback(together.close)
            return together

        yield make


def test_a_message_is_recorded_and_answered_with_its_name(serve: Serve, connect: Client) -> None:
    fcm = serve(project="shop")
    response = post(connect(fcm), fcm, "t1", data={"a": "b"})
    assert response.http_version == "HTTP/2"
    assert response.status_code == 200
    assert re.fullmatch(r"projects/shop/messages/\S+", response.json()["name"])
    [request] = fcm.requests
    assert (request.token, request.connection, request.answered) == ("t1", 1, "SENT")
    assert request.body == message("t1", data={"a": "b"})
    assert request.headers[":path"] == "/v1/projects/shop/messages:send"
    assert request.headers["content-type"] == "application/json"
    assert "authorization" not in request.headers
    assert "anything" not in repr(request)
    assert (fcm.seen, fcm.partial, fcm.refused, fcm.connections, fcm.issued_tokens) == (1, 0, 0, 1, 0)


@pytest.mark.parametrize("field", ["validate_only", "validateOnly"])
def test_a_dry_run_is_answered_with_the_fake_message_id(serve: Serve, connect: Client, field: str) -> None:
    fcm = serve()
    response = connect(fcm).post(fcm.send_url, json={**message("t1"), field: True})
    assert response.json() == {"name": "projects/demo/messages/fake_message_id"}


@pytest.mark.parametrize(
    ("answer", "code", "status", "error_code"),
    [
        (answers.UNREGISTERED, 404, "NOT_FOUND", "UNREGISTERED"),
        (answers.SENDER_ID_MISMATCH, 403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"),
        (answers.INVALID_TOKEN, 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
        (answers.INVALID_PAYLOAD, 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
        (answers.quota_exceeded(), 429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"),
        (answers.project_quota_exceeded(), 429, "RESOURCE_EXHAUSTED", None),
        (answers.unavailable(), 503, "UNAVAILABLE", "UNAVAILABLE"),
        (answers.INTERNAL, 500, "INTERNAL", "INTERNAL"),
        (answers.THIRD_PARTY_AUTH_ERROR, 401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"),
        (answers.UNAUTHENTICATED, 401, "UNAUTHENTICATED", None),
        (answers.PERMISSION_DENIED, 403, "PERMISSION_DENIED", None),
    ],
    ids=lambda value: value.name if isinstance(value, Answer) else "",
)
def test_an_error_has_the_status_and_the_details_that_fcm_gives_it(
    serve: Serve, connect: Client, answer: Answer, code: int, status: str, error_code: str | None
) -> None:
    fcm = serve(script=Script(default=answer))
    response = post(connect(fcm), fcm)
    error = response.json()["error"]
    codes = [detail["errorCode"] for detail in error["details"] if detail["@type"] == FCM_ERROR]
    assert (response.status_code, error["code"], error["status"]) == (code, code, status)
    assert codes == ([error_code] if error_code else [])
    assert "retry-after" not in response.headers
    assert answered(fcm) == [("t1", answer.name)]


def test_an_invalid_argument_names_the_field(serve: Serve, connect: Client) -> None:
    fcm = serve(script=Script(tokens={"bad": answers.INVALID_TOKEN}, default=answers.INVALID_PAYLOAD))
    client = connect(fcm)
    errors = [post(client, fcm, token).json()["error"] for token in ("bad", "good")]
    assert [error["message"] for error in errors] == [
        "The registration token is not a valid FCM registration token",
        "Android message is too big",
    ]
    assert [error["details"][1]["fieldViolations"][0]["field"] for error in errors] == ["message.token", "message"]


@pytest.mark.parametrize(
    ("retry_after", "header"),
    [
        (7, "7"),
        (datetime(2026, 11, 23, 12, 0, 5, tzinfo=UTC), "Mon, 23 Nov 2026 12:00:05 GMT"),
        ("soon", "soon"),
    ],
)
@pytest.mark.parametrize("make", [answers.quota_exceeded, answers.unavailable, answers.project_quota_exceeded])
def test_retry_after_is_seconds_a_date_or_whatever_the_test_wants(
    serve: Serve, connect: Client, make: Callable[[Any], Answer], retry_after: Any, header: str
) -> None:
    fcm = serve(script=Script(default=make(retry_after)))
    assert post(connect(fcm), fcm).headers["retry-after"] == header


@pytest.mark.parametrize(
    ("answer", "code"), [(answers.HTML_OK, 200), (answers.HTML_NOT_FOUND, 404), (answers.HTML_BAD_GATEWAY, 502)]
)
def test_garbage_is_a_page_of_html(serve: Serve, connect: Client, answer: Answer, code: int) -> None:
    fcm = serve(script=Script(default=answer))
    response = post(connect(fcm), fcm)
    assert (response.status_code, response.headers["content-type"]) == (code, "text/html; charset=UTF-8")
    assert response.text.startswith("<!DOCTYPE html>")


def test_what_is_no_send_request_is_refused_and_recorded(serve: Serve, connect: Client) -> None:
    fcm = serve()
    client = connect(fcm)
    statuses = [
        client.post(f"{fcm.endpoint}/v1/projects/other/messages:send", json=message("t1")).status_code,
        client.post(f"{fcm.endpoint}/fcm/send", json=message("t1")).status_code,
        client.post(f"{fcm.endpoint}/v1/projects/demo/messages:sent", json=message("t1")).status_code,
        client.get(fcm.send_url).status_code,
        client.post(fcm.send_url, content=b"{").status_code,
    ]
    assert statuses == [403, 404, 404, 404, 400]
    assert [request.answered for request in fcm.requests] == [
        "PERMISSION_DENIED",
        "HTML_NOT_FOUND",
        "HTML_NOT_FOUND",
        "HTML_NOT_FOUND",
        "INVALID_JSON",
    ]


def test_a_tokens_own_answers_come_before_the_shares_and_those_before_the_first(
    serve: Serve, connect: Client
) -> None:
    quota = answers.quota_exceeded(1)
    fcm = serve(
        script=Script(
            tokens={"dead": answers.UNREGISTERED, "slow": [quota, answers.INTERNAL]},
            first=[answers.unavailable()],
        )
    )
    client = connect(fcm)
    for token in ("dead", "slow", "slow", "dead", "slow", "slow"):
        post(client, fcm, token)
    assert [name for _, name in answered(fcm)] == [
        "UNREGISTERED",
        "QUOTA_EXCEEDED",
        "INTERNAL",
        "UNREGISTERED",
        "UNAVAILABLE",
        "SENT",
    ]
    fcm.script = Script(shares=[Share(of_tokens=1, answer=answers.INTERNAL, times=1)], first=[quota])
    assert [post(client, fcm, "slow").status_code for _ in range(3)] == [500, 429, 200]


def test_a_share_takes_its_part_of_the_tokens_and_the_same_ones_each_time(
    serve: Serve, curls: Callable[..., Curls]
) -> None:
    shares = [Share(of_tokens=0.2, answer=answers.UNREGISTERED), Share(of_tokens=0.1, answer=answers.INTERNAL)]
    fcm = serve(script=Script(shares=shares, seed=4))
    together = curls()
    statuses = [together.perform(*[curl(fcm, f"t{i}") for i in range(100)]) for _ in range(2)]
    assert statuses[0] == statuses[1]
    counts = Counter(statuses[0])
    assert 10 <= counts[404] <= 30
    assert 3 <= counts[500] <= 20
    assert counts.keys() == {200, 404, 500}


def test_shares_and_goaways_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 1"):
        Script(shares=[Share(of_tokens=0.7, answer=answers.INTERNAL), Share(of_tokens=0.4, answer=answers.SENT)])
    with pytest.raises(ValueError, match="cannot leave 3 of 2"):
        GoAway(after_requests=2, unprocessed=3)


def test_a_service_account_gets_numbered_tokens_that_are_accepted(serve: Serve, connect: Client) -> None:
    fcm = serve(accept_any_access_token=False)
    credentials = sender(account_of(fcm))
    client = connect(fcm)
    with requests.Session() as session:
        for _ in range(2):
            refresh(credentials, session)
            client.headers["authorization"] = f"Bearer {credentials.token}"
            assert post(client, fcm).status_code == 200
    assert fcm.issued_tokens == 2
    assert [request.access_token for request in fcm.requests] == [1, 2]
    assert credentials.expiry is not None


def test_the_token_endpoint_refuses_another_grant(serve: Serve) -> None:
    fcm = serve()
    account = account_of(fcm)
    assert httpx.post(account["token_uri"], data={"grant_type": "password"}, trust_env=False).status_code == 400
    account["token_uri"] = account["token_uri"].replace("/token", "/elsewhere")
    credentials = sender(account)
    with requests.Session() as session, pytest.raises(RefreshError, match="invalid_grant"):
        refresh(credentials, session)
    assert fcm.issued_tokens == 0


def test_an_access_token_that_is_unknown_expired_or_revoked_is_unauthenticated(serve: Serve, connect: Client) -> None:
    fcm = serve(accept_any_access_token=False)
    brief = serve(accept_any_access_token=False, access_token_seconds=0)
    client = connect(fcm)
    assert post(client, fcm).status_code == 401
    assert client.post(fcm.send_url, json=message("t1"), headers={"authorization": ""}).status_code == 401
    client.headers["authorization"] = f"Bearer {fcm.issue_token()}"
    assert post(client, fcm).status_code == 200
    fcm.revoke_tokens()
    assert post(client, fcm).status_code == 401
    client.headers["authorization"] = f"Bearer {fcm.issue_token()}"
    assert post(client, fcm).status_code == 200
    assert [request.access_token for request in fcm.requests] == [None, None, 1, 1, 2]

    expired = connect(brief)
    expired.headers["authorization"] = f"Bearer {brief.issue_token()}"
    assert post(expired, brief).json()["error"]["details"][0]["reason"] == "ACCESS_TOKEN_EXPIRED"
    assert answered(brief) == [("t1", "UNAUTHENTICATED")]


@pytest.mark.parametrize("answer", [answers.SENT, answers.UNREGISTERED, answers.HTML_BAD_GATEWAY])
def test_any_answer_may_come_late(serve: Serve, connect: Client, answer: Answer) -> None:
    fcm = serve(script=Script(default=answer.after(0.05)))
    response = post(connect(fcm), fcm)
    assert response.elapsed.total_seconds() >= 0.05
    assert answered(fcm) == [("t1", answer.name)]


@pytest.mark.parametrize("answer", [answers.DROPPED, answers.CLOSED, answers.CUT, answers.DROPPED.after(0.02)])
def test_a_connection_that_ends_leaves_one_request_and_no_answer(
    serve: Serve, connect: Client, answer: Answer
) -> None:
    fcm = serve(script=Script(first=[answer]))
    client = connect(fcm)
    with pytest.raises(httpx.TransportError):
        post(client, fcm, "t1")
    assert post(client, fcm, "t2").status_code == 200
    assert answered(fcm) == [("t1", answer.name), ("t2", "SENT")]
    assert (fcm.connections, fcm.partial) == (2, 0)


def test_a_cut_answer_has_its_headers_and_half_its_body(serve: Serve, connect: Client) -> None:
    fcm = serve(script=Script(default=answers.CUT))
    client = connect(fcm)
    with client.stream("POST", fcm.send_url, json=message("t1")) as response:
        chunks = response.iter_bytes()
        received = next(chunks)
        with pytest.raises(httpx.TransportError):
            next(chunks)
    assert response.status_code == 200
    assert len(received) == int(response.headers["content-length"]) // 2


def test_an_answer_that_never_comes_runs_into_the_clients_timeout(serve: Serve, connect: Client) -> None:
    fcm = serve(script=Script(tokens={"t1": answers.NEVER}))
    client = connect(fcm)
    with pytest.raises(httpx.ReadTimeout):
        client.post(fcm.send_url, json=message("t1"), timeout=BRIEFLY)
    assert answered(fcm) == [("t1", "NEVER")]


@pytest.mark.parametrize("code", [ErrorCodes.INTERNAL_ERROR, ErrorCodes.REFUSED_STREAM])
def test_a_stream_that_is_reset_leaves_the_connection_alone(serve: Serve, connect: Client, code: ErrorCodes) -> None:
    fcm = serve(script=Script(first=[answers.reset(code)]))
    client = connect(fcm)
    with pytest.raises(httpx.RemoteProtocolError, match=rf"error_code:.*{code.value}"):
        post(client, fcm, "t1")
    assert post(client, fcm, "t2").status_code == 200
    assert answered(fcm) == [("t1", f"RESET_{code.name}"), ("t2", "SENT")]
    assert fcm.connections == 1


def test_a_drop_at_the_headers_leaves_a_partial_request(serve: Serve, connect: Client) -> None:
    fcm = serve(script=Script(at_headers={1: AtHeaders.DROP}))
    client = connect(fcm)
    with pytest.raises(httpx.TransportError):
        post(client, fcm, "t1")
    assert post(client, fcm, "t2").status_code == 200
    assert answered(fcm) == [("t2", "SENT")]
    assert (fcm.partial, fcm.refused, fcm.connections) == (1, 0, 2)


def test_a_stream_refused_at_the_headers_is_not_recorded(serve: Serve, connect: Client) -> None:
    fcm = serve(script=Script(at_headers={2: AtHeaders.REFUSE}))
    client = connect(fcm)
    assert post(client, fcm, "t1").status_code == 200
    with pytest.raises(httpx.RemoteProtocolError):
        post(client, fcm, "t2")
    assert post(client, fcm, "t3").status_code == 200
    assert answered(fcm) == [("t1", "SENT"), ("t3", "SENT")]
    assert (fcm.partial, fcm.refused, fcm.connections) == (0, 1, 1)


def test_a_client_that_gives_up_in_the_middle_leaves_a_partial_request(serve: Serve, connect: Client) -> None:
    def broken() -> Iterator[bytes]:
        yield b'{"message":'
        assert fcm.wait_until(lambda: fcm.seen == 1)
        raise KeyError("the rest")

    fcm = serve()
    client = connect(fcm)
    with pytest.raises(KeyError):
        client.post(fcm.send_url, content=broken())
    client.close()
    assert fcm.wait_until(lambda: fcm.partial == 1)
    assert fcm.requests == []


def test_a_graceful_goaway_answers_all_and_moves_the_client_on(serve: Serve, curls: Callable[..., Curls]) -> None:
    fcm = serve(script=Script(default=answers.SENT.after(0.01), goaway=GoAway(after_requests=2, connections=2)))
    together = curls()
    assert [together.perform(curl(fcm, f"t{i}", rewindable=False)) for i in range(7)] == [[200]] * 7
    assert [request.connection for request in fcm.requests] == [1, 1, 2, 2, 3, 3, 3]
    assert (fcm.seen, fcm.partial, fcm.refused) == (7, 0, 0)


def test_a_hard_goaway_processes_none_above_its_last_stream(serve: Serve, curls: Callable[..., Curls]) -> None:
    fcm = serve(script=Script(default=answers.SENT.after(0.03), goaway=GoAway(after_requests=6, unprocessed=4)))
    outcomes = curls().perform(*[curl(fcm, f"t{i}", rewindable=False) for i in range(6)])
    assert outcomes == [200, 200] + 4 * [-pycurl.E_SEND_FAIL_REWIND]
    assert answered(fcm) == [("t0", "SENT"), ("t1", "SENT")]
    assert (fcm.partial, fcm.refused, fcm.connections) == (0, 4, 1)


def test_slow_reads_hold_the_client_back_until_the_body_is_whole(serve: Serve, connect: Client) -> None:
    limits = Limits(initial_window_bytes=20_000, window_update_delay_seconds=0.01)
    fcm = serve(limits=limits)
    client = connect(fcm)
    assert post(client, fcm, "t0").status_code == 200
    response = post(client, fcm, "t1", data={"filler": "x" * 100_000})
    assert response.status_code == 200
    assert response.elapsed.total_seconds() >= 0.04
    assert fcm.requests[1].body == message("t1", data={"filler": "x" * 100_000})


def test_streams_above_the_limit_are_refused(serve: Serve, curls: Callable[..., Curls]) -> None:
    fcm = serve(script=Script(default=answers.SENT.after(0.03)), limits=Limits(max_concurrent_streams=3))
    outcomes = curls().perform(*[curl(fcm, f"t{i}", rewindable=False) for i in range(5)])
    assert sorted(outcomes) == 2 * [-pycurl.E_SEND_FAIL_REWIND] + 3 * [200]
    assert (len(fcm.requests), fcm.refused) == (3, 2)


def test_many_large_requests_over_several_connections(serve: Serve, curls: Callable[..., Curls]) -> None:
    fcm = serve(limits=Limits(max_concurrent_streams=20))
    together = curls(connections=4)
    assert together.perform(*[curl(fcm, f"t{i}", body_bytes=40_000) for i in range(80)]) == [200] * 80
    assert len({request.token for request in fcm.requests}) == len(fcm.requests) == 80
    assert fcm.connections == 4
    assert len({(request.connection, request.stream) for request in fcm.requests}) == 80


def test_leaving_ends_open_connections_and_the_thread(connect: Client) -> None:
    with FakeFcm(script=Script(default=answers.NEVER), accept_any_access_token=True) as fcm:
        client = connect(fcm)
        with pytest.raises(httpx.ReadTimeout):
            client.post(fcm.send_url, json=message("t1"), timeout=BRIEFLY)
        files = (fcm.ca_file, fcm.service_account_file)
        fcm.script = Script(default=answers.SENT.after(60))
        with pytest.raises(httpx.ReadTimeout):
            client.post(fcm.send_url, json=message("t1"), timeout=BRIEFLY)
    assert "fake-fcm" not in [thread.name for thread in threading.enumerate()]
    assert not any(path.exists() for path in files)
    with pytest.raises(httpx.TransportError):
        post(client, fcm)
    gc.collect()


def test_a_fake_that_crashed_says_so(connect: Client) -> None:
    with (
        pytest.raises(RuntimeError, match="the fake FCM crashed"),
        FakeFcm(script=Script(default=cast("Answer", None)), accept_any_access_token=True) as fcm,
        pytest.raises(httpx.TransportError),
    ):
        post(connect(fcm), fcm)


def test_a_client_that_does_not_trust_the_certificate_is_only_a_connection(serve: Serve) -> None:
    fcm = serve()
    with httpx.Client(http2=True, trust_env=False) as client, pytest.raises(httpx.ConnectError):
        post(client, fcm)
    assert (fcm.connections, fcm.requests) == (1, [])


def test_libcurl_sends_over_http2(serve: Serve) -> None:
    fcm = serve()
    handle = curl(fcm, "t1")
    handle.perform()
    assert handle.getinfo(pycurl.RESPONSE_CODE) == 200
    assert handle.getinfo(pycurl.INFO_HTTP_VERSION) == pycurl.CURL_HTTP_VERSION_2_0
    assert answered(fcm) == [("t1", "SENT")]


@pytest.mark.parametrize("answer", [answers.DROPPED, answers.CLOSED, answers.CUT])
def test_libcurl_reports_an_ended_connection_and_sends_a_body_without_rewind_once(
    serve: Serve, curls: Callable[..., Curls], answer: Answer
) -> None:
    fcm = serve(script=Script(tokens={"t1": answer}))
    together = curls()
    assert together.perform(curl(fcm, "warm")) == [200]
    [outcome] = together.perform(curl(fcm, "t1", rewindable=False))
    assert -outcome in ({CUT_SHORT} if answer is answers.CUT else CONNECTION_ENDED)
    assert answered(fcm) == [("warm", "SENT"), ("t1", answer.name)]


def test_libcurl_reports_a_reset_stream_as_such(serve: Serve, curls: Callable[..., Curls]) -> None:
    fcm = serve(script=Script(default=answers.reset()))
    assert curls().perform(curl(fcm, "t1")) == [-HTTP2_STREAM_ERROR]
    assert answered(fcm) == [("t1", "RESET_INTERNAL_ERROR")]


def test_libcurl_sends_a_refused_request_again_by_itself_where_it_can_rewind(
    serve: Serve, curls: Callable[..., Curls]
) -> None:
    fcm = serve(script=Script(first=[answers.reset(ErrorCodes.REFUSED_STREAM)]))
    assert curls().perform(curl(fcm, "t1")) == [200]
    assert answered(fcm) == [("t1", "RESET_REFUSED_STREAM"), ("t1", "SENT")]
