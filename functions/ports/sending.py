"""Sending messages to phones, and what is known of device tokens."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

from functions.domain.push.outcomes import Chunk, Envelope, Outcome


class PushSender(Protocol):
    """Sends messages, each in at most one request; nothing in it retries by itself."""

    def send(self, envelope: Envelope, chunks: Iterable[Chunk]) -> Iterator[tuple[int, Sequence[Outcome]]]:
        """Send chunks, and yield the number of each with an outcome for each of its messages, once all are known.

        Takes a chunk only when it may start at once, and may have several under way, which it yields in the order
        in which they end. Every chunk that was taken is yielded before anything is raised: QuotaExceeded where the
        receiver asks for fewer requests, Transient where it cannot be reached, Misconfigured where it will take no
        message until somebody changes something.
        """
        ...


@runtime_checkable
class AskableSender(Protocol):
    """A sender that can say afterwards what has left, as an outbox can; FCM cannot, so that doubt stays doubt."""

    def ask(self, envelope: Envelope) -> Mapping[str, Outcome]:
        """Return what became of each user's message of a push that has, or may have, left; the others got none.

        Nothing that a sender before this call has taken of the push leaves after it.
        """
        ...


class Devices(Protocol):
    """What is known of device tokens beyond the user database, packed as `domain.dead_tokens` says."""

    def graves(self, partitions: range) -> Mapping[int, bytes]:
        """Return the dead tokens of partitions of users; empty bytes where there are none."""
        ...

    def bury(self, partition: int, change: Callable[[bytes], bytes]) -> None:
        """Replace a partition's dead tokens by what `change` makes of them, in one transaction."""
        ...
