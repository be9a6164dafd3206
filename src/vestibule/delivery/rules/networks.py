"""Whence an account's programs may come. Pure.

Unlike an account's own networks, none at all means: from nowhere.
"""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

from vestibule.accounts.rules import NETWORKS_MOST, networks_from
from vestibule.base.errors import Refused

WIDEST_V4: Final = 8
WIDEST_V6: Final = 24
# A program that failed before it gave a name is shown to whose network it came from. Wider ones
# than these hold strangers, whose addresses are nobody's business.
_OWN_V4: Final = 16
_OWN_V6: Final = 32
OWN_MOST: Final = 128 - _OWN_V6 + 1
"""How many networks `own_networks` names at most."""

_Address = IPv4Address | IPv6Address
NetworksChange = Callable[[tuple[str, ...]], tuple[str, ...]]
"""Makes the new list out of the one that is held when its turn comes."""


def delivery_networks(typed: str) -> tuple[str, ...]:
    """The networks in a text, as kept, each once.

    Raises Refused ``network_invalid`` for what is none and for more than fifty, and
    ``network_too_wide`` with ``network`` for one that holds half the Internet.
    """
    networks = networks_from(typed)
    for network in networks:
        if _too_wide(ip_network(network)):
            raise Refused("network_too_wide", network=network)
    return networks


def with_network(networks: tuple[str, ...], typed: str) -> tuple[str, ...]:
    """The list with what was typed behind it. Raises Refused as `delivery_networks`."""
    added = delivery_networks(typed)
    merged = tuple(dict.fromkeys((*networks, *added)))
    if not added or len(merged) > NETWORKS_MOST:
        raise Refused("network_invalid", network=typed.strip()[:60])
    return merged


def network_of(address: str) -> str:
    """The network to allow for whoever is at this address: of IPv6 its /64.

    Systems change the second half of an IPv6 address every day (RFC 8981). Raises Refused
    ``network_invalid``.
    """
    parsed = _parsed(address)
    if parsed is None:
        raise Refused("network_invalid", network=address[:60])
    width = 32 if parsed.version == 4 else 64
    return str(ip_network((parsed, width), strict=False))


def allowed(networks: tuple[str, ...], address: str) -> bool:
    """Whether a program at this address may come in."""
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in _networks(networks))


def narrower(new: tuple[str, ...], old: tuple[str, ...]) -> bool:
    """Whether every network of the new list lies within the old one: nobody more is let in."""
    held = _networks(old)
    return all(
        any(one.version == two.version and one.subnet_of(two) for two in held)  # type: ignore[arg-type]  # of one version
        for one in _networks(new)
    )


def own_networks(address: str) -> tuple[str, ...]:
    """The narrow networks that hold an address, the narrowest first; none for what is no address.

    Written as networks are kept, so that whose list has one of them is found by equality.
    """
    parsed = _parsed(address)
    if parsed is None:
        return ()
    widest = _OWN_V4 if parsed.version == 4 else _OWN_V6
    lengths = range(parsed.max_prefixlen, widest - 1, -1)
    return tuple(str(ip_network((parsed, length), strict=False)) for length in lengths)


def plain_address(address: str) -> str:
    """An address as it is kept and shown; what is none is cut."""
    parsed = _parsed(address)
    return str(parsed) if parsed is not None else "".join(filter(str.isalnum, address))[:45]


def _too_wide(network: IPv4Network | IPv6Network) -> bool:
    return network.prefixlen < (WIDEST_V4 if network.version == 4 else WIDEST_V6)


# Parsed once: a connection is judged often, and fifty networks take as long as a database read.
@lru_cache(maxsize=4096)
def _networks(networks: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(network) for network in networks)


def _parsed(address: str) -> _Address | None:
    try:
        # A link-local address carries the name of an interface behind a per cent sign.
        parsed = ip_address(address.strip().partition("%")[0])
    except ValueError:
        return None
    # Behind a socket for both families an IPv4 address is written as an IPv6 one.
    return getattr(parsed, "ipv4_mapped", None) or parsed
