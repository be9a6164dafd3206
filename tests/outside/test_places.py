"""Where an address is, from a MaxMind DB file that the test writes itself."""

from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from vestibule.outside.places import THIS_NETWORK, MaxMindPlaces, NoPlaces, places

Value = str | int | list["Value"] | dict[str, "Value"]
TURIN: Value = {
    "city": {"names": {"en": "Turin", "it": "Torino"}},
    "country": {"names": {"en": "Italy"}},
}
ITALY: Value = {"country": {"names": {"en": "Italy"}}}
STRANGE: Value = {"city": "Turin", "country": {"names": ["Italy"]}}


def encoded(value: Value) -> bytes:
    """A value in the MaxMind DB format, version 2.0 (short values only)."""
    if isinstance(value, dict):
        parts = (encoded(key) + encoded(inner) for key, inner in value.items())
        return bytes([7 << 5 | len(value)]) + b"".join(parts)
    if isinstance(value, list):
        return bytes([len(value), 11 - 7]) + b"".join(map(encoded, value))
    if isinstance(value, int):
        return bytes([6 << 5 | 4]) + value.to_bytes(4, "big")
    raw = value.encode()
    assert len(raw) < 29
    return bytes([2 << 5 | len(raw)]) + raw


def database(entries: dict[str, Value]) -> bytes:
    """A file of IPv4 networks: a binary tree of 24-bit records, values, and what it is."""
    nodes: list[list[int | str]] = [["", ""]]
    data, offsets = b"", dict[str, int]()
    for network, value in entries.items():
        parsed = ip_network(network)
        bits = f"{int(parsed.network_address):032b}"[: parsed.prefixlen]
        node = 0
        for bit in bits[:-1]:
            if not isinstance(nodes[node][int(bit)], int):
                nodes.append(["", ""])
                nodes[node][int(bit)] = len(nodes) - 1
            node = int(nodes[node][int(bit)])
        nodes[node][int(bits[-1])] = network
        offsets[network] = len(data)
        data += encoded(value)
    count = len(nodes)

    def record(link: int | str) -> bytes:
        if isinstance(link, str):
            link = count + 16 + offsets[link] if link else count
        return link.to_bytes(3, "big")

    tree = b"".join(record(link) for node in nodes for link in node)
    about: Value = {
        "node_count": count,
        "record_size": 24,
        "ip_version": 4,
        "database_type": "Test-City",
        "languages": ["en"],
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": 1,
        "description": {"en": "test"},
    }
    return tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + encoded(about)


@pytest.fixture
def cities(tmp_path: Path) -> MaxMindPlaces:
    """Three networks."""
    path = tmp_path / "cities.mmdb"
    path.write_bytes(
        database({"203.0.113.0/24": TURIN, "198.51.100.0/24": ITALY, "192.0.2.0/24": STRANGE})
    )
    made = places(path)
    assert isinstance(made, MaxMindPlaces)
    return made


@pytest.mark.parametrize(
    "address, place",
    [
        ("203.0.113.9", "Turin, Italy"),
        ("198.51.100.1", "Italy"),
        ("192.0.2.1", ""),
        ("8.8.8.8", ""),
        ("2001:db8::1", ""),
        ("10.1.2.3", THIS_NETWORK),
        ("::ffff:192.168.1.1", THIS_NETWORK),
        ("nonsense", ""),
        ("", ""),
    ],
)
def test_a_place_is_told_as_far_as_it_is_known(
    cities: MaxMindPlaces, address: str, place: str
) -> None:
    """City and country, the country alone, this network, or nothing; never an error."""
    assert cities.place(address) == place


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "172.31.0.1", "192.168.0.1", "::1", "fe80::1", "fd00::1"]
)
def test_without_a_file_only_the_own_network_is_known(address: str) -> None:
    """Private addresses are near; all others have no place."""
    nowhere = places(None)
    assert isinstance(nowhere, NoPlaces)
    assert nowhere.place(address) == THIS_NETWORK
    assert nowhere.place(str(ip_address("203.0.113.9"))) == ""
    assert nowhere.place("172.32.0.1") == ""
