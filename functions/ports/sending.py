"""The sender of messages, and the store of dead device tokens."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

from functions.domain.person import Person
from functions.domain.push.outcomes import Chunk, Envelope, Outcome


class PushSender(Protocol):
    """Sends messages, each in at most one request. It never retries."""

    def send(self, envelope: Envelope, chunks: Iterable[Chunk]) -> Iterator[tuple[int, Sequence[Outcome]]]:
        """Send chunks, and yield each chunk's number and the outcomes of its messages, once all are known.

        It takes a chunk only when the chunk can start at once. Several chunks can be under way; they are yielded in
        the order in which they end. Every chunk that was taken is yielded before an error is raised: QuotaExceeded if
        the receiver asks for fewer requests, Transient if it cannot be reached, Misconfigured if it accepts no
        message until the operator changes a setting.
        """
        ...


@runtime_checkable
class AskableSender(Protocol):
    """A sender that can say afterwards which messages left, as an outbox can. FCM cannot."""

    def ask(self, envelope: Envelope) -> Mapping[str, Outcome]:
        """Return the outcomes of a push by user, for messages that left or may have left. All other users got none.

        After this call, no message of the push leaves that a sender took before it.
        """
        ...


@runtime_checkable
class RememberingSender(Protocol):
    """A sender that keeps the messages that left, as an outbox does. FCM's does not."""

    def messages_of(self, person: Person) -> Sequence[Mapping[str, object]]:
        """Return the kept messages to a user, and those that name the user, as they were written."""
        ...

    def forget(self, person: Person) -> int:
        """Erase a user from the kept messages, whose number stays the same; return how many were changed."""
        ...


class Devices(Protocol):
    """Stores dead device tokens, in the format of `domain.audience.dead_tokens`."""

    def graves(self, partitions: range) -> Mapping[int, bytes]:
        """Return the dead tokens of partitions of users, empty bytes for a partition without any."""
        ...

    def bury(self, partition: int, change: Callable[[bytes], bytes]) -> None:
        """Replace a partition's dead tokens by the result of `change`, in one transaction."""
        ...
