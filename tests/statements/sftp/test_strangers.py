"""What strangers send who mean harm: each bears it alone, and the server goes on."""

import asyncio
import os

import asyncssh
import pytest
from asyncssh.packet import String, UInt32

from tests.statements.sftp.speaking import HELLO, IGNORE, kexinit, knock, plain, request, speak
from tests.statements.sftp.standing import Standing

BANNERS = [
    b"",
    b"\r\n",
    b"\0" * 100,
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"EHLO x\r\n",
    b"SSH-1.5-Old\r\n",
    b"SSH-1.99-Old\r\n",
    b"SSH-2.0-" + b"x" * 255 + b"\r\n",
    b"SSH-2.0-\xff\xfe\r\n",
    b"SSH-2.0-a\nSSH-2.0-b\r\n",
    b"x" * 1_000_000,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    HELLO,
    HELLO + b"\xff" * 64,
    HELLO + UInt32(0) + bytes(60),
    HELLO + UInt32(1) + bytes(60),
    HELLO + UInt32(2**31) + bytes(60),
    HELLO + UInt32(35_000) + b"\xff" * 1000,
    HELLO + UInt32(16) + b"\xff" + bytes(15),
    HELLO + plain(b""),
    HELLO + plain(bytes([5]) + String(b"ssh-userauth")),
    HELLO + plain(bytes([50]) + String(b"a") + String(b"ssh-connection") + String(b"none")),
    HELLO + plain(bytes([90]) + String(b"session") + bytes(12)),
    HELLO + plain(bytes([21])),
    HELLO + plain(kexinit()) + plain(kexinit()),
    HELLO + plain(kexinit()) + plain(bytes([30]) + String(bytes(1216))),
    HELLO + plain(kexinit()) + plain(bytes([30]) + String(bytes(7))),
    HELLO + plain(kexinit()) + plain(bytes([30]) + String(b"\xff" * 1216)),
    HELLO + plain(kexinit()) + plain(bytes([31]) + bytes(100)),
    HELLO + plain(kexinit(methods=(b"sntrup761x25519-sha512",))) + plain(bytes([30]) + bytes(1194)),
    HELLO + plain(kexinit(methods=())),
    HELLO + plain(kexinit(methods=(b"x" * 30_000,))),
]


@pytest.mark.parametrize("said", BANNERS, ids=range(len(BANNERS)))
async def test_stranger_who_speaks_nonsense_is_cut_off(steady: Standing, said: bytes) -> None:
    """Another protocol, endless lines, absurd lengths, packets out of their order."""
    answer = await knock(steady, said)
    assert answer == b"" or answer.startswith(b"SSH-2.0-Vestibule\r\n")


async def test_offer_cut_at_every_byte_is_refused(steady: Standing) -> None:
    """A KEXINIT that ends anywhere but at its end leads to nothing."""
    whole = kexinit()
    gate = asyncio.Semaphore(16)

    async def attempt(size: int) -> bytes:
        async with gate:
            return await knock(steady, HELLO + plain(whole[:size]))

    said = await asyncio.gather(*[attempt(size) for size in range(len(whole))])
    assert all(answer.startswith(b"SSH-2.0-Vestibule") for answer in said)


@pytest.mark.parametrize("number", [IGNORE, 3, 4])
async def test_packet_before_the_keys_ends_a_strict_exchange(steady: Standing, number: int) -> None:
    """Packets slipped in before the keys would move the numbers of those after (Terrapin)."""
    body = bytes([number]) + {IGNORE: String(b""), 3: UInt32(0), 4: bytes(9)}[number]
    offer = plain(kexinit(strict=True))
    before = await knock(steady, HELLO + plain(body) + offer, end=False)
    after = await knock(steady, HELLO + offer + plain(body), end=False)
    for said in (before, after):
        assert b"Strict key exchange violation" in said


async def test_sign_in_cut_at_every_byte_lets_nobody_in(
    steady: Standing, key: asyncssh.SSHKey
) -> None:
    """Requests that end anywhere, with and without a signature: no way in, no harm."""
    signature = String(b"ssh-ed25519") + String(bytes(64))
    whole = request(key.public_data, signature=signature)
    before = len(steady.rooms.visitors)
    for size in range(1, len(whole), 3):
        await speak(steady, [whole[:size]])
    assert all(v.outcome != "accepted" for v in steady.rooms.visitors[before:])


async def test_key_blob_and_signature_cut_anywhere_let_nobody_in(
    steady: Standing, key: asyncssh.SSHKey
) -> None:
    """Blobs cut at every byte, of every algorithm, and signatures of every length: all refused."""
    blob = key.public_data
    sizes = [*range(len(blob)), 10_000, 30_000]
    queries = [request((blob * 1000)[:size]) for size in sizes]
    signed = [
        request(blob, signature=(String(b"ssh-ed25519") + String(bytes(64)))[:size])
        for size in range(0, 84, 4)
    ]
    others = [
        request(blob, signature=String(name) + String(os.urandom(64)), algorithm=name)
        for name in (b"rsa-sha2-256", b"ssh-rsa", b"ecdsa-sha2-nistp256", b"", b"\xff", b"none")
    ]
    every = queries + signed + others
    before = len(steady.rooms.visitors)
    for at in range(0, len(every), 15):
        await speak(steady, every[at : at + 15])
    seen = steady.rooms.visitors[before:]
    assert len(seen) >= 3
    assert all(visitor.outcome != "accepted" for visitor in seen)


async def test_signature_for_another_connection_opens_nothing(
    steady: Standing, key: asyncssh.SSHKey
) -> None:
    """A signature holds for the keys of its own connection: sent again elsewhere it is wrong."""
    signature = key.sign(String(bytes(32)) + request(key.public_data)[:-4], b"ssh-ed25519")
    await speak(steady, [request(key.public_data, signature=signature)])
    for _ in range(100):
        if any(visitor.outcome == "signature_wrong" for visitor in steady.rooms.visitors):
            break
        await asyncio.sleep(0.02)
    assert steady.rooms.visitors[-1].outcome == "signature_wrong"
