"""What clients send who were let in and mean harm: each connection bears it alone."""

import asyncio
import os
import random
import struct
from contextlib import suppress
from pathlib import Path

import asyncssh
import pytest
from asyncssh.packet import Boolean, String, UInt32

from tests.patience import PATIENCE_S, until
from tests.statements.sftp.speaking import ENV, INIT, Trickle, asked, raw_sftp
from tests.statements.sftp.standing import USERNAME, StandIn, Standing, new_key, standing


async def test_requests_cut_at_every_byte_are_answered_or_end_their_channel(
    steady: Standing, key: asyncssh.SSHKey
) -> None:
    """Every type of request, cut anywhere: a status, and the connection goes on."""
    handle, path = String(bytes(8)), String(b"/daily/2026-11-22.csv")
    bodies = {
        3: path + UInt32(1) + UInt32(0),
        4: handle,
        5: handle + bytes(8) + UInt32(100),
        7: path,
        8: handle,
        11: path,
        12: handle,
        16: path,
        17: path,
        19: path,
        200: String(b"limits@openssh.com"),
    }
    async with steady.connect(key) as client:
        reader, writer = await raw_sftp(client)
        writer.write(INIT)
        await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))
        count = 0
        for kind, body in bodies.items():
            for size in range(len(body)):
                writer.write(asked(kind, body[:size]))
                count += 1
        for kind in range(256):
            if kind != 1:
                writer.write(asked(kind, b""))
                count += 1
        for _ in range(count):
            size = int.from_bytes(await asyncio.wait_for(reader.readexactly(4), PATIENCE_S), "big")
            assert len(await reader.readexactly(size)) == size


async def test_random_bytes_on_a_channel_end_it_and_nothing_else(
    steady: Standing, key: asyncssh.SSHKey
) -> None:
    """Noise in place of SFTP, with and without a greeting, in pieces of all sizes."""
    chance = random.Random(7)
    async with steady.connect(key) as client:
        for turn in range(60):
            reader, writer = await raw_sftp(client)
            with suppress(BrokenPipeError, asyncssh.Error):
                writer.write(INIT if turn % 2 else b"")
                for _ in range(5):
                    writer.write(chance.randbytes(chance.randrange(1, 2000)))
                    await asyncio.sleep(0)
            writer.close()
            await asyncio.wait_for(reader.channel.wait_closed(), PATIENCE_S)


@pytest.mark.parametrize("size", [0, 40_001, 2**31, 2**32 - 1])
async def test_request_of_an_absurd_length_ends_its_channel(
    steady: Standing, key: asyncssh.SSHKey, size: int
) -> None:
    """Nobody waits for four gigabytes to come."""
    async with steady.connect(key) as client:
        reader, writer = await raw_sftp(client)
        writer.write(INIT + UInt32(size) + bytes(100))
        await asyncio.wait_for(reader.channel.wait_closed(), PATIENCE_S)


async def test_thousand_channels_are_ten(steady: Standing, key: asyncssh.SSHKey) -> None:
    """A connection has ten channels at a time; more are refused, closed ones make room."""
    async with steady.connect(key) as client:
        tries = [client.open_session(subsystem="sftp", encoding=None) for _ in range(1000)]
        made = await asyncio.gather(*tries, return_exceptions=True)
        opened = [one for one in made if not isinstance(one, BaseException)]
        assert len(opened) == 10
        assert {type(one) for one in made if isinstance(one, BaseException)} == {
            asyncssh.ChannelOpenError
        }
        for writer, *_ in opened:
            writer.channel.abort()
        await until(lambda: sum(len(one._channels) for one in steady.hall._connections) == 1)
        await client.start_sftp_client()


async def test_variables_are_not_kept(steady: Standing, key: asyncssh.SSHKey) -> None:
    """A client may name a million variables; none of them is remembered."""
    async with steady.connect(key) as client:
        _, writer = await raw_sftp(client)
        channel = writer.channel
        for number in range(3000):
            channel._send_request(ENV, String(b"N%d" % number), String(b"x" * 1000))
        sftp = await client.start_sftp_client()
        assert await sftp.exists("/daily")
        lanes = [lane for one in steady.hall._connections for lane in one._channels.values()]
        assert lanes
        assert all(lane._env == {} for lane in lanes)


async def test_client_that_asks_for_much_and_reads_nothing_is_bounded(
    rooms: StandIn, key: asyncssh.SSHKey, tmp_path: Path
) -> None:
    """Ten thousand reads, a window without end, and not a byte taken: two megabytes are held."""
    rooms.files[f"account-{USERNAME}"]["trade", "big"] = bytes(8 << 20)
    async with standing(rooms, tmp_path) as server, server.connect(key) as client:
        channel = (await raw_sftp(client))[1].channel
        sftp = String(bytes([1]) + UInt32(3))
        opening = asked(3, String(b"/trade/big") + UInt32(1) + UInt32(0), 2)
        channel.write(sftp + opening)
        channel.send_packet(93, UInt32(2**31))
        await asyncio.sleep(0.3)
        client._transport.pause_reading()
        handle = String(bytes(8))
        for number in range(10_000):
            read = asked(5, handle + struct.pack(">QI", number % 32 << 18, 261_120), number)
            client.send_packet(94, UInt32(channel._send_chan), String(read))
            if number % 500 == 0:
                await asyncio.sleep(0.01)
        await asyncio.sleep(1)
        (connection,) = server.hall._connections
        (lane,) = connection._channels.values()
        held = connection._transport.get_write_buffer_size() + lane._send_buf_len
        held += connection._outbox_size + len(connection._inpbuf)
        held += sum(len(packet) for _, args in connection._deferred_packets for packet in args)
        held += sum(len(data) for data, _ in lane._recv_buf)
        assert held < 2 << 20
        # Others are served meanwhile.
        async with server.connect(key) as other, other.start_sftp_client() as beside:
            assert await asyncio.wait_for(beside.exists("/trade/big"), PATIENCE_S)
        client.abort()


async def test_window_that_stays_shut_holds_one_answer(
    rooms: StandIn, key: asyncssh.SSHKey, tmp_path: Path
) -> None:
    """A client that opens no window gets nothing, and no more than one answer waits for it."""
    rooms.files[f"account-{USERNAME}"]["trade", "big"] = bytes(8 << 20)
    async with standing(rooms, tmp_path) as server, server.connect(key) as client:
        writer, _, _ = await client.open_session(subsystem="sftp", encoding=None, window=400)
        channel = writer.channel
        channel.pause_reading()
        channel.write(INIT + asked(3, String(b"/trade/big") + UInt32(1) + UInt32(0), 2))
        for number in range(500):
            channel.write(asked(5, String(bytes(8)) + bytes(8) + UInt32(261_120), number))
        (connection,) = server.hall._connections
        (lane,) = connection._channels.values()
        await until(lambda: lane._send_buf_len)
        await asyncio.sleep(0.5)
        assert 0 < lane._send_buf_len < 300_000
        client.abort()


async def test_flood_of_new_keys_ends_the_connection(
    steady: Standing, key: asyncssh.SSHKey
) -> None:
    """New keys may be asked for now and then, not without end."""
    client = await steady.connect(key)
    for _ in range(30):
        if client.is_closed():
            break
        client._send_kexinit()
        client._kexinit_sent = True
        await asyncio.sleep(0.05)
    await asyncio.wait_for(client.wait_closed(), PATIENCE_S)


async def test_few_new_keys_disturb_no_transfer(
    rooms: StandIn, key: asyncssh.SSHKey, tmp_path: Path
) -> None:
    """Keys change in the middle of a file, asked for by both sides, and every byte arrives."""
    content = os.urandom(20 << 20)
    rooms.files[f"account-{USERNAME}"]["trade", "big"] = content
    async with (
        standing(rooms, tmp_path) as server,
        server.connect(key, rekey_bytes=200_000) as client,
        client.start_sftp_client() as sftp,
    ):
        (connection,) = server.hall._connections
        connection._rekey_bytes = 3 << 20
        async with sftp.open("/trade/big", "rb") as file:
            assert await file.read() == content


@pytest.mark.parametrize("number", [80, 90, 94])
async def test_requests_during_an_exchange_of_keys_end_the_connection(
    steady: Standing, key: asyncssh.SSHKey, number: int
) -> None:
    """What would have to be answered later is not taken: it would pile up without end."""
    client = await steady.connect(key)
    writer, *_ = await client.open_session(subsystem="sftp", encoding=None)
    bodies = {
        80: String(b"keepalive@openssh.com") + Boolean(value=True),
        90: String(b"session") + UInt32(9) + UInt32(1000) + UInt32(1000),
        94: UInt32(writer.channel._send_chan) + String(INIT),
    }
    client._send_kexinit()
    client._kexinit_sent = True
    # Past the library's own care not to.
    client._kex_complete = True
    for _ in range(100):
        client.send_packet(number, bodies[number])
    await asyncio.wait_for(client.wait_closed(), PATIENCE_S)


@pytest.mark.parametrize("bit", [0, 40, 100, 300])
async def test_altered_packet_ends_the_connection(
    steady: Standing, key: asyncssh.SSHKey, bit: int
) -> None:
    """One bit in a length, a ciphertext or a tag: nothing of the packet is believed."""
    client = await steady.connect(key)
    channel = (await raw_sftp(client))[1].channel
    send = client._send

    def alter(data: bytes) -> None:
        altered = bytearray(data)
        altered[bit // 8 % len(altered)] ^= 1 << bit % 8
        send(bytes(altered))

    client._send = alter
    channel.write(INIT)
    await asyncio.wait_for(client.wait_closed(), PATIENCE_S)


async def test_bytes_that_trickle_in_are_put_together(
    server: Standing, key: asyncssh.SSHKey
) -> None:
    """A client whose packets arrive byte by byte is served like any other."""
    async with server.connect(key) as client, client.start_sftp_client() as sftp:
        send, parts = client._transport.write, bytearray()
        client._transport = Trickle(client._transport, parts)
        assert await asyncio.wait_for(sftp.exists("/daily/2026-11-22.csv"), PATIENCE_S)
        assert parts
        assert callable(send)


async def test_two_hundred_sessions_read_at_once(tmp_path: Path) -> None:
    """Each gets its own bytes."""
    key, _ = new_key(tmp_path)
    rooms = StandIn()
    names = [f"client{number:04}" for number in range(20)]
    for name in names:
        rooms.add(name, key.public_data, files={("daily", "own"): name.encode() * 20_000})
    limits = {"sftp_handshakes": 1000, "sftp_connections_per_account": 20}
    async with standing(rooms, tmp_path, **limits) as server:

        async def fetch(name: str) -> bool:
            async with (
                server.connect(key, username=name, login_timeout=60) as client,
                client.start_sftp_client() as sftp,
                sftp.open("/daily/own", "rb") as file,
            ):
                content: bytes = await file.read()
                return content == name.encode() * 20_000

        assert all(await asyncio.gather(*[fetch(name) for name in names * 10]))
