"""Errors, named after what to do about them.

A message is one line that names the thing, its value and the way out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as described
from datetime import datetime
from enum import StrEnum


class TminusError(Exception):
    """The root of every error that Tminus raises on purpose."""


class BadInput(TminusError):
    """Input of a person cannot be used; the message says how to fix it."""


class FieldCode(StrEnum):
    """The kind of fault of a field, for programs; `invalid` covers every kind without a code of its own."""

    INVALID = "invalid"
    MISSING = "missing"
    WRONG_TYPE = "wrong_type"
    OUT_OF_RANGE = "out_of_range"
    NOT_ONE_OF = "not_one_of"
    MISSPELLED_KEY = "misspelled_key"
    BAD_USER_ID = "bad_user_id"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with a document: the field's path in the document, the reason in words, and its kind."""

    field: str
    reason: str
    code: FieldCode = described(default=FieldCode.INVALID, compare=False)

    def document(self) -> dict[str, str]:
        """Return the error as JSON has it."""
        return {"field": self.field, "code": self.code.value, "reason": self.reason}

    def __str__(self) -> str:
        """Read as a sentence: the field, then what is wrong with it."""
        return f"{self.field}: {self.reason}"


class BadFields(BadInput):
    """Fields that a person wrote cannot be used; `errors` has one entry per invalid field."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(str(error) for error in self.errors))


class BadRecipe(BadFields):
    """A recipe document cannot be used."""


class KeyReused(BadInput):
    """An Idempotency-Key was used before for a different request: use a new key."""


class BadTemplate(BadInput):
    """A title, body or deep link has a malformed variable or names a column that is not there."""


class BadAudience(TminusError):
    """An audience file differs from its job's declaration: do not send, and inform the job's author."""


class Misconfigured(TminusError):
    """A setting of the deployment is missing or wrong: nothing works until the operator changes it."""

    def __init__(self, setting: str, reason: str) -> None:
        self.setting = setting
        super().__init__(f"{setting}: {reason}")

    @property
    def public_message(self) -> str:
        """The message for any caller: the setting's name without its value, which may be private."""
        return f"the deployment is not complete: the setting {self.setting} is missing or wrong; the log says more"


class NotReady(Misconfigured):
    """Google refuses, as while an index is built or a new permission spreads: try again for half an hour."""


class Unauthenticated(TminusError):
    """The caller is not authenticated: no token, or one that is not valid for this function."""


class Forbidden(TminusError):
    """The caller is known, but not allowed to do this."""


class NotFound(TminusError):
    """The named recipe or execution does not exist."""


class Unreadable(TminusError):
    """This release cannot read a stored document, such as an execution, or the recipe in one.

    An execution that needs it is ended.
    """


class NotPossible(TminusError):
    """The execution's state does not allow what was asked; the message says what it allows."""


class Stale(TminusError):
    """The document has changed since the caller read it: read it again, then change it."""


class Transient(TminusError):
    """A temporary problem: send the same request again."""


class StoreUnavailable(Transient):
    """The store cannot be read or written now: the message says why, and what to do. Nothing was changed."""


class Silent(TminusError):
    """A part of this process has not done its work for too long."""


class NotYet(Transient):
    """The step came before its due time, or before the step that it follows.

    With `perhaps_sooner` it may become possible before `due_at`, so it has to be tried until then.
    """

    def __init__(self, what: str, due_at: datetime, *, perhaps_sooner: bool = False) -> None:
        self.due_at, self.perhaps_sooner = due_at, perhaps_sooner
        super().__init__(f"{what} is due at {due_at:%Y-%m-%dT%H:%M:%SZ}")


class Conflict(Transient):
    """Another process wrote the document first."""


class QuotaExceeded(Transient):
    """The receiver asks for fewer requests: wait `retry_after_seconds`, then deliver again."""

    def __init__(self, retry_after_seconds: float) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"quota exceeded; try again in {retry_after_seconds:.0f} s")


class Refused(TminusError):
    """The receiver will never take what was sent: do not send it again."""


class Halted(TminusError):
    """The execution has left the state in which messages may be sent: start no further chunk."""


class LedgerUnreadable(Transient):
    """The cadence ledger cannot be read, so it is unknown who may be sent to."""


class LedgerFull(LedgerUnreadable):
    """The cadence ledger has no room for all pushes of one day, so no further user can be sent to."""
