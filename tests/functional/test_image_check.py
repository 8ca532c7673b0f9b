"""T-30 looks at the images of pushes: what the log says, what alerts, and what only a recipe that says so blocks."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.domain.execution.execution import Kind, State
from functions.domain.push.images import BadImage, Image, ImageFault, Look
from functions.usecases.by_hand.start import start_by_hand
from functions.usecases.dry_run.preview import preview
from functions.usecases.timeline import control
from local.memory.images import MemoryImages
from tests.factories import TESTER, push, recipe, user
from tests.functional.conftest import START_AT, Lab

IMAGE = "https://img.example/a.jpg"
VARYING = "https://img.example/[[var:shoe]].jpg"
GONE = BadImage(fault=ImageFault.STATUS, detail="404")
DOWN = BadImage(fault=ImageFault.UNREACHABLE, detail="no connection")
WEBP = Image(form="", declared="image/webp", bytes=2_000)


def of_shoe(number: int) -> str:
    return f"https://img.example/Shoe%20{number}.jpg"


def looking(lab: Lab, looks: Mapping[str, Look] | None = None, **options: Any) -> MemoryImages:
    """Let a laboratory look at images that a table answers for."""
    images = MemoryImages(looks or {}, **options)
    lab.ports = replace(lab.ports, images=images)
    return images


def saved(lab: Lab, *pushes: dict[str, Any], **changes: Any) -> None:
    lab.save(recipe(pushSequence=[push(number, **each) for number, each in enumerate(pushes, start=1)], **changes))


def notes(lab: Lab, execution: str = "") -> list[str]:
    """The lines of the log about images."""
    entries = lab.ports.logs.of(execution or lab.id)
    return [entry.message for entry in entries if "images" in entry.message]


def broken(lab: Lab) -> list[dict[str, Any]]:
    return [one for one in lab.report()["violations"] if one["type"] == "image_broken"]


def alerts(lab: Lab) -> list[str]:
    path = lab.state / "alerts.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [line for line in lines if "images that" in line]


@pytest.mark.slow
def test_an_image_for_all_is_loaded_once_and_its_egress_is_told(lab: Lab) -> None:
    images = looking(lab)
    saved(lab, {"image": IMAGE}, {"image": IMAGE}, {})
    lab.run_to_the_end()
    assert images.asked == [IMAGE]
    assert notes(lab) == [
        "images: 1 of 1 load; the largest has 40 KB; at most 1,200 x 600 pixels; "
        "expected egress 280 KB: 40 KB x 7 devices"
    ]
    assert lab.violations() == []
    assert len(lab.outbox(test=False)) == 9


@pytest.mark.slow
def test_each_address_of_the_users_is_loaded_once(lab: Lab) -> None:
    images = looking(lab, {of_shoe(2): Image(form="PNG", declared="", bytes=840_000, width=9, height=9)})
    saved(lab, {"image": VARYING}, {"image": VARYING}, {})
    lab.run_to_the_end()
    assert sorted(images.asked) == sorted(map(of_shoe, range(7)))
    [line] = notes(lab)
    assert "7 of 7 load; the largest has 840 KB" in line
    assert "expected egress 1.1 MB: 154 KB x 7 devices" in line


@pytest.mark.slow
def test_a_push_without_images_looks_at_none(lab: Lab) -> None:
    images = looking(lab)
    lab.run_to_the_end()
    assert images.asked == []
    assert notes(lab) == []


@pytest.mark.slow
def test_images_that_do_not_load_warn_once_for_each_trouble_and_change_nothing(lab: Lab) -> None:
    plain = {**{of_shoe(n): GONE for n in range(3)}, IMAGE: DOWN}
    looking(lab, plain)
    saved(lab, {"image": VARYING, "web": {"icon": IMAGE}}, {"image": IMAGE}, {})
    lab.run_to(START_AT)
    again = [lab.deliver("build_audience").status for _ in range(2)]
    lab.run_to_the_end()
    assert again == [200, 200]
    messages = {one["message"]: one["severity"] for one in broken(lab)}
    assert messages == {
        "images that cannot be loaded: 1 of 5 (no connection): web.icon of push 1 (https://img.example/a.jpg); "
        "image of push 2 (https://img.example/a.jpg); phones show the push without them": "warning",
        "images that are answered with an error: 3 of 5 (404): image of push 1 "
        "(https://img.example/[[var:shoe]].jpg); phones show the push without them": "warning",
    }
    assert len(alerts(lab)) == 2
    assert lab.report()["status"] == "completed"
    assert len(lab.outbox(test=False)) == 9
    lab.assert_contract()


def test_no_value_of_a_user_is_in_what_people_read(lab: Lab) -> None:
    looking(lab, {of_shoe(n): GONE for n in range(9)})
    saved(lab, {"image": VARYING})
    lab.run_to_the_end()
    read = json.dumps([notes(lab), broken(lab), alerts(lab)])
    assert "[[var:shoe]]" in read
    assert "Shoe%20" not in read


@pytest.mark.slow
@pytest.mark.parametrize("look", [GONE, DOWN, WEBP, Image(form="JPEG", declared="", bytes=2**21, width=9, height=9)])
def test_a_recipe_that_requires_images_is_blocked_by_one_that_does_not_load(look: Look, lab: Lab) -> None:
    looking(lab, {of_shoe(2): look})
    saved(lab, {"image": VARYING}, settings__safeguards={"requireImages": True})
    lab.run_to_the_end()
    execution = lab.execution()
    assert execution.state is State.BLOCKED
    assert "requireImages blocks the send" in (execution.reason or "")
    [violation] = broken(lab)
    assert (violation["severity"], violation["actionTaken"]) == ("critical", "blocked")
    assert "images: 3 of 4 load" in notes(lab)[0]
    assert lab.outbox() == []
    assert len(alerts(lab)) == 1


@pytest.mark.slow
def test_a_recipe_that_requires_images_is_sent_if_they_load(lab: Lab) -> None:
    looking(lab)
    saved(lab, {"image": VARYING}, settings__safeguards={"requireImages": True})
    lab.run_to_the_end()
    assert lab.report()["status"] == "completed"


@pytest.mark.slow
def test_icons_of_browsers_may_have_other_types_and_are_not_counted_as_egress(lab: Lab) -> None:
    looking(lab, {IMAGE: WEBP})
    saved(lab, {"web": {"icon": IMAGE, "badge": IMAGE}})
    lab.run_to_the_end()
    assert notes(lab) == ["images: 1 of 1 load; the largest has 2.0 KB"]
    assert lab.violations() == []


@pytest.mark.slow
def test_at_most_200_addresses_are_looked_at_and_each_push_gets_its_share(lab: Lab) -> None:
    images = looking(lab)
    lab.write_users({"a": range(600), "b": range(1_000, 1_600)})
    saved(lab, {"image": VARYING}, {"image": VARYING, "web": {"icon": IMAGE}})
    lab.run_to(START_AT)
    assert len(images.asked) == len(set(images.asked)) == 200
    assert images.asked.count(IMAGE) == 1
    numbers = [int(url.removesuffix(".jpg").partition("%20")[2]) for url in images.asked if url != IMAGE]
    assert [number < 600 for number in numbers] == [True] * 99 + [False] * 100
    [line] = notes(lab)
    assert "expected egress 48 MB: 40 KB x 1,200 devices" in line
    assert line.endswith("there are more that were not looked at")


def test_what_there_was_no_time_for_is_said_and_blocks_nothing(lab: Lab) -> None:
    looking(lab, most=3)
    saved(lab, {"image": VARYING}, settings__safeguards={"requireImages": True})
    lab.run_to_the_end()
    assert "3 of 3 load" in notes(lab)[0]
    assert "there was no time for 1 more" in notes(lab)[0]
    assert lab.report()["status"] == "completed"


def test_rows_that_get_no_message_have_no_image(lab: Lab) -> None:
    images = looking(lab)
    names = ("", "https://elsewhere.example/a.png", "http://img.example/a.png", "https://img.example/b.png")
    lab.write_rows([(user(n), name, "Name", "a") for n, name in enumerate(names)])
    lab.policy = replace(lab.policy, links=replace(lab.policy.links, images=("https://img.example",)))
    lab.restart()
    images = looking(lab)
    saved(lab, {"image": "[[var:shoe]]", "body": "Hello"})
    lab.run_to(START_AT)
    assert images.asked == ["https://img.example/b.png"]


@pytest.mark.slow
@pytest.mark.parametrize("ends", [True, False], ids=["cancelled", "found ready"])
def test_a_look_has_no_say_once_the_execution_has_gone_on_meanwhile(ends: bool, lab: Lab) -> None:
    """An operator cancels while images are loaded, or a repeat of the step that began later has found them all."""

    class Overtaken(MemoryImages):
        def look(self, urls: Sequence[str], within: timedelta) -> Mapping[str, Look]:
            if not self.asked:
                self.asked.append("once")
                if ends:
                    control.cancel(lab.ports, lab.id, "changed our minds")
                else:
                    assert lab.deliver("build_audience").status == 200
                return dict.fromkeys(urls, GONE)
            return super().look(urls, within)

    saved(lab, {"image": IMAGE}, settings__safeguards={"requireImages": True})
    lab.ports = replace(lab.ports, images=Overtaken())
    lab.run_to_the_end()
    assert lab.report()["status"] == ("cancelled" if ends else "completed")
    assert lab.violations() == []


@pytest.mark.slow
def test_where_no_image_is_looked_at_the_log_says_so(lab: Lab) -> None:
    saved(lab, {"image": IMAGE}, settings__safeguards={"requireImages": True})
    lab.run_to_the_end()
    assert notes(lab) == [
        "images are not looked at, although settings.safeguards.requireImages is true: IMAGE_CHECK is off"
    ]
    assert lab.report()["status"] == "completed"


def test_a_test_looks_at_images_without_egress(lab: Lab) -> None:
    images = looking(lab, {IMAGE: GONE})
    saved(lab, {"image": IMAGE})
    started = start_by_hand(lab.ports, "welcome", Kind.TEST, lab.clock.now())
    lab.run_to(lab.clock.now() + timedelta(minutes=30))
    assert images.asked == [IMAGE]
    assert notes(lab, started.id)[0] == "images: 0 of 1 load"
    assert "image_broken" in lab.violations(started.id)
    assert [line["userId"] for line in lab.outbox()] == [TESTER]


def test_a_dry_run_looks_at_none(lab: Lab) -> None:
    images = looking(lab, {IMAGE: GONE})
    assert preview(lab.ports, recipe(pushSequence=[push(1, image=IMAGE)]), test=False).valid
    assert images.asked == []
