"""Send once: upload a list of people, write a message, review it, and confirm by typing the number of people."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Response
from werkzeug.datastructures import FileStorage

from functions.domain.audience.uploaded_csv import Source
from functions.domain.errors import BadFields, FieldError, KeyReused
from functions.domain.execution.safeguards import Severity
from functions.domain.push.column_names import is_usable
from functions.domain.recipe.read import Recipe
from functions.domain.roles import Role
from functions.handlers.console.answering import html, page, part, to
from functions.handlers.console.layer_words import layers_of
from functions.handlers.console.phones import Phone, phone_of, with_message
from functions.handlers.console.typed_count import read_count
from functions.handlers.console.visit import Route, Visit
from functions.usecases.by_hand.kept_uploads import keep_piece, new_upload_id, open_kept
from functions.usecases.by_hand.look_at_upload import InvalidIds, UploadLook, look_at_upload
from functions.usecases.by_hand.send_once import OneOff, check_texts, one_off_recipe, send_once, try_once
from functions.usecases.by_hand.upload_in_bucket import MOST_BYTES
from functions.usecases.dry_run.previewed import Preview, PushPreview
from functions.usecases.dry_run.sample_messages import sample_of

AT = "/send"
_OF = f"{AT}/<upload_id>"
_FIELDS = ("title", "body", "deepLink", "image", "layerId", "name", "literalText", "id_column", "row")
_LONGEST_NAME, _MOST_DIGITS = 200, 4
_UNUSABLE = ("invalid_user_id", "duplicate_user_id", "opted_out", "no_token", "dead_token")
"""Reasons that depend on the list alone, not on the message."""


def ask(visit: Visit) -> Response:
    """Ask for the people: a file, or pasted ids."""
    return _ask(visit)


def upload(visit: Visit) -> Response:
    """Store the people, and go on to the message. A script sends a large file in pieces, one request for each."""
    file, pasted = visit.request.files.get("file"), visit.field("ids")
    number = _number(visit.field("piece"))
    upload_id = visit.field("upload") or new_upload_id(visit.ports)
    try:
        source = _given(file, pasted)
        with TemporaryDirectory(prefix="tminus-") as folder:
            path = Path(folder) / "piece"
            _copy(source, path)
            keep_piece(visit.ports, upload_id, number, path, by=visit.caller.name)
        if visit.field("more") == "yes":
            return html(upload_id, 200)
        look_at_upload(open_kept(visit.ports, upload_id, by=visit.caller.name), visit.ports.policy.user_id_format)
    except BadFields as error:
        return _ask(visit, errors=[f"The file {each.reason}." for each in error.errors], pasted=pasted)
    return to(visit, f"{AT}/{upload_id}")


def write(visit: Visit) -> Response:
    """Show the list with its counts, and the form of the message."""
    return _write(visit, {})


def rewrite(visit: Visit) -> Response:
    """Show the form again with what was typed, to change it after the review."""
    return _write(visit, _values(visit))


def count(visit: Visit) -> Response:
    """Show how many people of the list can be reached, and why others can't."""
    column = visit.asked("id_column")
    if not column:
        return _counted(visit)
    try:
        ids, by = InvalidIds(form=visit.ports.policy.user_id_format), visit.caller.name
        found = try_once(visit.ports, _placeholder(visit), _source(visit), by=by, id_column=column, see=ids.see)
    except BadFields as error:
        return _counted(visit, errors=[each.reason for each in error.errors])
    if not found.totals.audience_size:
        wrong = [each.message for each in found.problems if each.severity is Severity.CRITICAL]
        return _counted(visit, wrong=wrong)
    excluded = {reason: found.totals.excluded.get(reason, 0) for reason in _UNUSABLE}
    usable = found.totals.audience_size - sum(excluded.values())
    return _counted(visit, ids=ids, excluded=excluded, usable=usable)


def _counted(visit: Visit, **values: Any) -> Response:
    return part(visit, "send_once_counts.html", **{"ids": None, "errors": [], "wrong": [], **values})


def preview(visit: Visit) -> Response:
    """Show the message with the values of a row."""
    look, values = _look(visit), _values(visit)
    place = min(_number(values["row"]), max(0, len(look.rows) - 1))
    chosen = look.with_ids_in(values["id_column"])
    try:
        recipe = _recipe(visit, values)
        check_texts(recipe.pushes[0], chosen.columns)
    except BadFields as error:
        typed = [each for each in error.errors if values.get(_at(each))]
        return part(visit, "send_once_preview.html", phone=None, errors=typed)
    sample = sample_of(recipe, 0, chosen.rows[place] if chosen.rows else None)
    return part(visit, "send_once_preview.html", phone=phone_of(recipe.pushes[0], sample), errors=[])


def review(visit: Visit) -> Response:
    """Show what sending would do, and ask for the number of people; or the form again with errors."""
    values = _values(visit)
    if errors := _errors(visit, values):
        return _write(visit, values, errors=errors)
    try:
        return _review(visit, values, _tried(visit, values))
    except BadFields as error:
        return _write(visit, values, errors=error.errors)


def send(visit: Visit) -> Response:
    """Send, if the number of people was typed. A list is sent to once, however often the form is sent."""
    values, people = _values(visit), read_count(visit.field("people"))
    upload_id, by = visit.path["upload_id"], visit.caller.name
    try:
        if people is None or read_count(visit.field("typed")) != people:
            return _review(visit, values, _tried(visit, values), wrong=visit.field("typed"))
        column = values["id_column"]
        execution = send_once(
            visit.ports, _push(visit, values), _source(visit), by=by, key=upload_id, id_column=column
        )
    except KeyReused:
        message = "This list was already sent another message. Upload it again to send this one."
        return _write(visit, values, errors=[FieldError("file", message)])
    except BadFields as error:
        return _write(visit, values, errors=error.errors)
    return to(visit, f"/executions/{execution.id}", outcome="started")


def _given(file: FileStorage | None, pasted: str) -> Any:
    """Return the file, or one with the pasted ids; BadFields if there is neither, or both."""
    chosen = file is not None and bool(file.filename)
    if file is not None and chosen and not pasted:
        return file.stream
    if chosen or not pasted:
        raise BadFields([FieldError("file", "or user IDs are needed: give one of them" if not chosen else _BOTH)])
    ids = pasted.replace(",", " ").replace(";", " ").split()
    ids = ids[1:] if ids[0].casefold() == "user_id" else ids
    quoted = (f'"{each.replace(chr(34), chr(34) * 2)}"' for each in ids)
    return io.BytesIO("\n".join(["user_id", *quoted, ""]).encode())


_BOTH = "was given and user IDs were pasted, too: give one of them"


def _number(text: str) -> int:
    """Return the number that a field has; 0 for anything else."""
    return int(text) if text.isdecimal() and len(text) < _MOST_DIGITS else 0


def _copy(source: Any, path: Path) -> None:
    with path.open("wb") as file:
        while block := source.read(1 << 20):
            file.write(block)


def _ask(visit: Visit, *, errors: Sequence[str] = (), pasted: str = "") -> Response:
    limits = {"most_bytes": MOST_BYTES, "most_people": visit.ports.policy.limits.total_audience}
    status = 422 if errors else 200
    return page(visit, "send_once.html", status=status, errors=errors, pasted=pasted, **limits)


def _write(visit: Visit, values: Mapping[str, str], *, errors: Sequence[FieldError] = ()) -> Response:
    look = _look(visit)
    by_field: dict[str, list[str]] = {}
    for each in errors:
        by_field.setdefault(_at(each), []).append(each.reason)
    variables = [name for name in look.columns if is_usable(name)]
    return page(
        visit,
        "send_once_message.html",
        status=422 if errors else 200,
        upload_id=visit.path["upload_id"],
        look=look,
        variables=variables,
        values={"id_column": look.id_column, **values},
        errors=by_field,
        layers=layers_of(visit.ports),
    )


def _review(visit: Visit, values: Mapping[str, str], found: Preview, *, wrong: str | None = None) -> Response:
    pushed = found.pushes[0] if found.pushes else None
    return page(
        visit,
        "send_once_review.html",
        status=200 if wrong is None else 422,
        upload_id=visit.path["upload_id"],
        values=values,
        found=found,
        push=pushed,
        phone=_example(pushed, _recipe(visit, values)),
        wrong=wrong,
    )


def _errors(visit: Visit, values: Mapping[str, str]) -> list[FieldError]:
    """Return everything that is wrong with the message, without reading the whole list."""
    errors = []
    if not values["title"] and not values["body"]:
        errors.append(FieldError("title", "is missing: write a title or a body"))
    if not values["id_column"]:
        errors.append(FieldError("id_column", "is missing: choose the column with the user IDs"))
    if not values["layerId"]:
        errors.append(FieldError("layerId", "is missing: choose a layer"))
    columns = _look(visit).with_ids_in(values["id_column"]).columns
    try:
        check_texts(_recipe(visit, values).pushes[0], columns)
    except BadFields as error:
        known = {each.field for each in errors}
        errors += [each for each in error.errors if each.field not in known]
    return errors


def _recipe(visit: Visit, values: Mapping[str, str]) -> Recipe:
    """Return the recipe made for the message, with any layer while none is chosen; BadFields if it is invalid."""
    layer = values["layerId"] or str(min(visit.ports.workspace.cadence.names))
    return one_off_recipe(visit.ports, _push(visit, {**values, "layerId": layer}), visit.caller.name)


def _example(push: PushPreview | None, recipe: Recipe) -> Phone | None:
    """Return the first message that would be sent; None if there is none."""
    if push is None or not push.samples:
        return None
    return with_message(recipe, 0, push.samples[0])


def _tried(visit: Visit, values: Mapping[str, str]) -> Preview:
    push, column = _push(visit, values), values["id_column"]
    return try_once(visit.ports, push, _source(visit), by=visit.caller.name, id_column=column)


def _values(visit: Visit) -> dict[str, str]:
    """Return what was typed. The form of a browser has line ends of Windows."""
    return {name: visit.field(name).replace("\r\n", "\n") for name in _FIELDS}


def _push(visit: Visit, values: Mapping[str, str]) -> OneOff:
    layer = values["layerId"]
    return OneOff(
        written={
            "title": values["title"],
            "body": values["body"],
            "deepLink": values["deepLink"] or None,
            "layerId": int(layer) if layer.isdecimal() and len(layer) == 1 else None,
            "literalText": values["literalText"] == "yes" or None,
        },
        content={"image": values["image"]} if values["image"] else {},
        most_users=visit.ports.policy.limits.total_audience,
        name=values["name"][:_LONGEST_NAME],
    )


def _placeholder(visit: Visit) -> OneOff:
    """Return a message of a layer without caps, if there is one, to count who can be reached at all."""
    cadence = visit.ports.workspace.cadence
    layer = min(cadence.exempt or cadence.names)
    return OneOff(
        written={"title": "x", "body": "x", "layerId": layer}, most_users=visit.ports.policy.limits.total_audience
    )


def _source(visit: Visit) -> Source:
    return open_kept(visit.ports, visit.path["upload_id"], by=visit.caller.name)


def _look(visit: Visit) -> UploadLook:
    return look_at_upload(_source(visit), visit.ports.policy.user_id_format)


def _at(error: FieldError) -> str:
    """Return the field of the form at which an error is shown; `file` for one of no other field."""
    name = error.field.removeprefix("content.")
    return name if name in _FIELDS else "file"


ROUTES = (
    Route(method="GET", path=AT, serve=ask, least=Role.OPERATOR),
    Route(method="POST", path=AT, serve=upload, least=Role.OPERATOR, upload_bytes=MOST_BYTES),
    Route(method="GET", path=_OF, serve=write, least=Role.OPERATOR),
    Route(method="POST", path=_OF, serve=rewrite, least=Role.OPERATOR),
    Route(method="GET", path=f"{_OF}/counts", serve=count, least=Role.OPERATOR, expensive=True),
    Route(method="POST", path=f"{_OF}/preview", serve=preview, least=Role.OPERATOR),
    Route(method="POST", path=f"{_OF}/review", serve=review, least=Role.OPERATOR, expensive=True),
    Route(method="POST", path=f"{_OF}/send", serve=send, least=Role.OPERATOR, expensive=True),
)
