"""The proxy together with the address of its public key."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from functions.domain.roles import Role
from functions.settings import ConsoleSettings
from local.standins.cloud_tasks.certificates import CertificateServer
from local.standins.iap.key import ProxyKey
from local.standins.iap.proxy import IdentityProxy

_AUDIENCE = "/projects/1/locations/europe-west1/services/tminus-console"


@contextmanager
def identity_proxy(users: Mapping[str, Role]) -> Iterator[tuple[IdentityProxy, ConsoleSettings]]:
    """Yield a proxy for these users, and the settings with which a console verifies its assertions."""
    key = ProxyKey()
    with CertificateServer(key.public_keys) as keys:
        console = ConsoleSettings(audience=_AUDIENCE, users=users, keys_url=keys.url)
        yield IdentityProxy(key, _AUDIENCE, users), console
