"""What tests of the real sender start from."""

from collections.abc import Sequence
from typing import Any

from functions.domain.push.outcomes import Chunk, Envelope, Message
from functions.domain.recipe.push_fields import RecipePush
from functions.settings import FcmSettings
from local.standins.fcm import FakeFcm


def settings_for(fcm: FakeFcm, **changes: Any) -> FcmSettings:
    given: dict[str, Any] = {"project": "demo", "endpoint": fcm.endpoint, "ca_file": fcm.ca_file}
    return FcmSettings(**(given | {"credentials_file": fcm.service_account_file} | changes))


def an_envelope(**fields: Any) -> Envelope:
    given: dict[str, Any] = {"execution_id": "daily_20261123T180000Z", "recipe_id": "daily", "push": 2}
    given["content"] = a_push(deepLink="[[var:link]]")
    return Envelope(**(given | {"test": False, "dry_run": False} | fields))


def a_push(**fields: Any) -> RecipePush:
    """A push with these fields, as documents name them, besides the ones that every push has."""
    written = {"title": "[[var:t]]", "body": "[[var:b]]", "layerId": 3} | fields
    return RecipePush.model_validate(written)


def a_message(token: str, **fields: Any) -> Message:
    given: dict[str, Any] = {"user_id": f"user-{token}", "title": "Hallo Zoë 👟", "body": 'Größe "44"\n'}
    return Message(**({"token": token, "deep_link": "https://kicks.example/ß?a=1"} | given | fields))


def a_chunk(tokens: Sequence[str], number: int = 0, *, most_per_second: float = 1e9) -> Chunk:
    messages = [a_message(token) for token in tokens]
    return Chunk(number=number, messages=messages, most_per_second=most_per_second)
