"""Who is let in, from where, and what is shown of them: decided without a database."""

import json
import unicodedata
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given, strategies as st

from vestibule.base.errors import Refused
from vestibule.delivery import rules
from vestibule.delivery.rules import Choice, Door, Mailed, Notices, Outcome
from vestibule.delivery.rules.home import label_from

FINGERPRINTS = [f"SHA256:{letter * 43}" for letter in "abc"]
NETWORKS = ["192.0.2.0/24", "198.51.100.7/32", "2001:db8::/64", "10.0.0.0/8"]
ADDRESSES = ["192.0.2.9", "::ffff:192.0.2.9", "198.51.100.8", "2001:db8::5", "2001:db9::5", "x", ""]

doors = st.none() | st.builds(
    Door,
    account_id=st.just("a"),
    username=st.just("kvwm4hsp7n"),
    enabled=st.booleans(),
    networks=st.lists(st.sampled_from(NETWORKS), unique=True).map(tuple),
    keys=st.lists(st.sampled_from(FINGERPRINTS), unique=True).map(
        lambda all_: dict.fromkeys(all_, "k")
    ),
    certificate=st.none(),
)


@given(doors, st.none() | st.sampled_from(FINGERPRINTS), st.sampled_from(ADDRESSES))
def test_nobody_comes_in_unless_everything_is_right(
    door: Door | None, fingerprint: str | None, address: str
) -> None:
    """Accepted is who has a live key of an open home and comes from one of its networks.

    The reasons for a refusal stand in one order, and each is true.
    """
    try:
        parsed = ip_address(address)
        inside = door is not None and any(
            (getattr(parsed, "ipv4_mapped", None) or parsed) in ip_network(one)
            for one in door.networks
        )
    except ValueError:
        inside = False
    expected = Outcome.ACCEPTED
    if door is None:
        expected = Outcome.USERNAME_UNKNOWN
    elif not door.enabled:
        expected = Outcome.OFF
    elif not inside:
        expected = Outcome.ADDRESS_NOT_ALLOWED
    elif fingerprint is None:
        expected = Outcome.NO_KEY_OFFERED
    elif fingerprint not in door.keys:
        expected = Outcome.KEY_NOT_REGISTERED
    assert rules.judge(door, fingerprint=fingerprint, address=address) is expected


# --- networks ----------------------------------------------------------------------------------


def test_networks_are_kept_once_and_narrow_enough() -> None:
    """As typed with commas, blanks and bits beside the prefix; half the Internet is no network."""
    typed = "192.0.2.7/24, 198.51.100.7\n2001:db8::1/64 192.0.2.0/24"
    kept = ("192.0.2.0/24", "198.51.100.7/32", "2001:db8::/64")
    assert rules.delivery_networks(typed) == kept
    assert rules.delivery_networks("  ") == ()
    assert rules.delivery_networks("10.0.0.0/8 2001:d00::/24") == ("10.0.0.0/8", "2001:d00::/24")
    for wide in ("0.0.0.0/0", "10.0.0.0/7", "::/0", "2001:c00::/23", "::ffff:0.0.0.0/96"):
        with pytest.raises(Refused) as caught:
            rules.delivery_networks(f"192.0.2.1 {wide}")
        assert caught.value.code.name == "network_too_wide", wide
    for bad in ("home", "192.0.2.300", "192.0.2.0/33", "\x00"):
        with pytest.raises(Refused) as caught:
            rules.delivery_networks(bad)
        assert caught.value.code.name == "network_invalid", bad
    many = " ".join(f"192.0.2.{n}" for n in range(51))
    with pytest.raises(Refused):
        rules.delivery_networks(many)


def test_one_more_network_is_added_once_and_never_beyond_fifty() -> None:
    """Adding what is there changes nothing; the fifty-first and an empty field are refused."""
    held = tuple(f"192.0.2.{n}/32" for n in range(50))
    assert rules.with_network(held, "192.0.2.9") == held
    for typed in ("198.51.100.1", " "):
        with pytest.raises(Refused) as caught:
            rules.with_network(held, typed)
        assert caught.value.code.name == "network_invalid"


def test_my_current_address_is_a_network_that_lasts() -> None:
    """One address of IPv4, however written; of IPv6 the /64, for its second half changes daily."""
    assert rules.network_of("192.0.2.7") == "192.0.2.7/32"
    assert rules.network_of("::ffff:192.0.2.7") == "192.0.2.7/32"
    assert rules.network_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64"
    assert rules.network_of("fe80::1%eth0") == "fe80::/64"
    with pytest.raises(Refused):
        rules.network_of("unix:")


def test_narrower_lists_let_nobody_more_in() -> None:
    """A part of what was allowed is narrower; anything beside it is not."""
    held = ("192.0.2.0/24", "2001:db8::/48")
    assert rules.narrower((), held)
    assert rules.narrower(("192.0.2.128/25", "2001:db8:0:1::/64"), held)
    assert not rules.narrower(("192.0.2.0/23",), held)
    assert not rules.narrower((*held, "198.51.100.7/32"), held)
    assert not rules.narrower(("192.0.2.1/32",), ())


@given(st.ip_addresses())
def test_own_networks_hold_the_address_and_are_written_as_kept(
    address: IPv4Address | IPv6Address,
) -> None:
    """Each of them, however narrow, and none that is wider than one household or firm."""
    named = rules.own_networks(str(address))
    assert len(named) <= rules.OWN_MOST
    assert all(rules.delivery_networks(one) == (one,) for one in named)
    assert all(rules.allowed((one,), str(address)) for one in named)
    mapped = getattr(address, "ipv4_mapped", None) or address
    assert len(named) == (17 if mapped.version == 4 else 97)


# --- names -------------------------------------------------------------------------------------


@given(st.binary(min_size=rules.USERNAME_BYTES, max_size=rules.USERNAME_BYTES))
def test_usernames_are_typed_off_without_doubt(random: bytes) -> None:
    """Ten letters and digits, a letter first, none that looks like another; case does not count."""
    name = rules.username_from(random)
    assert len(name) == 10
    assert name.isalnum()
    assert name.isascii()
    assert name[0].isalpha()
    assert not set(name) & set("ilo01ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert rules.username_key(f" {name.upper()} ") == name


@given(st.text(max_size=30))
def test_what_is_no_username_is_looked_up_as_nothing(typed: str) -> None:
    """Whatever comes over the wire, the look-up is of ten plain characters or of none."""
    key = rules.username_key(typed)
    assert key == "" or (len(key) == 10 and key.isascii() and key.isalnum())


def test_labels_are_one_line_and_never_empty() -> None:
    """Blanks are folded, what cannot be seen is dropped, sixty characters stay."""
    assert label_from("  the \t office\n laptop ", otherwise="x") == "the office laptop"
    assert label_from("a\u202eb\x00c", otherwise="x") == "abc"
    assert label_from("\u200b \n", otherwise="ssh-rsa") == "ssh-rsa"
    assert len(label_from("w" * 99, otherwise="x")) == 60


# --- what is shown of visits -------------------------------------------------------------------


HOSTILE = "a\u202eb\u2066c\x1b[31m\r\nd\x00\u200b\ud800\ufeff e\u0301" + "\u0300" * 50


def test_words_from_the_wire_are_seen_and_on_one_line() -> None:
    """No control, no override, no surrogate, no pile of marks; and no more than the log needs."""
    assert rules.clean_username(HOSTILE) == "abc[31m d é\u0300\u0300"
    assert rules.clean_program("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n") == "OpenSSH_9.2p1 Debian-2"
    assert len(rules.clean_username("x" * 10_000)) == 64
    assert len(rules.clean_program("x" * 10_000)) == 80
    assert len(rules.clean_fingerprint("x" * 10_000)) == 60


@given(st.text())
def test_any_words_from_the_wire_can_be_stored_and_shown(sent: str) -> None:
    """Encodable, printable, short: in every table and terminal."""
    for cleaned in (rules.clean_username(sent), rules.clean_program(sent)):
        cleaned.encode()
        assert all(unicodedata.category(letter)[0] != "C" for letter in cleaned)
        assert "\n" not in cleaned
    detail = rules.clean_detail({sent: sent, "n": 3}, (sent, sent))
    assert len(json.dumps(detail)) < 10_000


def test_details_are_few() -> None:
    """A program cannot fill the log with what it says of itself."""
    detail = rules.clean_detail({f"k{n}": "v" * 999 for n in range(99)}, ("f",) * 99)
    assert len(detail) == 11
    assert len(json.dumps(detail)) < 4000
    assert "offered" not in rules.clean_detail({}, ("one",))


def test_cursors_that_are_none_begin_at_the_beginning() -> None:
    """Whoever plays with the address of the log's next page sees its first."""
    start = rules.cursor_from(None)
    for typed in ("", "x", "12", "-1.a", "1" * 16 + ".a", "٣.a", ".a"):
        assert rules.cursor_from(typed) == start
    assert rules.cursor_from("12.abc") == (12, "abc")


def test_choices_of_notices_are_kept_as_chosen() -> None:
    """Written and read again they are the same; at first a mail tells, and nothing goes along."""
    first = Notices()
    assert first.daily == Choice(mail=Mailed.NOTICE, push=False, listed=True)
    assert not first.attaching
    chosen = Notices(
        daily=Choice(mail=Mailed.OFF, push=False, listed=False),
        monthly=Choice(mail=Mailed.ATTACHMENT, push=True),
    )
    assert rules.notices_of(chosen.written()) == chosen
    assert chosen.attaching
    assert [chosen.of(kind).silent for kind in rules.KINDS] == [True, False, False]
