"""The rules of generate_layer_3_push_csvs, one example each."""

from pathlib import Path

import pytest

from audience_jobs.errors import CheckFailed
from tests.audience_jobs.worlds import (
    LONG_AGO,
    World,
    audiences,
    hours_ago,
    item,
    offered,
    owns,
    put,
    shoe,
    together,
    user,
    wants,
    wears,
)

JOB = "generate_layer_3_push_csvs"
POPULAR = together(
    shoe("dunk", "Dunk Low"),
    {"users": [user("ann"), user("old")]},
    wears("ann", "9.5"),
    owns(*(item(f"closet-{n}", "old", "dunk", LONG_AGO) for n in range(3))),
    wants(*(item(f"wish-{n}", "old", "dunk", LONG_AGO) for n in range(2))),
)
"""Ann, who has done nothing lately, and a shoe at hand and wanted just often enough."""


def who(folder: Path, world: World, **arguments: object) -> dict[str, list[str]]:
    found = audiences(put(folder, world), JOB, **arguments)
    return {name: [row["user_id"] for row in rows] for name, rows in found.items()}


def test_an_offer_creator_gets_every_column(tmp_path: Path) -> None:
    seen = {"user_activities": [{"user_id": "ann", "last_active": hours_ago(h)} for h in (3, 2)]}
    put(tmp_path, together(POPULAR, offered("o", "ann", hours_ago(24), "dunk"), seen))
    assert audiences(tmp_path, JOB) == {
        "recent-offer-creators": [
            {
                "user_id": "ann",
                "username": "@ann",
                "firstName": "Ann",
                "usersize": "9.5",
                "relevant_variant_size": "10",
                "product_name": "Dunk Low",
                "variantID": "dunk",
                "lastActive": "2026-11-23T16:00:00Z",
                "inventory_count": "3",
            }
        ]
    }


@pytest.mark.parametrize(("hours", "counts"), [(11.99, False), (12, True), (48, True), (48.01, False)])
def test_the_window_includes_both_of_its_ends(tmp_path: Path, hours: float, counts: bool) -> None:
    world = together(POPULAR, wants(item("w", "ann", "dunk", hours_ago(hours))))
    assert who(tmp_path, world) == ({"recent-wishlist-adders": ["ann"]} if counts else {})


def test_a_recipe_can_move_the_window(tmp_path: Path) -> None:
    world = together(POPULAR, wants(item("w", "ann", "dunk", hours_ago(60))))
    assert who(tmp_path, world, lookbackHours=72) == {"recent-wishlist-adders": ["ann"]}


def test_a_window_that_cannot_hold_anything_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match="lower cooling_hours or raise lookback_hours"):
        who(tmp_path, POPULAR, lookback_hours=1, cooling_hours=2)


@pytest.mark.long
def test_an_offer_counts_before_a_newer_closet_item_and_that_before_a_newer_wish(tmp_path: Path) -> None:
    closet = owns(item("c", "ann", "dunk", hours_ago(20)))
    wish = wants(item("w", "ann", "dunk", hours_ago(13)))
    offer = offered("o", "ann", hours_ago(40), "dunk")
    assert who(tmp_path, together(POPULAR, wish, closet)) == {"recent-closet-adders": ["ann"]}
    assert who(tmp_path, together(POPULAR, wish, closet, offer)) == {"recent-offer-creators": ["ann"]}


def test_the_action_is_chosen_before_it_is_known_whether_it_is_kept(tmp_path: Path) -> None:
    """The offer of a rare shoe is not replaced by the wish for a popular one: the user is not pushed."""
    wish = wants(item("w", "ann", "dunk", hours_ago(13)))
    world = together(POPULAR, shoe("rare", "Rare"), wish, offered("o", "ann", hours_ago(40), "rare"))
    assert who(tmp_path, world) == {}


def test_the_newest_action_counts_and_the_lowest_id_of_two_at_the_same_time(tmp_path: Path) -> None:
    more = shoe("jordan", "Jordan"), owns(*(item(f"j{n}", "old", "jordan", LONG_AGO) for n in range(3)))
    wishes = wants(
        item("10", "ann", "dunk", hours_ago(20)),
        item("9", "ann", "jordan", hours_ago(20)),
        item("1", "ann", "dunk", hours_ago(21)),
    )
    rows = audiences(put(tmp_path, together(POPULAR, *more, wishes)), JOB)["recent-wishlist-adders"]
    assert [row["product_name"] for row in rows] == ["Jordan"]


def test_only_the_first_item_of_an_offer_counts(tmp_path: Path) -> None:
    world = together(POPULAR, offered("o", "ann", hours_ago(24), "no-such-shoe", "dunk"))
    assert who(tmp_path, world) == {}


def test_the_first_of_numbered_items_is_the_lowest_number(tmp_path: Path) -> None:
    offer = offered("o", "ann", hours_ago(24))
    items = [{"id": key, "offer_id": "o", "product_variant_id": v} for key, v in (("10", "gone"), ("9", "dunk"))]
    assert who(tmp_path, together(POPULAR, offer, {"offer_items": items})) == {"recent-offer-creators": ["ann"]}


@pytest.mark.parametrize("change", [{"deleted_at": 1763900000}, {"status": "IN_TRADE"}, {"deleted_at": None}])
def test_a_closet_item_that_is_gone_or_not_tradeable_is_no_action(tmp_path: Path, change: dict[str, object]) -> None:
    assert who(tmp_path, together(POPULAR, owns(item("c", "ann", "dunk", hours_ago(24), **change)))) == {}


def test_a_deleted_offer_is_no_action(tmp_path: Path) -> None:
    assert who(tmp_path, together(POPULAR, offered("o", "ann", hours_ago(24), "dunk", deleted_at=1))) == {}


@pytest.mark.parametrize("first_name", [None, "", "  ", "\u00a0\t", "\u3000\u200b"])
def test_a_user_without_first_name_is_left_out(tmp_path: Path, first_name: str | None) -> None:
    world = together(POPULAR, wears("bo", "10"), {"users": [user("bo", first_name=first_name)]})
    assert who(tmp_path, together(world, wants(item("w", "bo", "dunk", hours_ago(24))))) == {}


def test_a_user_without_size_or_deleted_is_left_out(tmp_path: Path) -> None:
    users = {"users": [user("bo"), user("cy", deleted_at=1763900000)]}
    wishes = wants(*(item(f"w-{name}", name, "dunk", hours_ago(24)) for name in ("bo", "cy")))
    assert who(tmp_path, together(POPULAR, users, wears("cy", "10"), wishes)) == {}


@pytest.mark.long
def test_the_size_is_the_preferred_one_with_the_lowest_id(tmp_path: Path) -> None:
    sizes = together(wears("ann", "10"), wears("ann", "8"))
    sizes["attribute_preferences"][1]["preferred"] = False
    world = together(POPULAR, sizes, wants(item("w", "ann", "dunk", hours_ago(24))))
    world["user_preferences"] = world["user_preferences"][:1]
    world["attributes"] = world["attributes"][:1]
    world["attribute_values"] = [{"id": "9.5", "value": "US 9.5"}, {"id": "10", "value": "US 10"}]
    rows = audiences(put(tmp_path, world), JOB)["recent-wishlist-adders"]
    assert [row["usersize"] for row in rows] == ["US 10"]  # "10" is shorter than "9.5", so it is the lower id


@pytest.mark.long
def test_items_of_deleted_users_and_deleted_items_do_not_count(tmp_path: Path) -> None:
    world = together(POPULAR, wants(item("w", "ann", "dunk", hours_ago(24))))
    assert who(tmp_path, world) == {"recent-wishlist-adders": ["ann"]}
    world["inventory_items"] = [{**row, "deleted_at": int(n == 0)} for n, row in enumerate(world["inventory_items"])]
    assert who(tmp_path, world) == {}
    by_the_deleted = owns(item("x", "gone", "dunk", LONG_AGO), item("y", "stranger", "dunk", LONG_AGO))
    assert who(tmp_path, together(world, by_the_deleted, {"users": [user("gone", deleted_at=1)]})) == {}


def test_closet_adders_are_kept_by_wishes_and_not_by_items(tmp_path: Path) -> None:
    world = together(POPULAR, owns(item("c", "ann", "dunk", hours_ago(24))))
    assert who(tmp_path, world) == {"recent-closet-adders": ["ann"]}
    assert who(tmp_path, {**world, "wishlist_items": world["wishlist_items"][:1]}) == {}


def test_ids_join_whatever_the_case_of_a_uuid(tmp_path: Path) -> None:
    lower, upper = "0b0e7a52-9f4e-4b0e-8f7a-00000000abcd", "0B0E7A52-9F4E-4B0E-8F7A-00000000ABCD"
    world = together(POPULAR, {"users": [user(upper, first_name="Bo")]}, wears(lower, "10"))
    world = together(world, wants(item("w", lower, "dunk", hours_ago(24))))
    assert who(tmp_path, world) == {"recent-wishlist-adders": [lower]}
