"""Which addresses are public: hosts that a recipe names may be looked at there, and nowhere else."""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_NOT_PUBLIC_V4 = [
    IPv4Network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # serves metadata on Azure, although it is of a public network
    )
]
"""www.iana.org/assignments/iana-ipv4-special-registry, and multicast."""
_UNICAST_V6 = IPv6Network("2000::/3")
"""All that IANA has given out for public use: www.iana.org/assignments/ipv6-address-space."""
_NOT_PUBLIC_V6 = [
    IPv6Network(network)
    for network in (
        *("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20"),
        "2002::/16",  # 6to4: any IPv4 address can be within it
    )
]
"""www.iana.org/assignments/iana-ipv6-special-registry; 2001::/23 has Teredo, which hides IPv4 addresses too."""
_NAT64 = IPv6Network("64:ff9b::/96")
"""An IPv4 address is its last 32 bits: RFC 6052, section 2.1."""
_ENDS_IN_A_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?")
"""What clients read as an IPv4 address: url.spec.whatwg.org, "ends in a number checker"."""


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the public internet.

    Private, loopback, link-local, shared, multicast, documentation and metadata addresses are not, nor are IPv6
    addresses that hold one of these. For example, `is_public("169.254.169.254")` is False.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        held = found.ipv4_mapped or (IPv4Address(int(found) & 0xFFFF_FFFF) if found in _NAT64 else None)
        if held is None:
            return found in _UNICAST_V6 and not any(found in network for network in _NOT_PUBLIC_V6)
        found = held
    return not any(found in network for network in _NOT_PUBLIC_V4)


def is_odd_address(host: str) -> bool:
    """Return whether a host is an IPv4 address in another form than four decimal numbers.

    Such as 2130706433, 0x7f.1 and 0177.0.0.1, which resolvers read as 127.0.0.1.
    """
    if not _ENDS_IN_A_NUMBER.fullmatch(host):
        return False
    try:
        IPv4Address(host)
    except ValueError:
        return True
    return False
