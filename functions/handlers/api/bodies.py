"""Read the query and the body of a request. Errors name the field and the way out."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, get_origin

from flask import Request
from pydantic import TypeAdapter, ValidationError
from werkzeug.datastructures import MultiDict

from functions.domain.cadence.layers import Layers
from functions.domain.errors import BadFields, FieldError
from functions.domain.json_objects import RepeatedKey, parse_json
from functions.domain.recipe.errors import field_errors
from functions.handlers.api.layer import CONTEXT
from functions.handlers.api.route import Model, Query, Route
from functions.handlers.http.callers import body_fits
from functions.handlers.http.errors import Refused

_JSON = ("application/json", "")
_FORM = "multipart/form-data"
_DEEPEST = 100
_TOO_DEEP = f"the body is nested too deep; at most {_DEEPEST} levels are read"


def read_query(request: Request, route: Route) -> Query:
    """Read the parameters of the query; BadFields names the invalid ones. Unknown parameters are ignored."""
    try:
        return route.query.model_validate(_single(request.args, route.query, "parameter"))
    except ValidationError as error:
        raise BadFields(field_errors(error)) from None


def read_body(request: Request, route: Route, layers: Callable[[], Layers]) -> Any:
    """Read the body with the route's model; None if the route takes no body. `layers` are those of the workspace."""
    if route.body is None and route.form is None:
        return None
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Refused(415, "send the body without Content-Encoding", {"Accept-Encoding": "identity"})
    if not body_fits(request, route.most_body_bytes, parsed_later=_is_form(request, route)):
        raise Refused(413, f"the body is too large; at most {route.most_body_bytes:,} bytes are read")
    context = {CONTEXT: layers}
    try:
        if route.form is not None and _is_form(request, route):
            sent: MultiDict[str, Any] = MultiDict([*request.form.items(multi=True), *request.files.items(multi=True)])
            return route.form.model_validate(_single(sent, route.form, "field"), context=context)
        if route.body is None or not (request.mimetype in _JSON or request.mimetype.endswith("+json")):
            taken = " or ".join(([_JSON[0]] if route.body else []) + ([_FORM] if route.form else []))
            raise Refused(415, f"the body must be {taken}, not {request.mimetype or 'unnamed'}")
        return TypeAdapter(route.body).validate_python(_json(request.get_data()), context=context)
    except ValidationError as error:
        raise BadFields([_of_body(each) for each in field_errors(error)]) from None


def _is_form(request: Request, route: Route) -> bool:
    return route.form is not None and request.mimetype == _FORM


def _json(content: bytes) -> Any:
    """Read JSON in UTF-8, with or without a byte order mark. An error names the position, or the repeated key."""
    if not content.strip():
        raise Refused(400, "the body is empty; send a JSON object")
    try:
        read = parse_json(content.decode("utf-8-sig"), parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise Refused(400, f"the body is not UTF-8: byte {error.start} cannot be read") from None
    except RecursionError:
        raise Refused(400, _TOO_DEEP) from None
    except RepeatedKey as error:
        raise Refused(400, f"the body cannot be used: {error}") from None
    except ValueError as error:
        raise Refused(400, f"the body is not JSON: {error}") from None
    _check_depth(read)
    return read


def _check_depth(body: object) -> None:
    """Refuse a body that is nested so deep that reading or showing it could overflow the stack."""
    level = [body]
    for _ in range(_DEEPEST):
        lists = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, (dict, list))]
        level = [item for items in lists for item in items]
        if not level:
            return
    raise Refused(400, _TOO_DEEP)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not a number in JSON")


def _single(sent: MultiDict[str, Any], model: type[Model], what: str) -> Mapping[str, Any]:
    """Return each value by its name, as a list if the model has one. A repeated name is an error otherwise."""
    fields = model.model_fields.items()
    lists = {field.alias or name for name, field in fields if get_origin(field.annotation) is list}
    known = {alias for name, field in fields for alias in (name, field.alias)}
    values: dict[str, Any] = {}
    for name, found in sent.lists():
        if name in known and len(found) > 1 and name not in lists:
            raise BadFields([FieldError(name, f"the {what} is there {len(found)} times; give it once")])
        values[name] = found if name in lists else found[0]
    return values


def _of_body(error: FieldError) -> FieldError:
    return error if error.field else replace(error, field="body")
