"""`tminus up --host`: the token that callers need where others than this machine can reach the functions."""

from functions.domain.errors import BadInput, Misconfigured
from local.runtime.serving import is_this_machine

_SHORTEST = 16


def token_for(host: str, token: str, *, emulators: bool) -> str:
    """Return the token that callers have to show; empty where only this machine can call.

    BadInput where others can call and there is none; Misconfigured where it is too short to keep.
    """
    if is_this_machine(host):
        return ""
    if emulators:
        raise BadInput(f"--host {host}: the emulators serve this machine only; leave out --host or --emulators")
    if not token:
        raise BadInput(
            f"--host {host}: others can reach this address, and who does may do everything; set TMINUS_TOKEN to a "
            f"secret of {_SHORTEST} characters or more, as by: export TMINUS_TOKEN=$(openssl rand -hex 16)"
        )
    if len(token) < _SHORTEST:
        raise Misconfigured("TMINUS_TOKEN", f"must have at least {_SHORTEST} characters, got {len(token)}")
    return token
