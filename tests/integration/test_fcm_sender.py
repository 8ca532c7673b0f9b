"""The sender on the wire: what FCM reads, what each answer means, and that nothing is sent twice."""

import gc
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from functions.domain.errors import Misconfigured, QuotaExceeded, Transient
from functions.domain.push.outcomes import Chunk, Outcome
from functions.gcp.clock import SystemClock
from functions.gcp.fcm.sender import FcmSender
from functions.ports.sending import PushSender
from functions.settings import FcmSettings
from local.standins.fcm import Answer, AtHeaders, FakeFcm, GoAway, Limits, Script, Share, answers
from tests.conftest import MakeFcm
from tests.fcm import a_chunk, a_message, a_push, an_envelope, settings_for

SENT, UNKNOWN, NOT_SENT, DEAD = Outcome.SENT, Outcome.UNKNOWN, Outcome.NOT_SENT, Outcome.DEAD_TOKEN


def send(sender: PushSender, tokens: Sequence[str], **envelope: Any) -> list[Outcome]:
    [(_, outcomes)] = sender.send(an_envelope(**envelope), [a_chunk(tokens)])
    return list(outcomes)


def send_all(sender: PushSender, chunks: Sequence[Chunk]) -> tuple[dict[int, Sequence[Outcome]], Exception | None]:
    """Send chunks; return the outcomes of those that were taken, and what was raised after them."""
    told: dict[int, Sequence[Outcome]] = {}
    try:
        for number, outcomes in sender.send(an_envelope(), chunks):
            told[number] = outcomes
    except (Misconfigured, Transient) as error:
        return told, error
    return told, None


def assert_no_message_was_sent_twice(fcm: FakeFcm) -> None:
    counts = Counter(request.token for request in fcm.requests)
    assert [token for token, count in counts.items() if count > 1] == []


def test_fcm_reads_the_message_with_all_that_keeps_it_single_on_the_device(make_fcm: MakeFcm) -> None:
    fcm, sender = make_fcm()
    before = datetime.now(UTC).timestamp()
    assert send(sender, ["tok"]) == [SENT]
    [request] = fcm.requests
    message = request.body["message"]
    expires_at = int(message["apns"]["headers"].pop("apns-expiration"))
    key = an_envelope().collapse_key
    assert request.body == {
        "message": {
            "token": "tok",
            "notification": {"title": "Hallo Zoë 👟", "body": 'Größe "44"\n'},
            "data": {"deepLink": "https://kicks.example/ß?a=1", "tm": "daily_20261123T180000Z.2.0"},
            "android": {"ttl": "14400s", "priority": "HIGH", "notification": {"tag": key}},
            "apns": {"headers": {"apns-collapse-id": key, "apns-priority": "10"}},
            "webpush": {"headers": {"TTL": "14400", "Topic": key}},
            "fcm_options": {"analytics_label": "daily-2"},
        }
    }
    assert -1 < expires_at - 14_400 - before < 60
    assert request.headers["content-type"] == "application/json"


def test_a_message_without_a_link_names_only_its_push(make_fcm: MakeFcm) -> None:
    fcm, sender = make_fcm()
    chunk = Chunk(number=0, messages=[a_message("tok", deep_link=None)], most_per_second=1e9)
    list(sender.send(an_envelope(content=a_push()), [chunk]))
    assert fcm.requests[0].body["message"]["data"] == {"tm": "daily_20261123T180000Z.2.0"}


def test_texts_that_look_like_json_or_like_slots_arrive_as_they_are(make_fcm: MakeFcm) -> None:
    fcm, sender = make_fcm()
    hostile = ['"},"x":{"', "<token>", "<title><body>", "\x00\u2028\\", "\ud83d"]
    messages = [a_message(f"tok-{n}", title=text, body=text, deep_link=text) for n, text in enumerate(hostile)]
    list(sender.send(an_envelope(), [Chunk(number=0, messages=messages, most_per_second=1e9)]))
    read = {request.token: request.body["message"] for request in fcm.requests}
    assert [read[f"tok-{n}"]["notification"]["title"] for n in range(len(hostile))] == hostile
    assert [read[f"tok-{n}"]["data"]["deepLink"] for n in range(len(hostile))] == hostile


def test_a_dry_run_has_fcm_validate_only(make_fcm: MakeFcm) -> None:
    fcm, sender = make_fcm()
    assert send(sender, ["tok"], dry_run=True) == [SENT]
    assert fcm.requests[0].body["validate_only"] is True


def test_tests_and_live_pushes_of_one_execution_do_not_replace_each_other() -> None:
    keys = {an_envelope(push=push, test=test).collapse_key for push in (1, 2) for test in (True, False)}
    assert len(keys) == 4
    assert {len(key) for key in keys} == {32}


def test_an_analytics_label_has_at_most_fifty_characters_and_is_one_a_recipe_and_push() -> None:
    recipes = ["r" * 100, "r" * 99 + "s", "short"]
    labels = {an_envelope(recipe_id=recipe, push=push).analytics_label for recipe in recipes for push in (1, 20)}
    assert len(labels) == 6
    assert max(map(len, labels)) <= 50


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (answers.SENT, SENT),
        (answers.UNREGISTERED, DEAD),
        (answers.SENDER_ID_MISMATCH, Outcome.WRONG_PROJECT),
        (answers.INVALID_TOKEN, Outcome.BAD_MESSAGE),
        (answers.INVALID_PAYLOAD, Outcome.BAD_MESSAGE),
        (answers.INVALID_JSON, Outcome.BAD_MESSAGE),
        (answers.unavailable(), UNKNOWN),
        (answers.INTERNAL, UNKNOWN),
        (answers.HTML_BAD_GATEWAY, UNKNOWN),
        (answers.HTML_OK, UNKNOWN),
        (answers.DROPPED, UNKNOWN),
        (answers.CLOSED, UNKNOWN),
        (answers.CUT, UNKNOWN),
        (answers.reset(), UNKNOWN),
    ],
    ids=lambda value: value.name if isinstance(value, Answer) else value.value,
)
def test_each_answer_means_what_to_do_next(make_fcm: MakeFcm, answer: Answer, outcome: Outcome) -> None:
    fcm, sender = make_fcm(script=Script(tokens={"odd": answer}))
    assert send(sender, ["even"]) == [SENT]
    assert send(sender, ["odd"]) == [outcome]
    assert [request.token for request in fcm.requests] == ["even", "odd"]


@pytest.mark.parametrize("answer", [answers.DROPPED, answers.CLOSED, answers.reset()], ids=lambda answer: answer.name)
def test_a_connection_that_breaks_under_many_requests_repeats_none_of_them(make_fcm: MakeFcm, answer: Answer) -> None:
    share = Share(of_tokens=0.01, answer=answer)
    fcm, sender = make_fcm(script=Script(shares=[share]))
    tokens = [f"token-{number}" for number in range(600)]
    warm = send(sender, tokens[:100])
    told, error = send_all(sender, [a_chunk(tokens[start : start + 100], start) for start in range(100, 600, 100)])
    outcomes = [*warm, *(outcome for number in sorted(told) for outcome in told[number])]
    assert_no_message_was_sent_twice(fcm)
    assert error is None
    assert len(outcomes) == 600
    assert set(outcomes) <= {SENT, UNKNOWN}
    sure = {token for token, outcome in zip(tokens, outcomes, strict=True) if outcome is SENT}
    assert sure <= {request.token for request in fcm.requests if request.answered == answers.SENT.name}
    assert len(sure) > 100


def test_a_connection_that_breaks_before_a_request_is_whole_leaves_no_message_twice(make_fcm: MakeFcm) -> None:
    fcm, sender = make_fcm(script=Script(at_headers=dict.fromkeys((5, 70, 71, 150), AtHeaders.DROP)))
    tokens = [f"token-{number}" for number in range(300)]
    told, _ = send_all(sender, [a_chunk(tokens)])
    assert_no_message_was_sent_twice(fcm)
    sure = {token for token, outcome in zip(tokens, told[0], strict=True) if outcome is SENT}
    assert sure <= {request.token for request in fcm.requests}
    not_sent = {token for token, outcome in zip(tokens, told[0], strict=True) if outcome is NOT_SENT}
    assert not not_sent & {request.token for request in fcm.requests}


@pytest.mark.parametrize("unprocessed", [0, 20])
def test_a_server_that_goes_away_costs_no_second_request(make_fcm: MakeFcm, unprocessed: int) -> None:
    goaway = GoAway(after_requests=60, unprocessed=unprocessed, connections=3)
    fcm, sender = make_fcm(script=Script(goaway=goaway))
    tokens = [f"token-{number}" for number in range(500)]
    told, error = send_all(sender, [a_chunk(tokens[start : start + 100], start) for start in range(0, 500, 100)])
    outcomes = [outcome for number in sorted(told) for outcome in told[number]]
    assert_no_message_was_sent_twice(fcm)
    assert error is None
    assert len(outcomes) == 500
    assert set(outcomes) <= {SENT, UNKNOWN}
    assert outcomes.count(UNKNOWN) <= 3 * 100, "what was on its way on the connections that went away"


def test_slow_reads_hold_nothing_up_for_ever(make_fcm: MakeFcm) -> None:
    fcm, sender = make_fcm(limits=Limits(initial_window_bytes=200, window_update_delay_seconds=0.01))
    tokens = [f"token-{number}" for number in range(50)]
    assert send(sender, tokens) == [SENT] * 50
    assert_no_message_was_sent_twice(fcm)


@pytest.mark.long
def test_many_chunks_are_under_way_at_once_and_each_is_yielded_whole(make_fcm: MakeFcm) -> None:
    late = answers.SENT.after(2)  # a busy machine needs far less for the other chunks
    fcm, sender = make_fcm(script=Script(tokens={"0-0": late}, default=answers.SENT.after(0.02)))
    chunks = [a_chunk([f"{number}-{place}" for place in range(20)], number) for number in range(20)]
    yielded = [number for number, outcomes in sender.send(an_envelope(), chunks) if outcomes == [SENT] * 20]
    assert sorted(yielded) == list(range(20))
    assert yielded[0] != 0, "a chunk with a slow message holds up no other"
    assert len(fcm.requests) == 400


@pytest.mark.long
def test_a_chunk_is_taken_only_when_it_can_start(make_fcm: MakeFcm) -> None:
    _, sender = make_fcm(script=Script(default=answers.SENT.after(0.01)))
    taken: list[int] = []
    ended: list[int] = []
    furthest = 0

    def chunks() -> Iterator[Chunk]:
        nonlocal furthest
        for number in range(12):
            taken.append(number)
            furthest = max(furthest, len(taken) - len(ended))
            yield a_chunk([f"{number}-{place}" for place in range(200)], number)

    ended.extend(number for number, _ in sender.send(an_envelope(), chunks()))
    assert len(ended) == 12
    assert furthest <= 4


def test_a_quota_answer_stops_the_whole_sender_and_says_for_how_long(make_fcm: MakeFcm) -> None:
    fcm, sender = make_fcm(script=Script(first=[answers.SENT, answers.quota_exceeded(retry_after=7)]))
    told, error = send_all(sender, [a_chunk(["a"], 0), a_chunk(["b"], 1)])
    assert isinstance(error, QuotaExceeded)
    assert 0 < error.retry_after_seconds <= 7
    refused = [request.token for request in fcm.requests if request.answered != answers.SENT.name]
    outcomes = {token: told[number][0] for number, token in enumerate("ab")}
    assert outcomes == {token: NOT_SENT if token in refused else SENT for token in "ab"}
    before = len(fcm.requests)
    told, error = send_all(sender, [a_chunk(["c"])])
    assert (told, len(fcm.requests), type(error)) == ({}, before, QuotaExceeded)


@pytest.mark.parametrize(
    "answer", [answers.quota_exceeded(), answers.project_quota_exceeded()], ids=["of FCM", "of the project"]
)
def test_a_quota_answer_without_a_time_asks_for_a_minute(make_fcm: MakeFcm, answer: Answer) -> None:
    _, sender = make_fcm(script=Script(default=answer))
    told, error = send_all(sender, [a_chunk(["a"])])
    assert told == {0: [NOT_SENT]}
    assert isinstance(error, QuotaExceeded)
    assert 45 < error.retry_after_seconds <= 60


def test_an_overloaded_fcm_that_names_a_time_is_left_alone_until_then(make_fcm: MakeFcm) -> None:
    _, sender = make_fcm(script=Script(default=answers.unavailable(retry_after=5)))
    told, error = send_all(sender, [a_chunk(["a"])])
    assert told == {0: [UNKNOWN]}
    assert isinstance(error, QuotaExceeded)


@pytest.mark.parametrize(
    ("answer", "setting"),
    [
        (answers.unauthenticated(), "FCM_CREDENTIALS_FILE"),
        (answers.PERMISSION_DENIED, "GOOGLE_CLOUD_PROJECT"),
        (answers.HTML_NOT_FOUND, "FCM_ENDPOINT"),
        (answers.NO_SUCH_PROJECT, "FCM_ENDPOINT"),
        (replace(answers.UNREGISTERED, body=b'{"error": {"code": 404, "status": "UNREGISTERED"}}'), "FCM_ENDPOINT"),
        (
            replace(answers.SENDER_ID_MISMATCH, body=b'{"error": {"status": "PERMISSION_DENIED"}}'),
            "GOOGLE_CLOUD_PROJECT",
        ),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_what_every_message_would_fail_on_stops_the_sending(make_fcm: MakeFcm, answer: Answer, setting: str) -> None:
    _, sender = make_fcm(script=Script(default=answer))
    told, error = send_all(sender, [a_chunk([f"{n}-{place}" for place in range(100)], n) for n in range(10)])
    assert isinstance(error, Misconfigured)
    assert error.setting == setting
    assert len(told) < 5
    assert {outcome for outcomes in told.values() for outcome in outcomes} <= {Outcome.MISCONFIGURED, NOT_SENT}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (answers.SENDER_ID_MISMATCH, Outcome.WRONG_PROJECT),
        (answers.THIRD_PARTY_AUTH_ERROR, Outcome.THIRD_PARTY_AUTH),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_token_that_is_refused_for_a_setting_stops_no_other_message(
    make_fcm: MakeFcm, answer: Answer, outcome: Outcome
) -> None:
    _, sender = make_fcm(script=Script(tokens={"stray": answer}))
    told, error = send_all(sender, [a_chunk(["stray", *map(str, range(99))], 0), a_chunk(["more"], 1)])
    assert error is None
    assert told == {0: [outcome, *[SENT] * 99], 1: [SENT]}


def test_a_server_that_cannot_be_reached_leaves_everything_to_be_sent(make_fcm: MakeFcm) -> None:
    fcm, _ = make_fcm()
    closed = FcmSender(settings_for(fcm, endpoint="https://127.0.0.1:9"), SystemClock())
    told, error = send_all(closed, [a_chunk(["a", "b"], 0)])
    assert told == {0: [NOT_SENT, NOT_SENT]}
    assert isinstance(error, Transient)
    assert "FCM cannot be reached" in str(error)


def test_an_untrusted_certificate_gets_no_message(make_fcm: MakeFcm) -> None:
    fcm, _ = make_fcm()
    trusting_the_world = FcmSender(settings_for(fcm, ca_file=None), SystemClock())
    told, error = send_all(trusting_the_world, [a_chunk(["a"])])
    assert told == {0: [NOT_SENT]}
    assert isinstance(error, Transient)
    assert fcm.requests == []


@pytest.mark.long
def test_an_access_token_is_renewed_in_the_middle_of_a_shard(make_fcm: MakeFcm) -> None:
    # google-auth renews a token 225 s before it expires: this one lasts one second more than that.
    fcm, sender = make_fcm(access_token_seconds=226)
    chunk = a_chunk([str(number) for number in range(24)], most_per_second=10)
    [(_, outcomes)] = sender.send(an_envelope(), [chunk])
    assert list(outcomes) == [SENT] * 24
    assert fcm.issued_tokens >= 2
    assert 2 <= len({request.access_token for request in fcm.requests}) <= fcm.issued_tokens


def test_credentials_that_cannot_be_read_name_the_setting(make_fcm: MakeFcm, tmp_path: Path) -> None:
    fcm, _ = make_fcm()
    broken = tmp_path / "key.json"
    broken.write_text('{"type": "service_account"}')
    told, error = send_all(FcmSender(settings_for(fcm, credentials_file=broken), SystemClock()), [a_chunk(["a"])])
    assert told == {0: [NOT_SENT]}
    assert isinstance(error, Misconfigured)
    assert error.setting == "FCM_CREDENTIALS_FILE"


def test_messages_leave_no_faster_than_their_chunk_allows(make_fcm: MakeFcm) -> None:
    fcm, sender = make_fcm()
    send(sender, ["warm"])
    list(sender.send(an_envelope(), [a_chunk([str(number) for number in range(40)], most_per_second=50)]))
    times = [request.at_seconds for request in fcm.requests[1:]]
    assert times[-1] - times[0] > 0.6, "40 messages at 50 a second, with a burst of a few at the start"


def test_threads_send_at_once_over_connections_of_their_own(make_fcm: MakeFcm) -> None:
    fcm, sender = make_fcm()
    told: dict[int, list[Outcome]] = {}

    def work(number: int) -> None:
        told[number] = send(sender, [f"{number}-{place}" for place in range(100)])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == {number: [SENT] * 100 for number in range(4)}
    assert_no_message_was_sent_twice(fcm)


def test_a_reader_that_stops_leaves_nothing_behind_for_the_next(make_fcm: MakeFcm) -> None:
    fcm, sender = make_fcm(script=Script(tokens={"never": answers.NEVER}))
    reading = sender.send(an_envelope(), [a_chunk(["a"], 0), a_chunk(["never"], 1)])
    assert next(reading) == (0, [SENT])
    reading.close()  # type: ignore[attr-defined]
    assert send(sender, ["b"]) == [SENT]
    assert_no_message_was_sent_twice(fcm)


@pytest.mark.long
def test_a_send_that_the_garbage_collector_ends_leaves_nothing_behind_for_the_next(make_fcm: MakeFcm) -> None:
    _, sender = make_fcm(script=Script(tokens={"never": answers.NEVER}))

    def stop_reading() -> None:
        reading = sender.send(an_envelope(), [a_chunk(["a"], 0), a_chunk(["never"], 1)])
        assert next(reading) == (0, [SENT])
        circle: list[Any] = [reading]  # as an exception refers to its frames, and a frame to the exception
        circle.append(circle)

    for token in ("b", "c", "d"):
        stop_reading()
        gc.collect()
        assert send(sender, [token]) == [SENT]


def test_a_chunk_that_cannot_be_read_leaves_no_message_running_for_the_next_send(make_fcm: MakeFcm) -> None:
    _, sender = make_fcm(script=Script(tokens={"slow": answers.SENT.after(0.3)}))

    def chunks() -> Iterator[Chunk]:
        yield a_chunk(["slow"], 0)
        raise Transient("the storage is away")

    with pytest.raises(Transient, match="the storage is away"):
        list(sender.send(an_envelope(), chunks()))
    assert send(sender, ["b"]) == [SENT]


def test_another_project_is_a_misconfiguration(make_fcm: MakeFcm) -> None:
    fcm, _ = make_fcm()
    elsewhere: FcmSettings = settings_for(fcm, project="another")
    told, error = send_all(FcmSender(elsewhere, SystemClock()), [a_chunk(["a"])])
    assert told == {0: [Outcome.MISCONFIGURED]}
    assert isinstance(error, Misconfigured)
