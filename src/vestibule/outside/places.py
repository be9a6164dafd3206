"""Roughly where an address is, from a MaxMind DB file that the operator supplies."""

from functools import lru_cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import maxminddb

THIS_NETWORK = "this network"

# Not `is_private`: that holds for every range without a place of its own on the Internet.
_NEAR = tuple(
    ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)


class NoPlaces:
    """Without a file only addresses of the own network have a place."""

    def place(self, address: str) -> str:
        """``this network`` for a private address, else an empty string."""
        return THIS_NETWORK if _is_near(address) else ""


class MaxMindPlaces:
    """Looks addresses up in a city or country database (GeoLite2, DB-IP and their like)."""

    def __init__(self, path: Path) -> None:
        # Read into memory: a lookup then never waits for the disk.
        self._reader = maxminddb.open_database(path, maxminddb.MODE_MEMORY)

    def place(self, address: str) -> str:
        """``Turin, Italy``, ``Italy``, or an empty string where that is not known."""
        if _is_near(address):
            return THIS_NETWORK
        try:
            found = self._reader.get(address)
        except ValueError:
            return ""
        if not isinstance(found, dict):
            return ""
        names = (_name(found.get("city")), _name(found.get("country")))
        return ", ".join(name for name in names if name)


def places(path: Path | None) -> NoPlaces | MaxMindPlaces:
    """Places by the ``geoip_file`` setting. Raises OSError, maxminddb.InvalidDatabaseError."""
    return MaxMindPlaces(path) if path else NoPlaces()


def _name(part: Any) -> str:  # noqa: ANN401  -- the file holds what it holds
    names = part.get("names") if isinstance(part, dict) else None
    name = names.get("en") if isinstance(names, dict) else None
    return name if isinstance(name, str) else ""


@lru_cache(maxsize=1024)
def _is_near(address: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    return any(mapped in network for network in _NEAR)
