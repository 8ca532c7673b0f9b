"""Lists with many sends: counts are complete, what another process changed shows, and limits are said."""

from dataclasses import replace
from datetime import datetime, timedelta

from functions.domain.execution.execution import Execution, PhaseTimes, State
from functions.domain.ids import execution_id
from functions.domain.push.outcomes import Tally
from functions.domain.recipe.timeline import Phase
from functions.usecases.recipes.save import delete_recipe
from functions.usecases.reports.week import last_week
from tests.factories import recipe
from tests.functional.conftest import EARLIER, Lab
from tests.functional.console.visitor import Visitor

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
TIMES = "\N{MULTIPLICATION SIGN}"
EVERY_5_MINUTES = {"timezone": "UTC", "frequency": "custom", "cronExpression": "*/5 * * * *"}


def sent(at: datetime, recipe_id: str = "welcome", *, state: State = State.COMPLETED) -> Execution:
    document = recipe(id=recipe_id, name=recipe_id.title(), schedule=EVERY_5_MINUTES)
    live = {Phase.LIVE_EXECUTION: PhaseTimes(started_at=at, ended_at=at)}
    return Execution(
        id=execution_id(recipe_id, at),
        recipe_id=recipe_id,
        recipe=document,
        send_at=at,
        created_at=at,
        claim="",
        state=state,
        phases=live,
        cleaned=state.final,
        people=3,
        people_reached=2,
        totals=Tally(audience_size=3, sent=2, failed=1),
    )


def fill(lab: Lab, recipe_id: str, day: datetime, sends: int) -> None:
    for number in range(sends):
        lab.ports.executions.create(sent(day + number * 5 * MINUTE, recipe_id))


def test_a_campaign_that_repeats_is_one_line_with_the_count_of_its_day(lab: Lab, visitor: Visitor) -> None:
    past = EARLIER.replace(month=2, day=10, hour=0, minute=0)
    fill(lab, "flash", past, 250)
    fill(lab, "other", past + MINUTE, 5)
    lab.save(recipe(id="flash", name="Flash", schedule=EVERY_5_MINUTES))
    month = visitor.get("/calendar?month=2026-02").text
    assert "255 sends. Times in UTC" in month
    assert f"00:00 Flash {TIMES}250" in month
    assert f"00:01 Other {TIMES}5" in month
    assert f"00:00 Flash {TIMES}288" in visitor.get("/calendar?month=2026-03").text.partition("Tuesday 3 March")[2]
    day = visitor.get("/calendar?day=2026-02-10").text
    assert day.count(" Flash ") + day.count(" Other ") >= 200


def test_the_order_by_last_send_says_how_many_sends_decide_it(lab: Lab, visitor: Visitor) -> None:
    said = "The newest 300 sends decide the order."
    fill(lab, "flash", EARLIER - 2 * DAY, 20)
    assert said not in visitor.get("/recipes?sort=last").text
    fill(lab, "flash", EARLIER - 4 * DAY, 290)
    fill(lab, "flash", EARLIER - DAY, 1)
    assert said in visitor.get("/recipes?sort=last").text


def test_the_week_reads_only_what_is_new_and_follows_what_changes(lab: Lab) -> None:
    executions = lab.ports.executions
    fill(lab, "flash", EARLIER - DAY, 30)
    executions.create(sent(EARLIER, state=State.LIVE))
    assert [day.numbers.sends for day in last_week(lab.ports).days[-2:]] == [30, 1]
    executions.create(sent(EARLIER, "flash"))
    executions.create(sent(EARLIER + MINUTE, "flash"))
    executions.create(sent(EARLIER - DAY - MINUTE))  # older than what was read
    executions.change(
        execution_id("welcome", EARLIER), lambda each: replace(each, state=State.COMPLETED, cleaned=True)
    )
    week = last_week(lab.ports)
    assert [day.numbers.sends for day in week.days[-2:]] == [31, 3]
    assert (week.total.sent, week.total.failed) == (68, 34)
    assert week.total.states == {State.COMPLETED: 34}


def test_a_list_shows_what_another_process_saved_and_deleted(lab: Lab, visitor: Visitor) -> None:
    assert "1 campaign" in visitor.get("/recipes").text
    for number in range(60):
        lab.clock.advance_to(EARLIER + number * timedelta(seconds=1))
        lab.save(recipe(id=f"new-{number}", name=f"New {number}"))
        if number in (0, 59):
            assert f"{number + 2} campaigns" in visitor.get("/recipes").text
    lab.save(recipe(id="new-0", name="Renamed"))
    delete_recipe(lab.ports, "new-1", by="ben@kicks.example")
    assert "60 campaigns" in visitor.get("/recipes").text
    assert "Renamed" in visitor.get("/recipes?q=renamed").text
    assert "No campaigns match" in visitor.get("/recipes?q=new-1x").text
    assert TIMES not in visitor.get("/calendar").text
