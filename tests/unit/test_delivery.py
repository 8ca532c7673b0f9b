"""Row outcomes and their sums, and the size of a payload."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.execution.safeguards import failure_finding
from functions.domain.push.fcm_message import message_writer
from functions.domain.push.outcomes import (
    EXCLUDED,
    FAILED,
    FAILURES,
    IN_DOUBT,
    INTENT,
    INTENT_AGAIN,
    LOST,
    LOST_AGAIN,
    NO_RULES,
    NOT_REACHED,
    ROW_CODE,
    SENT,
    THIRD_PARTY_AUTH,
    UNKNOWN,
    UNKNOWN_AGAIN,
    WRONG_PROJECT,
    Envelope,
    Exclusion,
    Message,
    Outcome,
    Tally,
    answered,
    excluded,
    intent,
    result,
    row_code,
    settled,
    tally,
    word,
)
from functions.domain.push.payload import PAYLOAD_LIMIT_BYTES, Payload
from functions.domain.recipe.push_fields import RecipePush


def parts(made: Tally) -> int:
    return made.sent + made.failed + made.unknown + made.not_reached + sum(made.excluded.values())


@given(st.binary(max_size=300))
def test_whatever_the_bytes_the_parts_sum_to_the_audience(outcomes: bytes) -> None:
    made = tally(outcomes)
    assert parts(made) == made.audience_size == len(outcomes)
    assert min(made.sent, made.failed, made.unknown, made.not_reached, *made.excluded.values(), 0) == 0


def test_each_byte_is_counted_as_what_it_is() -> None:
    made = tally(b"..ISSSFTUab")
    assert (made.not_reached, made.sent, made.failed, made.unknown, made.attempted) == (2, 3, 2, 2, 7)
    assert made.excluded == {"invalid_user_id": 1, "duplicate_user_id": 1}


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_the_tally_of_the_whole_is_the_sum_of_the_shards(shards: list[bytes]) -> None:
    assert sum(map(tally, shards), Tally()) == tally(b"".join(shards))


def test_the_stored_bytes_of_the_reasons_never_change() -> None:
    stored = {reason.value: chr(code) for reason, code in EXCLUDED.items()}
    assert stored == {
        "invalid_user_id": "a",
        "duplicate_user_id": "b",
        "opted_out": "c",
        "no_token": "d",
        "dead_token": "e",
        "missing_variable": "f",
        "payload_too_large": "g",
        "layer_3_cooldown": "h",
        "layer_5_cooldown": "i",
        "combined_l2_l3_limit": "j",
        "bad_link": "k",
    }
    assert not {NOT_REACHED, INTENT, SENT, FAILED, UNKNOWN} & set(EXCLUDED.values())
    assert set(EXCLUDED) == set(Exclusion)


@given(st.lists(st.sampled_from(Outcome), min_size=1, max_size=5))
def test_a_user_counts_as_sent_then_unknown_then_failed_whatever_the_order_of_devices(
    outcomes: list[Outcome],
) -> None:
    code = row_code(outcomes)
    assert code == row_code(outcomes[::-1])
    seen = {ROW_CODE[outcome] for outcome in outcomes}
    by_weight = (SENT, UNKNOWN, THIRD_PARTY_AUTH, WRONG_PROJECT, FAILED, NOT_REACHED)
    assert code == next(best for best in by_weight if best in seen)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_a_request_that_did_not_leave_is_still_to_be_sent(outcome: Outcome) -> None:
    assert (row_code([outcome]) == NOT_REACHED) == (outcome is Outcome.NOT_SENT)


def payload(link: str | None) -> Payload:
    """What measures the messages of a push, with a link or without one."""
    written = {"title": "", "body": "", "layerId": 1, "deepLink": None if link is None else "https://x.y"}
    return Payload(RecipePush.model_validate(written))


def payload_bytes(title: str, body: str, link: str | None) -> int:
    return payload(link).size(title, body, link)


def fits(title: str, body: str, link: str | None) -> bool:
    return payload(link).fits(title, body, link)


def test_a_payload_counts_bytes_as_json_writes_them() -> None:
    named = ',"data":{"tm":"' + "x" * 140 + '"}'
    assert payload_bytes("", "", None) == len('{"notification":{"title":"","body":""}' + named + "}")
    assert payload_bytes("é", "", None) - payload_bytes("e", "", None) == 1
    assert payload_bytes("🥾", "", None) - payload_bytes("", "", None) == 4
    assert payload_bytes('"', "", None) - payload_bytes("'", "", None) == 1, "an escaped quote is two bytes"
    assert payload_bytes("", "", "") - payload_bytes("", "", None) == len('"deepLink":"",')


@given(st.text(max_size=20), st.text(max_size=20), st.none() | st.text(max_size=20))
def test_a_payload_is_never_larger_than_counted(title: str, body: str, link: str | None) -> None:
    data = {"tm": "x" * 140} if link is None else {"deepLink": link, "tm": "x" * 140}
    document = {"notification": {"title": title, "body": body}, "data": data}
    written = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    assert len(written) == payload_bytes(title, body, link)


def test_the_longest_body_that_fits_is_found_to_the_byte() -> None:
    empty = payload_bytes("", "", None)
    assert payload_bytes("", "x" * (PAYLOAD_LIMIT_BYTES - empty), None) == PAYLOAD_LIMIT_BYTES
    assert payload_bytes("", "x" * (PAYLOAD_LIMIT_BYTES - empty + 1), None) > PAYLOAD_LIMIT_BYTES


def in_browsers(link: str | None, **content: Any) -> str | None:
    """The link of a message that a click in a browser opens; `{link}` stands for the user's own."""
    written = {"title": "", "body": "", "layerId": 1, "deepLink": link, **content}
    push = RecipePush.model_validate({name: value for name, value in written.items() if value is not None})
    envelope = Envelope(execution_id="a_b", recipe_id="a", push=1, content=push, test=False, dry_run=False)
    write = message_writer(envelope, datetime(2026, 3, 2, tzinfo=UTC), timedelta(hours=4))
    webpush: dict[str, dict[str, str]] = json.loads(write(Message("u", "t", "", "", link and "https://x.y/1")))[
        "webpush"
    ]
    return webpush.get("fcm_options", {}).get("link")


def test_a_click_in_a_browser_opens_the_link_if_it_is_https_for_all() -> None:
    icon = {"web": {"icon": "https://x.y/i.png"}}
    assert in_browsers("https://x.y/[[var:id]]", **icon) == "https://x.y/1"
    assert in_browsers("https://x.y", buttons=[{"id": "b", "title": "B"}]) == "https://x.y/1"
    assert in_browsers("https://x.y") is None, "a push without content for browsers is as before"
    for other in ("shop://x.y", "http://x.y", "[[var:link]]", "[[var:scheme]]://x.y", "https://[[var:host]]/x", None):
        assert in_browsers(other, **icon) is None


def test_a_link_for_browsers_counts_twice() -> None:
    written = {"title": "", "body": "", "layerId": 1, "deepLink": "https://x.y", "web": {"requireInteraction": True}}
    counted = Payload(RecipePush.model_validate(written))
    empty = counted.size("", "", "")
    assert counted.size("", "", "x" * 1_000) == empty + 2_000
    assert not counted.fits("", "", "x" * 2_000)


def test_half_a_character_is_counted_and_does_not_crash() -> None:
    assert payload_bytes("\ud800", "", None) == payload_bytes("abc", "", None)


def test_messages_of_one_push_share_a_tag_and_pushes_do_not() -> None:
    keys = {
        Envelope(execution_id=execution, recipe_id="r", push=push, test=False, dry_run=False).collapse_key
        for execution in ("a", "b")
        for push in (1, 2)
    }
    assert len(keys) == 4


def test_what_a_dead_worker_left_behind_is_unknown_but_no_failure_of_fcm() -> None:
    counted = tally(b"SSILLU")
    assert (counted.unknown, counted.lost) == (4, 3)
    assert failure_finding(tally(b"S" * 45 + b"L" * 45), 0.1) is None
    assert failure_finding(tally(b"S" * 45 + b"U" * 45), 0.1) is not None


def test_a_message_far_below_the_limit_fits_and_one_at_the_limit_is_counted() -> None:
    room = PAYLOAD_LIMIT_BYTES - payload_bytes("", "", "")
    assert fits("Hello", "Your shoe waits", "https://x.y")
    assert fits("a" * room, "", "")
    assert not fits("a" * (room + 1), "", "")
    assert fits("\x00" * (room // 6), "", ""), "a control character takes six bytes"
    assert not fits("\x00" * (room // 6 + 1), "", "")


@pytest.mark.long
@given(st.text(max_size=900), st.text(max_size=900), st.none() | st.text(max_size=900))
def test_fitting_is_the_same_as_counting(title: str, body: str, link: str | None) -> None:
    assert fits(title, body, link) == (payload_bytes(title, body, link) <= PAYLOAD_LIMIT_BYTES)


@pytest.mark.parametrize("before", [UNKNOWN, LOST])
def test_a_row_in_doubt_is_sent_a_second_time_and_no_third(before: int) -> None:
    assert before in IN_DOUBT
    assert intent(before) == INTENT_AGAIN
    after = {code: result(before, code) for code in (SENT, FAILED, UNKNOWN, NOT_REACHED)}
    assert {result(before, code) for code in FAILURES} == {UNKNOWN_AGAIN}
    assert after == {SENT: SENT, FAILED: UNKNOWN_AGAIN, UNKNOWN: UNKNOWN_AGAIN, NOT_REACHED: before}
    assert UNKNOWN_AGAIN not in IN_DOUBT
    assert settled(bytes([INTENT_AGAIN]))[0] not in IN_DOUBT


def test_a_row_that_was_not_sent_before_is_announced_and_answered_as_it_is() -> None:
    assert intent(NOT_REACHED) == INTENT
    assert [result(NOT_REACHED, code) for code in (SENT, FAILED, UNKNOWN, NOT_REACHED)] == [
        SENT,
        FAILED,
        UNKNOWN,
        NOT_REACHED,
    ]
    assert settled(bytes([INTENT]))[0] in IN_DOUBT


@pytest.mark.parametrize(("before", "after"), [(UNKNOWN, UNKNOWN_AGAIN), (LOST, LOST_AGAIN)])
def test_a_row_in_doubt_that_may_not_be_sent_again_stays_unknown(before: int, after: int) -> None:
    assert excluded(before, EXCLUDED[Exclusion.DEAD_TOKEN]) == after
    assert excluded(NOT_REACHED, EXCLUDED[Exclusion.DEAD_TOKEN]) == EXCLUDED[Exclusion.DEAD_TOKEN]


def test_requests_under_way_count_for_nothing_until_they_are_answered() -> None:
    assert tally(answered(b"SIIF.")) == Tally(audience_size=5, sent=1, failed=1)
    assert tally(answered(b"SJ")).lost == 1, "a row that is sent again stays what it was"


def test_every_byte_has_a_word_for_people() -> None:
    assert [word(code, NO_RULES) for code in b".SFPTULIJVMe"] == [
        ("not_reached", ""),
        ("sent", ""),
        ("failed", ""),
        ("failed", "wrong_project"),
        ("failed", "third_party_auth"),
        ("unknown", "no_answer"),
        ("unknown", "interrupted"),
        ("unknown", "under_way"),
        ("unknown", "under_way"),
        ("unknown", "no_answer"),
        ("unknown", "interrupted"),
        ("excluded", "dead_token"),
    ]


def test_bytes_of_a_newer_release_are_counted_and_named_and_none_counts_as_not_reached() -> None:
    counted = tally(b"S.xK")
    assert (counted.sent, counted.not_reached, counted.unknown, counted.excluded) == (1, 1, 1, {"other": 1})
    assert [word(code, NO_RULES) for code in b"xK"] == [("excluded", "other"), ("unknown", "")]
