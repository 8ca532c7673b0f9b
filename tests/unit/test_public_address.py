"""Addresses that a recipe must not make Tminus call, and those that it may."""

import pytest

from functions.domain.public_address import is_odd_address, is_public

NOT_PUBLIC = (
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.8.8.8"),
    *("169.254.169.254", "169.254.0.1", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1"),
    *("192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1"),
    *("255.255.255.255", "168.63.129.16"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "fec0::1", "ff02::1"),
    *("::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:7f00:1", "::127.0.0.1", "64:ff9b::10.0.0.1"),
    *("64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:a00:1::1", "2001:db8::1"),
    *("2001:20::1", "3fff::1", "100::1", "5f00::1"),
    *("localhost", "metadata.google.internal", "", "1.2.3", "010.0.0.1", "8.8.8.8 "),
)
PUBLIC = (
    *("1.1.1.1", "8.8.8.8", "93.184.215.14", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1"),
    *("192.167.1.1", "198.20.0.1", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::200e"),
    *("::ffff:8.8.8.8", "64:ff9b::8.8.8.8"),
)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_of_no_public_network_is_none(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        *("2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.1", "0xA9.0xFE.0xA9.0xFE", "1.2.3.4.5"),
        *("0", "00", "256.1.1.1", "127.0.0.1.", "a.0x", "017700000001"),
    ],
)
def test_an_address_in_another_form_is_odd(host: str) -> None:
    assert is_odd_address(host)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "8.8.8.8", "example.com", "1.example", "img1", "0x7f.example", "::1", ""]
)
def test_a_name_and_a_plain_address_are_not_odd(host: str) -> None:
    assert not is_odd_address(host)
