"""A day of an integrator with the generated Python client: prints, as JSON, what each step came to.

It runs in the environment of the generated client, not in Tminus's: `scenario.py URL RECIPE`.
"""

# mypy: ignore-errors
# The client that it imports exists only while the test runs.

import json
import sys

from tminus_client import Client
from tminus_client.api.control import post_control
from tminus_client.api.executions import get_execution
from tminus_client.api.recipes import get_recipe, get_recipes, post_recipe, put_recipe, remove_recipe
from tminus_client.api.trials import get_test
from tminus_client.api.upkeep import get_version
from tminus_client.models import (
    AudienceCriteria,
    FilterFields,
    GetTestMode,
    Order,
    OrderAction,
    PushTiming,
    RecipeChanges,
    RecipeDocument,
    RecipePush,
    RecipeSchedule,
    RecipeScheduleFrequency,
    RecipeSettings,
    Refusal,
    SoundRecipe,
)

url, recipe_id = sys.argv[1:]
client, seen = Client(base_url=url), {}


def served(answer):
    """Return an answer that is not a refusal."""
    assert not isinstance(answer, Refusal), answer
    return answer


document = RecipeDocument(
    id=recipe_id,
    name="From a generated client",
    schedule=RecipeSchedule(
        timezone="Europe/Berlin",
        frequency=RecipeScheduleFrequency.WEEKLY,
        execution_time="18:30",
        days_of_week=[1, "friday"],
    ),
    push_sequence=[
        RecipePush(title="Hello [[var:firstName|there]]", body="First", layer_id=2),
        RecipePush(title="Once more", body="Second", layer_id=2, timing=PushTiming(delay_after_previous=5)),
    ],
    audience_criteria=AudienceCriteria(filters=FilterFields(last_active_days=365, min_lifetime_trades=0)),
    settings=RecipeSettings(test_user_ids=["00000000-0000-4000-8000-000000000001"]),
)
created = served(post_recipe.sync(client=client, body=document)).data
assert isinstance(created, SoundRecipe)
seen["created"] = [
    created.status,
    created.schedule.days_of_week,
    created.push_sequence[1].timing.delay_after_previous,
]

again = post_recipe.sync(client=client, body=document)
seen["taken id"] = again.code.value

read = get_recipe.sync_detailed(recipe_id, client=client)
changes = RecipeChanges(name="Edited", status="active")
edited = served(put_recipe.sync(recipe_id, client=client, body=changes, if_match=read.headers["ETag"])).data
seen["edited"] = [edited.name, edited.status, edited.schedule.days_of_week]
seen["changed meanwhile"] = put_recipe.sync(
    recipe_id, client=client, body=changes, if_match=read.headers["ETag"]
).code.value

broken = RecipeChanges.from_dict({"settings": {**document.settings.to_dict(), "safegards": {"maxAudienceSize": 5}}})
refused = put_recipe.sync(recipe_id, client=client, body=broken)
seen["misspelled"] = [refused.code.value, refused.errors[0].field, refused.errors[0].code.value]

seen["listed"] = [recipe.id for recipe in served(get_recipes.sync(client=client, limit=500)).data]
trial = served(get_test.sync(recipe_id, client=client, mode=GetTestMode.REAL_DRY_RUN)).data
seen["dry run"] = [trial.valid, len(trial.pushes), trial.totals.eligible > 0]

order = Order(action=OrderAction.EXECUTE_NOW, recipe_id=recipe_id)
[started] = served(post_control.sync(client=client, body=order, idempotency_key=recipe_id)).data.executions
seen["executed"] = started.status.value
order = Order(action=OrderAction.CANCEL, execution_id=started.execution_id, reason="wrong picture")
served(post_control.sync(client=client, body=order))
shown = served(get_execution.sync(recipe_id, started.execution_id, client=client)).data
seen["cancelled"] = [shown.status.value, shown.recipe_id]
order = Order(action=OrderAction.CANCEL, execution_id=f"{recipe_id}_20200101T000000Z")
seen["nothing to cancel"] = post_control.sync(client=client, body=order).code.value

seen["version"] = served(get_version.sync(client=client)).data.version
served(remove_recipe.sync(recipe_id, client=client))
seen["gone"] = get_recipe.sync(recipe_id, client=client).code.value
print(json.dumps(seen))  # noqa: T201 - read by the test
