"""Who is answered at all: rates, places, and who goes when there is no room."""

from vestibule.statements.sftp.gate import BURST, Flow, Gate, bucket_of


def gate(**limits: float) -> Gate:
    """A gate with room, except where a test says otherwise."""
    table = {"total": 1000, "waiting": 100, "per_account": 10, "rate": 5, **limits}
    return Gate(
        total=int(table["total"]),
        waiting=int(table["waiting"]),
        per_account=int(table["per_account"]),
        rate=table["rate"],
    )


def test_address_has_a_burst_and_then_its_rate() -> None:
    """Ten at once are let in, then five a second, and a pause fills up no more than the burst."""
    doors = gate()
    assert sum(doors.admit("192.0.2.1", now=0) for _ in range(50)) == BURST
    assert sum(doors.admit("192.0.2.1", now=1) for _ in range(50)) == 5
    assert sum(doors.admit("192.0.2.1", now=1000) for _ in range(50)) == BURST


def test_addresses_do_not_share_their_rate() -> None:
    """Who is turned away takes nothing from a neighbour."""
    doors = gate()
    for _ in range(50):
        doors.admit("192.0.2.1", now=0)
    assert doors.admit("192.0.2.2", now=0)


def test_ipv6_network_counts_as_one_address() -> None:
    """A subscriber has 2^64 addresses; they are one here, and a mapped IPv4 one is itself."""
    assert bucket_of("2001:db8:1:2::1") == bucket_of("2001:db8:1:2:ffff::9")
    assert bucket_of("2001:db8:1:2::1") != bucket_of("2001:db8:1:3::1")
    assert bucket_of("::ffff:192.0.2.1") == bucket_of("192.0.2.1")
    assert bucket_of("fe80::1%eth0") == bucket_of("fe80::2%eth1")


def test_full_house_admits_nobody_until_somebody_leaves() -> None:
    """The total holds whoever comes."""
    doors = gate(total=1)
    assert doors.admit("192.0.2.1", now=0)
    doors.enter("a", "192.0.2.1")
    assert not doors.admit("192.0.2.2", now=0)
    doors.leave("a", "192.0.2.1", None)
    assert doors.admit("192.0.2.2", now=0)


def test_crowd_of_one_address_makes_room_for_others() -> None:
    """Half-open connections of one address push each other out, and nobody else."""
    doors = gate(waiting=4)
    for name in "abcd":
        assert doors.enter(name, "192.0.2.66") is None
    assert doors.enter("client", "198.51.100.1") == "a"


def test_newcomer_goes_when_everybody_waits_alone() -> None:
    """Without a crowd to take from, those who were first stay."""
    doors = gate(waiting=2)
    doors.enter("a", "192.0.2.1")
    doors.enter("b", "192.0.2.2")
    assert doors.enter("c", "192.0.2.3") == "c"


def test_proven_connection_waits_no_longer() -> None:
    """Who has proven a key takes no place of those who have not, and is counted by account."""
    doors = gate(waiting=1, per_account=1)
    doors.enter("a", "192.0.2.1")
    assert doors.prove("a", "192.0.2.1", "account")
    assert doors.enter("b", "192.0.2.1") is None
    assert not doors.prove("b", "192.0.2.1", "account")
    doors.leave("b", "192.0.2.1", "account")
    doors.leave("a", "192.0.2.1", "account")
    assert doors.open == 0
    doors.enter("c", "192.0.2.1")
    assert doors.prove("c", "192.0.2.1", "account")


def test_memory_of_addresses_is_bounded() -> None:
    """A scan from everywhere leaves no trace that grows."""
    doors = gate()
    for number in range(20_000):
        doors.admit(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", now=0)
    assert len(doors._buckets) == 10_000


def test_flow_lets_a_rate_through_and_no_more() -> None:
    """A hundred bytes a second: what is taken at once has to be waited for."""
    flow = Flow(100)
    now, sent = 0.0, 0
    while sent < 1000:
        now += flow.wait(50, now=now)
        sent += 50
    assert 9 < now < 11
