"""The workspace's defaults for what a push carries: how they join a push, and which are invalid."""

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from functions.domain.documents import storage_errors, without_nulls
from functions.domain.errors import BadRecipe, FieldError
from functions.domain.recipe.errors import field_errors
from functions.domain.recipe.push_fields import RecipePush
from functions.domain.recipe.read import Document, Recipe, read

Defaults = Mapping[str, Any]
"""Fields of a push by their keys in documents."""
_ORIGIN = "it comes from [defaults] in tminus.toml"
_PLAIN = {"title": "x", "body": "x", "layerId": 1, "literalText": True}
"""A push that carries nothing. Only each recipe knows whether `{name}` in its texts is meant so."""
_OF_PUSH = re.compile(r"pushSequence\[(\d+)\]\.(.+)", re.DOTALL)


def with_defaults(document: Document, defaults: Defaults) -> Document:
    """Return a valid recipe's document whose pushes carry the defaults too; doing it again changes nothing.

    What a push has wins: objects are joined key by key, lists and other values as a whole. A null wins too, and means
    that the push has no such value. A blank text does not, as it stands for a missing one.

    >>> push = {"title": "Hi", "android": {"sound": "ding"}, "image": None}
    >>> defaults = {"image": "https://img.example/a.png", "android": {"sound": "default", "channelId": "news"}}
    >>> with_defaults({"pushSequence": [push]}, defaults)["pushSequence"]
    [{'title': 'Hi', 'android': {'sound': 'ding', 'channelId': 'news'}, 'image': None}]
    """
    if not defaults:
        return document
    return {**document, "pushSequence": [_joined(push, defaults) for push in document["pushSequence"]]}


def in_force(recipe: Recipe, defaults: Defaults) -> Recipe:
    """Return a recipe whose pushes carry the defaults too. BadRecipe if both together cannot be sent."""
    if not defaults:
        return recipe
    try:
        return read(with_defaults(recipe.document(), defaults))
    except BadRecipe as error:
        both = "together with [defaults] in tminus.toml, it"
        raise BadRecipe([replace(each, reason=f"{both} {each.reason}") for each in error.errors]) from None


def default_push(defaults: Defaults) -> RecipePush:
    """Return a push that carries nothing but defaults. BadRecipe names each invalid one by its path in them."""
    if errors := storage_errors(dict(defaults)):
        raise BadRecipe(errors)
    if (defaults.get("ios") or {}).get("interruptionLevel") == "time-sensitive":
        reason = "time-sensitive is for pushes of layer 1 only: write it in those"
        raise BadRecipe([FieldError("ios.interruptionLevel", reason)])
    try:
        return RecipePush.model_validate({**_PLAIN, **without_nulls(defaults)})
    except ValidationError as error:
        raise BadRecipe(field_errors(error)) from None


def named(error: FieldError, document: Document, defaults: Defaults) -> FieldError:
    """Return an error in a recipe with defaults so that it says where its value comes from."""
    found = _OF_PUSH.fullmatch(error.field)
    if not found or not _is_default(found[2], document["pushSequence"][int(found[1])], defaults):
        return error
    return replace(error, reason=f"{error.reason}; {_ORIGIN}")


def _is_default(path: str, push: Mapping[str, Any], defaults: Defaults) -> bool:
    key = re.split(r"[.\[]", path, maxsplit=1)[0]
    inner, own, default = path[len(key) + 1 :], push.get(key), defaults.get(key)
    if isinstance(own, Mapping) and isinstance(default, Mapping):
        return inner in default and own.get(inner, "") == ""
    return default is not None and push.get(key, "") == ""


def _joined(push: Mapping[str, Any], defaults: Defaults) -> Document:
    joined = {key: _chosen(key, value, defaults.get(key)) for key, value in push.items()}
    return joined | {key: deepcopy(value) for key, value in defaults.items() if key not in push}


def _chosen(key: str, own: Any, default: Any) -> Any:
    if isinstance(own, Mapping) and isinstance(default, Mapping):
        return {**default, **own} if key == "data" else _joined(own, default)  # an empty text of the app is a value
    return deepcopy(default) if own == "" and default is not None else own
