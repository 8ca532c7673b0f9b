"""Updates of messages by the fields that a mask names."""

from typing import Any, TypeVar

from local.standins.cloud_tasks.errors import InvalidArgument

M = TypeVar("M")


def merged(stored: M, given: M, mask: Any) -> M:
    """Return `stored` with the fields of `given` that a FieldMask names; without a mask, return `given`."""
    kind: Any = type(stored)
    if not mask.paths:
        return given
    result: M = kind.deserialize(kind.serialize(stored))
    if not mask.IsValidForDescriptor(kind.pb(result).DESCRIPTOR):
        raise InvalidArgument(f"update_mask {', '.join(mask.paths)}: {kind.__name__} has no such field")
    mask.MergeMessage(kind.pb(given), kind.pb(result), replace_message_field=True, replace_repeated_field=True)
    return result
