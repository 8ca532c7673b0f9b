"""Errors of the services, with the statuses of google.golang.org/grpc/codes."""

from typing import ClassVar


class Refused(Exception):
    """A call that gets a gRPC status as its answer. The message names the thing, its value and the way out."""

    status: ClassVar[str]


class InvalidArgument(Refused):
    """The request is wrong in every state."""

    status = "INVALID_ARGUMENT"


class NotFound(Refused):
    """Nothing has this name."""

    status = "NOT_FOUND"


class AlreadyExists(Refused):
    """The name is taken."""

    status = "ALREADY_EXISTS"


class FailedPrecondition(Refused):
    """The request is valid, but the state does not allow it."""

    status = "FAILED_PRECONDITION"


class Unimplemented(Refused):
    """The real service implements it, the emulator does not."""

    status = "UNIMPLEMENTED"


class PermissionDenied(Refused):
    """The caller lacks a right."""

    status = "PERMISSION_DENIED"
