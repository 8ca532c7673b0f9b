"""Pages of a list that fits into memory."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from local.standins.cloud_tasks.errors import InvalidArgument

T = TypeVar("T")


class Paged(Protocol):
    """A request for a page."""

    page_size: int
    page_token: str


def page_of(items: Sequence[T], request: Paged, most: int) -> tuple[Sequence[T], str]:
    """Return the items of a page and the token of the next page, empty on the last one."""
    token = request.page_token or "0"
    if request.page_size < 0 or not token.isdecimal():
        raise InvalidArgument(f"page_size {request.page_size}, page_token {request.page_token!r}: unknown")
    start = int(token)
    end = start + min(request.page_size or most, most)
    return items[start:end], str(end) if end < len(items) else ""
