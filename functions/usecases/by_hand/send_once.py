"""Send one push once to the users in a file, without a recipe, through the same steps as every other send.

A one-off is an execution of its own kind. Its snapshot is a recipe made for it, its audience the uploaded file,
stored before the execution is created. It starts at once and goes out a minute later; until then it can be cancelled.
It has no test send: to see the push first, send it to one to five users.
"""

import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from functions.domain.audience.uploaded_csv import Source
from functions.domain.cadence.layers import MOST_LAYER, Layers
from functions.domain.documents import shown, storage_errors
from functions.domain.errors import BadFields, BadRecipe, BadTemplate, FieldCode, FieldError
from functions.domain.execution.execution import Execution, Kind
from functions.domain.ids import ONE_OFF, execution_id, is_user_id, no_user_id
from functions.domain.policy import Policy
from functions.domain.push.content import content_errors
from functions.domain.recipe.defaults import in_force, named
from functions.domain.recipe.document import RecipeSafeguards
from functions.domain.recipe.field_paths import misspelled_keys
from functions.domain.recipe.push_fields import CONTENT, RecipePush
from functions.domain.recipe.read import Recipe, read
from functions.ports import Ports
from functions.usecases.by_hand.deduplicate import asked_once
from functions.usecases.by_hand.sort_upload import USER_ID, See, SortedUpload, sort_upload
from functions.usecases.by_hand.uploaded_audience import store_upload
from functions.usecases.cadence.rules_in_force import layers_of
from functions.usecases.dry_run.ports import shadow
from functions.usecases.dry_run.preview import tried
from functions.usecases.dry_run.previewed import Preview
from functions.usecases.recipes.check import not_allowed
from functions.usecases.timeline.launch import start
from functions.usecases.timeline.steps import read_run

MOST_USER_IDS = 5
_LEAD_MINUTES = 1
_TEXTS = ("title", "body", "deepLink")
_PUSH = "pushSequence[0]."


@dataclass(frozen=True, kw_only=True)
class OneOff:
    """A push to send once: `title`, `body`, `deepLink`, `layerId` and `literalText` as people write them.

    `content` are its fields of `push_fields.CONTENT`, as in a recipe. `most_users` replaces a recipe's limit of
    10,000 users, up to the limit of the deployment. `name` is that of the send.
    """

    written: Mapping[str, Any]
    content: Mapping[str, Any] = field(default_factory=dict)
    most_users: int | None = None
    name: str = ""


def send_once(
    ports: Ports, push: OneOff, source: Source, *, by: str, key: str = "", id_column: str = USER_ID
) -> Execution:
    """Start sending a push to the users in a CSV, and return its execution. With the same key it is sent once.

    BadFields names the invalid fields of the push or the file; nothing is sent then. KeyReused if the key was used
    for another push.
    """
    recipe = one_off_recipe(ports, push, by)
    with TemporaryDirectory(prefix="tminus-") as folder:
        upload = read_upload(ports, recipe, source, Path(folder), id_column=id_column)
        asked = {**recipe.document(), "upload": upload.digest}
        at = asked_once(ports, key, by=by, call="send-push", asked=asked)
        name = hashlib.sha256(f"{by}\n{key or uuid4().hex}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
        send_at = at + recipe.schedule.lead
        criteria = store_upload(ports, execution_id(ONE_OFF, send_at, name), upload)
    snapshot = read({**recipe.document(), "audienceCriteria": criteria})
    return start(ports, snapshot, send_at, Kind.ONE_OFF, name, by=by)


def try_once(
    ports: Ports, push: OneOff, source: Source, *, by: str, id_column: str = USER_ID, see: See | None = None
) -> Preview:
    """Return what sending a push to the users in a CSV would do now, as `preview` does. Nothing is sent.

    `see` is told of each row, as by `sort_upload`. BadFields as `send_once`.
    """
    recipe = one_off_recipe(ports, push, by)
    now = ports.clock.now().replace(microsecond=0)
    with TemporaryDirectory(prefix="tminus-") as sorting, TemporaryDirectory(prefix="tminus-") as folder:
        upload = read_upload(ports, recipe, source, Path(sorting), id_column=id_column, see=see)
        shadowed = shadow(ports, Path(folder))
        criteria = store_upload(shadowed, ONE_OFF, upload)
        execution = Execution(
            id=ONE_OFF,
            recipe_id=ONE_OFF,
            recipe={**_sent(recipe, ports).document(), "audienceCriteria": criteria},
            send_at=now + recipe.schedule.lead,
            created_at=now,
            claim="",
            kind=Kind.ONE_OFF,
        )
        return tried(shadowed, read_run(execution))


def one_off_recipe(ports: Ports, push: OneOff, by: str) -> Recipe:
    """Return the recipe made for a push, without its audience; BadFields names the push's invalid fields."""
    unstorable = [*storage_errors(dict(push.written)), *map(_of_content, storage_errors(dict(push.content)))]
    if unstorable or (unstorable := _no_content(push.content)):
        raise BadFields(unstorable)
    most = _most_users(push, ports.policy)
    written = {
        name: push.written.get(name)
        for name in (*_TEXTS, "layerId", "literalText")
        if push.written.get(name) is not None
    } | dict(push.content)
    document = {
        "id": ONE_OFF,
        "name": push.name or "One-off push",
        "type": "single_push",
        "status": "completed",
        "schedule": {
            "timezone": "UTC",
            "frequency": "daily",
            "executionTime": "00:00",
            "leadTimeMinutes": _LEAD_MINUTES,
        },
        "pushSequence": [written],
        "settings": {
            "cancellationWindowMinutes": 0,
            "safeguards": {"maxAudienceSize": most, "requireTestFirst": False},
        },
        "metadata": {"by": by},
    }
    unknown_layer = _unknown_layer(written.get("layerId"), layers_of(ports.workspace))
    misspelled = [_of_push(error) for error in misspelled_keys(document)]
    try:
        recipe = read(document)
        sent = _sent(recipe, ports)
    except BadRecipe as error:
        raise BadFields([*map(_of_push, error.errors), *misspelled, *unknown_layer]) from error
    if found := [*misspelled, *unknown_layer]:
        raise BadFields(found)
    if errors := not_allowed(sent.pushes[0], ports.policy, ports.workspace):
        raise BadFields(_named(errors, recipe, ports))
    return recipe


def _sent(recipe: Recipe, ports: Ports) -> Recipe:
    """Return the recipe as its execution has it, with the workspace's defaults."""
    return in_force(recipe, ports.workspace.pushes.defaults)


def _no_content(content: Mapping[str, Any]) -> list[FieldError]:
    """Return an error for each key that is no content of a push."""
    known = ", ".join(CONTENT)
    return [
        FieldError(f"content.{key}", f"is not content of a push: there are {known}")
        for key in content
        if key not in CONTENT
    ]


def _of_push(error: FieldError) -> FieldError:
    """Return the error of a field of the recipe made for a push by its path in the request."""
    return _of_content(replace(error, field=error.field.removeprefix(_PUSH)))


def _named(errors: Sequence[FieldError], recipe: Recipe, ports: Ports) -> list[FieldError]:
    """Return errors in the push by their paths in the request; those of defaults say so."""
    document, defaults = recipe.document(), ports.workspace.pushes.defaults
    return [_of_push(named(replace(each, field=f"{_PUSH}{each.field}"), document, defaults)) for each in errors]


def _of_content(error: FieldError) -> FieldError:
    """Return the error of a field by its path in the request."""
    return replace(error, field=f"content.{error.field}") if re.split(r"[.\[]", error.field)[0] in CONTENT else error


def _unknown_layer(layer: object, layers: Layers) -> list[FieldError]:
    """Return the error of a layer that the workspace lacks; none for what cannot be a layer at all."""
    if type(layer) is not int or not 1 <= layer <= MOST_LAYER or layer in layers.names:
        return []
    return [FieldError("layerId", layers.refusal(layer), FieldCode.OUT_OF_RANGE)]


def read_upload(
    ports: Ports, recipe: Recipe, source: Source, folder: Path, *, id_column: str = USER_ID, see: See | None = None
) -> SortedUpload:
    """Read and sort the file into a folder; BadFields if it is not an audience for the push."""
    most = min(recipe.settings.safeguards.max_audience_size, ports.policy.limits.total_audience)
    upload = sort_upload(source, folder, most_rows=most, id_column=id_column, see=see)
    push = _sent(recipe, ports).pushes[0]
    if errors := _text_errors(push, upload.columns):
        raise BadFields(_named(errors, recipe, ports))
    return upload


def check_texts(push: RecipePush, columns: Sequence[str]) -> None:
    """Raise BadFields for what cannot be sent with the file's columns, such as a variable that names none of them."""
    if errors := _text_errors(push, columns):
        raise BadFields(errors)


def _text_errors(push: RecipePush, columns: Sequence[str]) -> list[FieldError]:
    errors = []
    for name, text in push.texts.items():
        try:
            text.require(columns, "file")
        except BadTemplate as error:
            errors.append(FieldError(name, str(error)))
    return [*errors, *content_errors(push, columns)]


def users_file(user_ids: object, policy: Policy) -> io.BytesIO:
    """Return a file with one to five users; BadFields names invalid ids."""
    if not isinstance(user_ids, list) or not 1 <= len(user_ids) <= MOST_USER_IDS:
        reason = f"must be a list of 1 to {MOST_USER_IDS} user ids; send to more of them with a file"
        raise BadFields([FieldError("userIds", reason)])
    user_ids = [user.strip() if isinstance(user, str) else user for user in user_ids]
    errors = [
        FieldError(f"userIds[{place}]", no_user_id(shown(user), policy.user_id_format), FieldCode.BAD_USER_ID)
        for place, user in enumerate(user_ids)
        if not isinstance(user, str) or not is_user_id(user, policy.user_id_format)
    ]
    if errors:
        raise BadFields(errors)
    lines = ["user_id", *(f'"{user.replace(chr(34), chr(34) * 2)}"' for user in user_ids)]
    return io.BytesIO("\n".join(lines).encode())


def _most_users(push: OneOff, policy: Policy) -> int:
    most = RecipeSafeguards().max_audience_size if push.most_users is None else push.most_users
    if not 1 <= most <= policy.limits.total_audience:
        limit = f"{policy.limits.total_audience:,}"
        raise BadFields(
            [FieldError("maxAudienceSize", f"must be from 1 to {limit} (MAX_TOTAL_AUDIENCE), got {most}")]
        )
    return most
