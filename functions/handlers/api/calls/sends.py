"""One-off sends: one push to the users in a file, or to one to five users."""

import json
from typing import Any

from pydantic import Field

from functions.domain.audience.uploaded_csv import Source
from functions.domain.errors import BadFields, FieldError
from functions.domain.json_objects import RepeatedKey, parse_json
from functions.domain.recipe.push_fields import CONTENT
from functions.domain.roles import Role
from functions.handlers.api.calls.control import followed
from functions.handlers.api.calls.trials import why_not
from functions.handlers.api.layer import Layer
from functions.handlers.api.route import Call, Form, Model, Reply, Route, Upload, uploaded
from functions.usecases.by_hand.send_once import OneOff, send_once, try_once, users_file
from functions.usecases.by_hand.upload_in_bucket import MOST_BYTES, open_upload
from functions.usecases.dry_run.previewed import Preview
from functions.usecases.reports.executions import ExecutionSummary, summary

_LITERAL = "Send text literally that looks like a variable of another product, such as {{name}}."
_NAME = "The name of the send, for reports and the console."
_CONTENT = f"What the push carries besides its texts, as in a recipe: {', '.join(CONTENT)}."
_EXAMPLE = {"image": "https://img.example.com/yoga.jpg", "priority": "normal"}
_IN_BUCKET = (
    "A CSV in the deployment's own bucket, gs://BUCKET/uploads/NAME, instead of a file: up to 150 MB. A request to "
    "Cloud Run has at most 32 MiB."
)


class OneOffPush(Model):
    """A push to one to five users, or to the users of a CSV in the deployment's bucket."""

    title: str
    body: str
    name: str = Field(default="", max_length=200, description=_NAME)
    deep_link: str | None = None
    layer_id: Layer
    literal_text: bool = Field(default=False, description=_LITERAL)
    dry_run: bool = Field(default=False, description="Only answer what would happen, and send nothing.")
    max_audience_size: int | None = Field(default=None, description="How many users it may go to; 10,000 by default.")
    content: dict[str, Any] = Field(
        default={}, description=_CONTENT, json_schema_extra={"additionalProperties": True}, examples=[_EXAMPLE]
    )
    user_ids: list[str] = Field(default=[], max_length=5)
    file_address: str = Field(default="", description=_IN_BUCKET)


class OneOffForm(Form):
    """A push to `userIds`, or to the users in a CSV with a column `user_id` and the columns that the texts use."""

    title: str
    body: str
    name: str = Field(default="", max_length=200, description=_NAME)
    deep_link: str = ""
    layer_id: Layer
    literal_text: bool = Field(default=False, description=_LITERAL)
    dry_run: bool = Field(default=False, description="Only answer what would happen, and send nothing.")
    max_audience_size: int | None = Field(default=None, description="How many users it may go to; 10,000 by default.")
    content: str = Field(default="", description=f"{_CONTENT} As JSON.", examples=[json.dumps(_EXAMPLE)])
    user_ids: list[str] = Field(default=[], description="Instead of a file: each in a field, or all as a JSON list.")
    file: Upload = None
    file_address: str = Field(default="", description=_IN_BUCKET)


def post_send_push(call: Call) -> Reply:
    """Send a push once, or answer what sending it would do."""
    asked: OneOffPush | OneOffForm = call.body
    written = {
        "title": asked.title,
        "body": asked.body,
        "layerId": asked.layer_id,
        "deepLink": asked.deep_link or None,
        "literalText": asked.literal_text or None,
    }
    push = OneOff(
        written=written,
        content=_content(asked.content),
        most_users=asked.max_audience_size,
        name=asked.name.strip(),
    )
    source = _source(call, asked)
    if asked.dry_run:
        found = try_once(call.ports, push, source, by=call.caller.name)
        message = f"{found.totals.eligible:,} users would get it" if found.valid else why_not(found)
        return Reply(data=found, message=f"{message}; nothing was sent")
    execution = send_once(call.ports, push, source, by=call.caller.name, key=call.key)
    return followed(summary(execution, call.ports.clock.now()), execution)


def _content(written: str | dict[str, Any]) -> dict[str, Any]:
    if isinstance(written, dict):
        return written
    try:
        content = parse_json(written or "{}")
    except RepeatedKey as error:
        raise BadFields([FieldError("content", str(error))]) from None
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise BadFields([FieldError("content", f"must be a JSON object, such as {json.dumps(_EXAMPLE)}")])
    return content


def _source(call: Call, asked: OneOffPush | OneOffForm) -> Source:
    """Return the file of recipients: the uploaded one, the one in the bucket, or one with the named users."""
    user_ids = _listed(asked.user_ids)
    file = asked.file if isinstance(asked, OneOffForm) else None
    if user_ids and (file is not None or asked.file_address):
        raise BadFields([FieldError("userIds", "is there beside a file: send either")])
    if file is not None and asked.file_address:
        raise BadFields([FieldError("fileAddress", "is there beside a file: send either")])
    if asked.file_address:
        return open_upload(call.ports, asked.file_address, "fileAddress")
    if file is not None:
        return uploaded(file)
    if not user_ids and isinstance(asked, OneOffForm):
        raise BadFields([FieldError("file", "is missing, as is userIds: name the recipients in one of them")])
    return users_file(user_ids, call.ports.policy)


def _listed(user_ids: list[str]) -> list[Any]:
    """Return the users in a form, which may have all of them in one field, as a JSON list."""
    if len(user_ids) != 1 or not user_ids[0].startswith("["):
        return [*user_ids]
    try:
        listed = json.loads(user_ids[0])
    except (ValueError, RecursionError):
        raise BadFields([FieldError("userIds", "is not a JSON list")]) from None
    return listed if isinstance(listed, list) else [listed]


ROUTES = (
    Route(
        method="POST",
        path="/api/send-push",
        least=Role.OPERATOR,
        summary="Send a push once, to the users of a file or to one to five users",
        serve=post_send_push,
        body=OneOffPush,
        form=OneOffForm,
        answer=Preview | ExecutionSummary,
        later=True,
        refusals=(409,),
        keyed=True,
        most_body_bytes=MOST_BYTES,
    ),
)
