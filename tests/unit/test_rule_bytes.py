"""The bytes of cadence rules in the rows of an execution: what each release makes of them."""

from hypothesis import given
from hypothesis import strategies as st

from functions.domain.push.outcomes import EXCLUDED, NO_RULES, Exclusion, excluded, tally, word
from functions.domain.push.rule_bytes import BYTES, UNLISTED, code_of, document, read, rule_bytes

REASONS = st.lists(
    st.one_of(st.text(min_size=1, max_size=20).map("cadence:{}".format), st.sampled_from(sorted(Exclusion))),
    max_size=len(BYTES),
    unique=True,
)


@given(REASONS, st.binary(max_size=40))
def test_each_reason_is_read_as_it_was_written_by_the_list_of_its_execution(reasons: list[str], rows: bytes) -> None:
    rules = read(document(rule_bytes(reasons)))
    for reason in reasons:
        code = excluded(ord("."), code_of(reason, rules))
        assert word(code, rules) == ("excluded", reason)
        assert tally(bytes([code]), rules).excluded == {reason: 1}
    counted, older = tally(rows, rules), tally(rows)
    assert sum(counted.excluded.values()) == sum(older.excluded.values()), "only the words differ"
    assert (counted.sent, counted.failed, counted.unknown) == (older.sent, older.failed, older.unknown)


def test_a_release_without_the_list_reads_an_exclusion() -> None:
    assert {word(code, NO_RULES) for code in (*BYTES, UNLISTED)} == {("excluded", "other")}
    assert not {*BYTES, UNLISTED} & {*EXCLUDED.values(), *range(128)}, "reasons to come stay free to take a letter"


def test_a_rule_that_came_later_has_a_byte_of_its_own() -> None:
    rules = rule_bytes(["cadence:weekly"])
    assert code_of("cadence:new", rules) == UNLISTED
    assert tally(bytes([0xE0, UNLISTED, UNLISTED]), rules).excluded == {"cadence:weekly": 1, "other": 2}


def test_the_rules_of_the_marketplace_have_their_bytes_in_every_execution() -> None:
    words = ["layer_3_cooldown", "layer_5_cooldown", "combined_l2_l3_limit"]
    assert rule_bytes(words) == {}
    assert bytes(code_of(word, {}) for word in words) == b"hij"
