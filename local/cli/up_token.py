"""`tminus up --host`: the token that callers need if other machines can reach the functions."""

from functions.domain.errors import BadInput, Misconfigured
from local.runtime.serving import is_this_machine

_SHORTEST = 16


def token_for(host: str, token: str, *, emulators: bool) -> str:
    """Return the token that callers have to send; empty if only this machine can call.

    BadInput if other machines can call and there is no token; Misconfigured if it is too short.
    """
    if is_this_machine(host):
        return ""
    if emulators:
        raise BadInput(f"--host {host}: the emulators serve this machine only; leave out --host or --emulators")
    if not token:
        raise BadInput(
            f"--host {host}: other machines can reach this address and do everything; set TMINUS_TOKEN to a "
            f"secret of {_SHORTEST} characters or more, such as: export TMINUS_TOKEN=$(openssl rand -hex 16)"
        )
    if len(token) < _SHORTEST:
        raise Misconfigured("TMINUS_TOKEN", f"must have at least {_SHORTEST} characters, got {len(token)}")
    return token
