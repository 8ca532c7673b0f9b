"""Device tokens that FCM reported as dead: send to them again."""

from dataclasses import dataclass

from pydantic import Field

from functions.domain.roles import Role
from functions.handlers.api.route import Call, Model, Reply, Route
from functions.usecases.cadence.lift_graves import Graves, lift_graves


class Lift(Model):
    """Which tokens to send to again, by exactly one of the three fields.

    Without `dryRun: false` they are only counted.
    """

    user_id: str = Field(default="", description="All device tokens that the user data have of this user.")
    token: str = Field(default="", max_length=4_096, description="This device token.")
    buried_since: str = Field(
        default="", description="All tokens buried at this instant or later.", examples=["2026-11-23T18:00:00Z"]
    )
    dry_run: bool = True


@dataclass(frozen=True, kw_only=True)
class Lifted:
    """How many device tokens are, or would be, sent to again."""

    tokens: int
    dry_run: bool


def post_lift_graves(call: Call) -> Reply:
    """Send to dead tokens again, or count them."""
    asked: Lift = call.body
    graves = Graves(user_id=asked.user_id, token=asked.token, buried_since=asked.buried_since)
    tokens = lift_graves(call.ports, graves, by=call.caller.name, dry_run=asked.dry_run)
    done = "would be sent to again" if asked.dry_run else "will be sent to again"
    return Reply(data=Lifted(tokens=tokens, dry_run=asked.dry_run), message=f"{tokens:,} device tokens {done}")


ROUTES = (
    Route(
        method="POST",
        path="/api/devices/lift-graves",
        least=Role.OPERATOR,
        summary="Send again to device tokens that were recorded as dead",
        serve=post_lift_graves,
        body=Lift,
        answer=Lifted,
    ),
)
