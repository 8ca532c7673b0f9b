"""What every SegmentStore does."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.domain.audience.segments import SUBJECT, Segment
from functions.domain.audit import Action, Deed
from functions.domain.errors import NotPossible

AT = datetime(2026, 11, 23, 18, tzinfo=UTC)
SAVED = Deed(by="ana@gym.example", at=AT, action=Action.SAVED)
VIPS = Segment(
    id="vips",
    name="VIPs 2026 \N{FIRE}",
    description="Who spends",
    where={"all": [{"column": "plan", "op": "one_of", "value": ["pro", "team"]}, {"not": {"did_not": "trained"}}]},
    updated_at=AT,
    updated_by="ana@gym.example",
)


def test_a_segment_is_read_as_it_was_written(ports: Any, open_ports: Any) -> None:
    assert ports.segments.get("vips") is None
    assert ports.segments.change("vips", lambda _: VIPS, SAVED) == VIPS
    assert open_ports().segments.get("vips") == VIPS
    assert ports.segments.get("not/an id") is None


def test_all_of_them_come_in_order_of_their_ids(ports: Any) -> None:
    for name in ("zed", "Abc", "mid_1"):
        ports.segments.change(name, lambda _, name=name: replace(VIPS, id=name), SAVED)
    assert [each.id for each in ports.segments.all()] == ["Abc", "mid_1", "zed"]


def test_a_change_is_in_the_audit_log_with_before_and_after(ports: Any) -> None:
    ports.segments.change("vips", lambda _: VIPS, SAVED)
    ports.segments.change("vips", lambda stored: replace(stored, name="Big spenders"), SAVED)
    ports.segments.change("vips", lambda _: None, replace(SAVED, action=Action.DELETED))
    deleted, changed, created = ports.audit.of_recipe(SUBJECT, most=5)
    assert (created.before, created.after["name"]) == (None, VIPS.name)
    assert (changed.before["name"], changed.after["name"]) == (VIPS.name, "Big spenders")
    assert (deleted.before["id"], deleted.after) == ("vips", None)
    assert ports.segments.all() == []


def test_a_change_that_fails_changes_nothing(ports: Any) -> None:
    def refuse(_: Segment | None) -> Segment:
        raise NotPossible("no")

    with pytest.raises(NotPossible):
        ports.segments.change("vips", refuse, SAVED)
    assert (ports.segments.get("vips"), list(ports.audit.of_recipe(SUBJECT, most=5))) == (None, [])
