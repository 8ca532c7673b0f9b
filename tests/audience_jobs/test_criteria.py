"""What an `audienceCriteria` may ask for, what it is told otherwise, and how it is said in words."""

from collections.abc import Mapping
from typing import Any

import pytest

from audience_jobs.criteria import Criteria
from audience_jobs.criteria_words import describe
from audience_jobs.errors import BadCriteria
from tests.audience_jobs.marketplace import FILTERS, read_criteria

ANN = "0b0e7a52-9f4e-4b0e-8f7a-00000000abcd"


def filters(**written: Any) -> Mapping[str, Any]:
    return {"filters": written}


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({}, "all users"),
        (filters(lastActiveDays=30), "users active in the last 30 days"),
        (filters(lastActiveDays=1), "users active in the last day"),
        (filters(daysSinceLastActive_inactive=14), "users not active in the last 14 days"),
        (filters(tradedInLastDays=7), "users who traded in the last 7 days"),
        (filters(notTradedInLastDays=90), "users who did not trade in the last 90 days"),
        (filters(minLifetimeTrades=1), "users with at least 1 trade"),
        (filters(maxLifetimeTrades=1000), "users with at most 1,000 trades"),
        (filters(minLifetimeTrades=2, maxLifetimeTrades=9), "users with 2 to 9 trades"),
        (filters(minLifetimeTrades=2, maxLifetimeTrades=2), "users with exactly 2 trades"),
        (filters(hasTrustedTrader=True), "users trusted traders"),
        (filters(hasTrustedTrader=False), "users not trusted traders"),
        (filters(isTrustedTraderCandidate=True), "users candidates for trusted trader"),
        (filters(isTrustedTraderCandidate=False), "users no candidates for trusted trader"),
        (filters(joinedAfterDate="2026-01-01"), "users joined after 2026-01-01"),
        (filters(joinedAfterDate="2026-01-01T09:30:00+02:00"), "users joined after 2026-01-01 07:30 UTC"),
        ({"manualUserIds": [ANN, ANN.upper()]}, "users among 1 given user id"),
        ({"manualUserIds": f"{ANN}, bob"}, "users among 2 given user ids"),
        ({"dataPacks": ["topTargetShoe"]}, "users with a top target shoe"),
        ({"dataPacks": ["hottestShoeTraded"]}, "users with a shoe of their own that was traded in the last 30 days"),
        ({"dataPacks": ["hottestShoeOffers"]}, "users with a shoe of their own with open offers of the last 7 days"),
        ({"customQuery": "SELECT id AS user_id FROM users"}, "users found by the recipe's own query"),
        (
            {
                "dataPacks": ["topTargetShoe"],
                **filters(
                    joinedAfterDate="2026-01-01", hasTrustedTrader=True, minLifetimeTrades=5, lastActiveDays=30
                ),
            },
            "users active in the last 30 days, with at least 5 trades, trusted traders, joined after 2026-01-01, "
            "with a top target shoe",
        ),
    ],
)
def test_criteria_are_said_in_words(written: Mapping[str, Any], words: str) -> None:
    assert describe(read_criteria(written)) == words


def test_the_names_of_old_recipes_mean_the_new_ones_wherever_they_stand() -> None:
    old = {
        "activityDays": 30,
        "tradingDays": 60,
        "minTrades": 5,
        "trustedTraderStatus": "non-trusted",
        "trustedTraderCandidate": "candidate",
    }
    new = filters(
        lastActiveDays=30,
        tradedInLastDays=60,
        minLifetimeTrades=5,
        hasTrustedTrader=False,
        isTrustedTraderCandidate=True,
    )
    assert read_criteria(old) == read_criteria({"filters": old}) == read_criteria(new)
    assert read_criteria({**new, **old}) == read_criteria(new), "the same said twice is no contradiction"


@pytest.mark.parametrize(
    "written",
    [
        {"activityDays": 0, "tradingDays": 0, "minTrades": 0, "trustedTraderStatus": "any", "filters": {}},
        {"trustedTraderCandidate": "all", "dataPacks": [], "manualUserIds": [], "customQuery": " "},
        {"filters": None, "dataPacks": {"topTargetShoe": False}, "manualUserIds": ["", ""], "customQuery": None},
        {"filters": {"lastActiveDays": "", "joinedAfterDate": ""}, "description": "kept", "activityDays": None},
    ],
)
def test_what_old_forms_wrote_for_no_choice_asks_for_nothing(written: Mapping[str, Any]) -> None:
    assert read_criteria(written) == Criteria()
    assert not read_criteria(written).narrows


def test_data_packs_are_a_list_or_what_old_forms_ticked() -> None:
    ticked = {"topTargetShoe": True, "hottestShoeOffers": True, "hottestShoeTraded": False}
    listed = ["topTargetShoe", "hottestShoeOffers", "topTargetShoe"]
    assert read_criteria({"dataPacks": ticked}) == read_criteria({"dataPacks": listed})


@pytest.mark.parametrize(
    ("written", "field", "reason"),
    [
        (
            filters(lastActiveDays=-1),
            "filters.lastActiveDays",
            "must be a whole number of days from 1 to 36500, got -1",
        ),
        (filters(lastActiveDays=0), "filters.lastActiveDays", "from 1 to"),
        (filters(tradedInLastDays="30"), "filters.tradedInLastDays", 'got "30"'),
        (filters(notTradedInLastDays=2.5), "filters.notTradedInLastDays", "must be a whole number"),
        (filters(daysSinceLastActive_inactive=True), "filters.daysSinceLastActive_inactive", "got true"),
        (filters(minLifetimeTrades=-1), "filters.minLifetimeTrades", "from 0 to"),
        (filters(maxLifetimeTrades=10**30), "filters.maxLifetimeTrades", "from 0 to 1000000000"),
        (filters(hasTrustedTrader="yes"), "filters.hasTrustedTrader", 'must be true or false, got "yes"'),
        (filters(isTrustedTraderCandidate=1), "filters.isTrustedTraderCandidate", "must be true or false"),
        (filters(joinedAfterDate="last tuesday"), "filters.joinedAfterDate", "must be a date YYYY-MM-DD"),
        (filters(joinedAfterDate="2026-02-30"), "filters.joinedAfterDate", "must be a date YYYY-MM-DD"),
        (filters(joinedAfterDate=20260101), "filters.joinedAfterDate", "must be a date YYYY-MM-DD"),
        (filters(joinedAfterDate="0001-01-01T00:00:00+09:00"), "filters.joinedAfterDate", "must be a date"),
        (filters(minLifetimeTrade=1), "filters.minLifetimeTrade", "did you mean 'minLifetimeTrades'?"),
        ({"filters": ["lastActiveDays"]}, "filters", 'must be an object, got ["lastActiveDays"]'),
        ({"activityDays": -3}, "activityDays", "must be a whole number of days"),
        ({"trustedTraderStatus": "maybe"}, "trustedTraderStatus", 'got "maybe"'),
        ({"activityDays": 9, **filters(lastActiveDays=7)}, "activityDays", "contradicts filters.lastActiveDays"),
        (
            filters(minLifetimeTrades=10, maxLifetimeTrades=5),
            "filters.minLifetimeTrades",
            "is 10, above filters.maxLifetimeTrades, which is 5",
        ),
        ({"minTrades": 10, **filters(maxLifetimeTrades=5)}, "minTrades", "above filters.maxLifetimeTrades"),
        (
            filters(lastActiveDays=30, daysSinceLastActive_inactive=30),
            "filters.daysSinceLastActive_inactive",
            "filters.lastActiveDays is 30, so that no user fits both",
        ),
        (filters(tradedInLastDays=7, notTradedInLastDays=30), "filters.notTradedInLastDays", "no user fits both"),
        ({"dataPacks": ["topTargetShoes"]}, "dataPacks", "did you mean 'topTargetShoe'?"),
        ({"dataPacks": [["topTargetShoe"]]}, "dataPacks", "is not a data pack"),
        ({"dataPacks": {"topTargetShoe": "no"}}, "dataPacks", 'says "no" to "topTargetShoe"'),
        ({"dataPacks": "topTargetShoe"}, "dataPacks", "must be a list of data packs"),
        ({"manualUserIds": {ANN: True}}, "manualUserIds", "must be a list of user ids"),
        ({"manualUserIds": [ANN, 7]}, "manualUserIds", "must be a list of texts; entry 2 is 7"),
        ({"manualUserIds": ["a\nb"]}, "manualUserIds", r'holds no user id at entry 1: "a\nb"'),
        ({"manualUserIds": ["nul\0"]}, "manualUserIds", "holds no user id at entry 1"),
        ({"customQuery": 1}, "customQuery", "must be a Unicode text, got 1"),
        ({"customQuery": "SELECT '\ud800' AS user_id"}, "customQuery", "must be a Unicode text"),
        (
            {"customQuery": f"SELECT id AS user_id {' ' * 60} FROM users -- \ud800"},
            "customQuery",
            "must be a Unicode",
        ),
        ({"filters": {"": 5}}, "filters.", "is an unknown filter"),
    ],
)
def test_what_cannot_be_understood_names_its_field_and_the_way_out(
    written: Mapping[str, Any], field: str, reason: str
) -> None:
    with pytest.raises(BadCriteria) as refused:
        read_criteria(written)
    [(found, why)] = refused.value.errors
    assert found == field
    assert reason in why


def test_every_field_at_fault_is_named_at_once() -> None:
    wrong: dict[str, Any] = {name: [] for name in FILTERS if name != "manualUserIds"}
    with pytest.raises(BadCriteria) as refused:
        read_criteria({"filters": wrong, "dataPacks": 1, "manualUserIds": 1, "customQuery": []})
    fields = [field for field, _ in refused.value.errors]
    assert fields == [*(f"filters.{name}" for name in wrong), "manualUserIds", "dataPacks", "customQuery"]
