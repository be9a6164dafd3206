"""Nothing is published to an account whose certificate has expired: not in clear, not to it."""

import asyncio
import time
from typing import Any

import pysequoia

from tests.delivery.keeper import FROM, refused
from tests.desk import open_session
from tests.statements.operator_desk import Operator, chunks, wanted
from vestibule.base.clock import DAY
from vestibule.base.openpgp import is_encrypted
from vestibule.delivery import service as delivery
from vestibule.outside import openpgp
from vestibule.sessions.rules import Proof
from vestibule.statements import service
from vestibule.statements.rules import State

DATA = b"when,what,how much\n" * 5_000
EARLIER: dict[str, Any] = {"name": "activity-2026-11-20.csv", "period": "2026-11-20"}


async def certified(operator: Operator, days: int) -> pysequoia.Tsk:
    """Give the account a certificate that expires so many days from now."""
    # It is made by the machine's own clock, which need not be the test's.
    ahead = operator.scene.clock.now() // 1000 - int(time.time())
    made = pysequoia.Tsk.generate("Ada", validity_seconds=ahead + days * DAY // 1000)
    session, _ = await open_session(operator.scene, operator.account, proof=Proof.NUMBER)
    data = bytes(made.extract_certificate())
    await delivery.set_certificate(operator.scene.ctx, session, data=data, **FROM)
    return made


async def test_publishing_waits_for_a_certificate_that_is_valid(operator: Operator) -> None:
    """Before a byte is sent the publisher is told why; with another certificate it goes on."""
    await certified(operator, 10)
    assert (await operator.publish(DATA)).state is State.NEW
    operator.scene.clock.step(11 * DAY)
    ctx, publisher = operator.scene.ctx, operator.publisher
    whole = await refused(operator.publish(DATA, **EARLIER))
    in_parts = await refused(service.begin_upload(ctx, publisher, wanted(DATA, **EARLIER)))
    for no in (whole, in_parts):
        assert no.code.name == "certificate_expired"
        assert set(no.facts) == {"day"}
    # What is there already is there: said again, it is no new file to encrypt.
    assert (await operator.publish(DATA)).state is State.SAME
    assert len(await operator.stored()) == 1
    made = await certified(operator, 10)
    assert (await operator.publish(DATA, **EARLIER)).state is State.NEW
    [new] = [one for one in await operator.shown() if one.name == EARLIER["name"]]
    message = await operator.read(new)
    assert is_encrypted(message)
    assert pysequoia.decrypt(message, made.decryptor()).bytes == DATA


async def test_upload_that_was_under_way_is_not_finished_to_it(operator: Operator) -> None:
    """The certificate expires between the first part and the last: nothing is listed."""
    await certified(operator, 1)
    upload = await operator.append(await operator.begin(DATA), DATA)
    operator.scene.clock.step(DAY + 1)
    assert (
        await refused(service.finish(operator.scene.ctx, upload))
    ).code.name == "certificate_expired"
    assert await operator.shown() == []


async def test_plain_files_stay_hidden_beside_an_expired_certificate(operator: Operator) -> None:
    """What was in clear when it was set, and was not encrypted in time, is not shown in clear."""
    await operator.publish(DATA)
    await certified(operator, 1)
    operator.scene.clock.step(2 * DAY)
    assert await service.encrypt_plain(operator.scene.ctx) == 0
    assert await operator.shown() == []
    await certified(operator, 5)
    assert await service.encrypt_plain(operator.scene.ctx) == 1
    [shown] = await operator.shown()
    assert shown.encrypted_to is not None


async def test_the_library_itself_would_not_refuse() -> None:
    """Why all of this is asked: keys that have expired are encrypted to without a word."""
    made = pysequoia.Tsk.generate("Ada", validity_seconds=1)
    await asyncio.sleep(2.1)
    message = openpgp.encrypted(chunks(DATA), bytes(made.extract_certificate()))
    assert is_encrypted(b"".join([part async for part in message]))
