"""The rules of generate_new_user_waterfall, one example each."""

from dataclasses import replace
from pathlib import Path

import pytest

from audience_jobs.errors import CheckFailed
from tests.audience_jobs.marketplace import DuckDBEngine, find
from tests.audience_jobs.worlds import (
    LONG_AGO,
    NOW,
    Row,
    World,
    audiences,
    desires,
    hours_ago,
    item,
    offered,
    owns,
    put,
    shoe,
    together,
    user,
    wants,
)

JOB = "generate_new_user_waterfall"
SHOES = together(shoe("dunk", "Dunk Low"), shoe("jordan", "Jordan"), shoe("yeezy", "Yeezy"))


def new(user_id: str, **fields: object) -> Row:
    return user(user_id, **{"created_at": hours_ago(24), "bio": "hi", **fields})


def step(folder: Path, world: World, **arguments: object) -> dict[str, str]:
    """Give the audience of every user."""
    found = audiences(put(folder, world), JOB, **arguments)
    return {row["user_id"]: name for name, rows in found.items() for row in rows}


def target(folder: Path, *worlds: World) -> tuple[str, str]:
    """Give the shoe that Ann, who has a pair and a bio, seems to want most."""
    ann = {"users": [new("ann")]}
    found = audiences(put(folder, together(SHOES, ann, owns(item("c", "ann", "dunk", LONG_AGO)), *worlds)), JOB)
    ((row,),) = found.values()
    return row["top_target_shoe"], row["top_target_shoe_variantid"]


@pytest.mark.long
def test_each_step_taken_leads_to_the_next_audience(tmp_path: Path) -> None:
    world: World = {"users": [new("ann", bio=" \n")]}
    assert step(tmp_path, world) == {"ann": "no-shoes"}
    world = together(world, owns(item("c", "ann", "dunk", LONG_AGO)))
    assert step(tmp_path, world) == {"ann": "no-bio"}
    world["users"] = [new("ann")]
    assert step(tmp_path, world) == {"ann": "no-offers"}
    world = together(world, offered("o", "ann", hours_ago(2), "dunk"))
    assert step(tmp_path, world) == {"ann": "no-wishlist"}
    world = together(world, wants(item("w", "ann", "dunk", hours_ago(1))))
    assert step(tmp_path, world) == {"ann": "new-stars"}


def test_early_audiences_have_no_shoe_columns_and_the_level_counts_the_steps(tmp_path: Path) -> None:
    put(tmp_path, together({"users": [new("ann"), new("bo")]}, owns(item("c", "bo", "dunk", LONG_AGO))))
    ann = {"user_id": "ann", "username": "@ann", "firstName": "Ann", "new_user_level": "1"}
    bo = {"user_id": "bo", "username": "@bo", "firstName": "Bo", "new_user_level": "3"}
    nothing_known = {"top_target_shoe": "", "top_target_shoe_variantid": ""}
    assert audiences(tmp_path, JOB) == {"no-shoes": [ann], "no-offers": [bo | nothing_known]}


@pytest.mark.parametrize(("hours", "counts"), [(11.99, False), (12, True), (14 * 24, True), (14 * 24 + 1, False)])
def test_who_is_new_is_new_from_the_first_hour_to_the_last(tmp_path: Path, hours: float, counts: bool) -> None:
    world: World = {"users": [new("ann", created_at=hours_ago(hours))]}
    assert step(tmp_path, world) == ({"ann": "no-shoes"} if counts else {})


def test_the_deleted_and_the_nameless_are_left_out(tmp_path: Path) -> None:
    users = [new("ann", deleted_at=1), new("bo", first_name=" "), new("cy", deleted_at=None)]
    assert step(tmp_path, {"users": users}) == {}


@pytest.mark.long
def test_deleted_items_and_offers_count_as_steps_but_a_deleted_wish_does_not(tmp_path: Path) -> None:
    world = together(
        {"users": [new("ann")]},
        owns(item("c", "ann", "dunk", LONG_AGO, deleted_at=1)),
        offered("o", "ann", LONG_AGO, "dunk", deleted_at=1),
        wants(item("w", "ann", "dunk", LONG_AGO, deleted_at=1)),
    )
    assert step(tmp_path, world) == {"ann": "no-wishlist"}


@pytest.mark.long
def test_a_bio_needs_a_picture_where_the_recipe_says_so(tmp_path: Path) -> None:
    users = [new("ann", avatar_id="a-1"), new("bo")]
    world = together({"users": users}, owns(*(item(name, name, "dunk", LONG_AGO) for name in ("ann", "bo"))))
    assert step(tmp_path, world, requireAvatar=True) == {"ann": "no-offers", "bo": "no-bio"}


def test_a_user_who_is_there_twice_is_on_the_lower_step_both_times(tmp_path: Path) -> None:
    world = together({"users": [new("ann"), new("ann", bio=None)]}, owns(item("c", "ann", "dunk", LONG_AGO)))
    found = audiences(put(tmp_path, world), JOB)
    assert [row["user_id"] for row in found["no-bio"]] == ["ann", "ann"]
    assert list(found) == ["no-bio"]


@pytest.mark.long
def test_the_desired_shoe_with_most_offers_is_the_target_then_the_newest(tmp_path: Path) -> None:
    most = item("1", "ann", "jordan", LONG_AGO, offers_count=2)
    newest = item("2", "ann", "dunk", hours_ago(1), offers_count=2)
    fewer = item("3", "ann", "yeezy", hours_ago(0), offers_count=1)
    assert target(tmp_path, desires(fewer, most)) == ("Jordan", "jordan")
    assert target(tmp_path, desires(fewer, most, newest)) == ("Dunk Low", "dunk")


@pytest.mark.long
def test_without_desired_shoe_the_newest_offer_tells_and_then_the_newest_wish(tmp_path: Path) -> None:
    lost = desires(
        item("1", "ann", "yeezy", LONG_AGO, deleted_at=1, offers_count=9),
        item("2", "ann", "no-such-shoe", LONG_AGO, offers_count=9),
    )
    wish = wants(item("1", "ann", "dunk", hours_ago(5)), item("2", "ann", "yeezy", hours_ago(4)))
    older = offered("1", "ann", hours_ago(9), "dunk")
    newest = offered("2", "ann", hours_ago(8), "no-such-shoe", "jordan", "dunk")
    deleted = offered("3", "ann", hours_ago(7), "dunk", deleted_at=1)
    assert target(tmp_path, lost, wish, older, newest, deleted) == ("Jordan", "jordan")
    of_the_newest = offered("4", "ann", hours_ago(6), "no-such-shoe")
    assert target(tmp_path, lost, wish, older, of_the_newest) == ("Yeezy", "yeezy")


@pytest.mark.long
def test_a_shoe_that_left_the_shop_is_named_unknown_and_keeps_its_variant(tmp_path: Path) -> None:
    variant = {"product_variants": [{"id": "left", "product_id": "product-gone"}]}
    assert target(tmp_path, variant, offered("o", "ann", LONG_AGO, "left")) == ("Unknown Product", "left")


BROKEN = {
    "disjoint": ("UNION ALL SELECT 'new-stars', user_id, NULL, NULL, 5, NULL, NULL FROM whole", "two pushes"),
    "complete": ("EXCEPT ALL SELECT * FROM whole", "would be left out"),
    "monotone": ("EXCEPT ALL SELECT * FROM whole UNION ALL SELECT 'no-wishlist', id, '', '', 4, '', '' FROM users",
                 "later step"),
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("check", BROKEN)
def test_a_result_that_breaks_a_promise_of_the_waterfall_is_never_written(tmp_path: Path, check: str) -> None:
    put(tmp_path, {"users": [new("ann")]})
    change, complaint = BROKEN[check]
    job = find(JOB)
    broken = replace(job, sql=f"WITH whole AS ({job.sql}) SELECT * FROM whole {change}")
    with pytest.raises(CheckFailed, match=complaint) as failure, DuckDBEngine(tmp_path).run(broken, {}, now=NOW):
        pass
    assert (failure.value.check, failure.value.count) == (check, 1 if check != "monotone" else 2)


def test_a_window_that_cannot_hold_anybody_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match="lower min_hours or raise max_days"):
        step(tmp_path, {"users": [new("ann")]}, min_hours=48, max_days=1)
