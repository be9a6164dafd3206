"""Recovery codes and code cards: printed by their owner, each answer good once."""

import pytest

from tests.desk import Desk
from tests.factors.test_service import RACERS, owner, race, told, usable, verify
from tests.login.scene import HERE, Scene
from vestibule.base.clock import DAY
from vestibule.base.errors import Refused
from vestibule.factors import service
from vestibule.factors.rules import Factor, Kind, card
from vestibule.factors.store import factor as factor_table
from vestibule.sessions.rules import Proof, Session

# --- recovery codes ---------------------------------------------------------------------------


async def codes_of(scene: Scene, session: Session) -> tuple[Factor, tuple[str, ...]]:
    """Ten codes and their factor."""
    made = await service.make_codes(scene.ctx, session=session, label="Codes", visitor=HERE)
    (factor,) = [
        one
        for one in await service.list_factors(scene.ctx, session.account_id)
        if one.kind is Kind.RECOVERY_CODES
    ]
    return factor, made


async def test_each_recovery_code_is_good_once(desk: Desk) -> None:
    """Ten of them, then none: the page says how many are left."""
    scene = desk.scene
    session = await owner(desk)
    factor, made = await codes_of(scene, session)
    assert len(set(made)) == 10
    for number, code in enumerate(made, 1):
        assert await verify(scene, factor, code.lower()) is Proof.RECOVERY_CODE
        (now,) = await service.list_factors(scene.ctx, session.account_id)
        assert now.left == 10 - number
        with pytest.raises(Refused, match=r"factor_wrong|factor_spent"):
            await verify(scene, factor, code)
    assert await usable(scene, session.account_id) == []
    with pytest.raises(Refused, match="factor_spent"):
        await verify(scene, factor, made[0])


async def test_one_recovery_code_opens_once_however_many_race(desk: Desk) -> None:
    """Of sixty-four answers with one code a single one counts, and nine codes are left."""
    scene = desk.scene
    session = await owner(desk)
    factor, made = await codes_of(scene, session)
    ends = await race(RACERS, lambda: verify(scene, factor, made[4]))
    assert sorted(ends) == ["factor_wrong"] * (RACERS - 1) + ["ok"]
    assert (await service.list_factors(scene.ctx, session.account_id))[0].left == 9


async def test_new_codes_make_the_old_ones_void(desk: Desk) -> None:
    """Also when the old ones were used up; and it is told of as what it is."""
    scene = desk.scene
    session = await owner(desk)
    factor, old = await codes_of(scene, session)
    for code in old:
        await verify(scene, factor, code)
    same, new = await codes_of(scene, session)
    assert (same.id, same.left) == (factor.id, 10)
    with pytest.raises(Refused, match="factor_wrong"):
        await verify(scene, factor, old[0])
    assert await verify(scene, same, new[0]) is Proof.RECOVERY_CODE
    assert "codes.renewed" in await told(scene)


async def test_codes_are_not_in_the_database(desk: Desk) -> None:
    """Only digests, which without the house's key cannot even be searched."""
    scene = desk.scene
    _, made = await codes_of(scene, await owner(desk))
    rows = repr(await scene.rows(factor_table)) + repr(await scene.events())
    for code in made:
        assert code not in rows
        assert code.replace("-", "") not in rows


# --- the code card ----------------------------------------------------------------------------


async def printed(scene: Scene, session: Session) -> tuple[Factor, dict[int, str]]:
    """A card that is activated, and its cells."""
    made = await service.make_card(scene.ctx, session=session, label="Card", source="x")
    shown = await service.show_card(scene.ctx, session, made.id)
    cells = {cell.index: cell.value for cell in shown.cells}
    answer = "".join(cells[index] for index in shown.indexes)
    await service.activate_card(scene.ctx, session=session, id=made.id, answer=answer, visitor=HERE)
    return await service.get_factor(scene.ctx, session, made.id), cells


async def asked(scene: Scene, factor: Factor, attempt: str = "a") -> list[int]:
    """The two numbers that a page asks for."""
    question = await service.challenge(scene.ctx, factor, attempt, "123456")
    numbers: list[int] = question["indexes"]
    return numbers


async def test_a_card_answers_for_its_owner_for_three_weeks(desk: Desk) -> None:
    """From its activation on; then it is over."""
    scene = desk.scene
    factor, cells = await printed(scene, await owner(desk))
    scene.clock.step(21 * DAY - 1)
    answer = " ".join(cells[index] for index in await asked(scene, factor))
    assert await verify(scene, factor, answer) is Proof.CODE_CARD
    scene.clock.step(1)
    answer = "".join(cells[index] for index in await asked(scene, factor))
    with pytest.raises(Refused, match="factor_spent"):
        await verify(scene, factor, answer)


async def test_asking_again_does_not_fish_for_known_cells(desk: Desk) -> None:
    """The same two numbers, in this sign-in and in any other, until they were answered."""
    scene = desk.scene
    factor, cells = await printed(scene, await owner(desk))
    numbers = await asked(scene, factor)
    assert [await asked(scene, factor, f"attempt {n}") for n in range(5)] == [numbers] * 5
    with pytest.raises(Refused, match="factor_wrong"):
        await verify(scene, factor, "AAABBB")
    assert await asked(scene, factor) == numbers
    await verify(scene, factor, "".join(cells[index] for index in numbers))
    assert not set(numbers) & set(await asked(scene, factor))


async def test_a_cards_answer_counts_once_however_many_race(desk: Desk) -> None:
    """The next answer needs other cells."""
    scene = desk.scene
    factor, cells = await printed(scene, await owner(desk))
    answer = "".join(cells[index] for index in await asked(scene, factor))
    ends = await race(RACERS, lambda: verify(scene, factor, answer))
    assert sorted(ends) == ["factor_wrong"] * (RACERS - 1) + ["ok"]


async def test_the_old_card_holds_until_the_new_one_is_activated(desk: Desk) -> None:
    """Whoever prints a card and loses it before is not locked out; afterwards one card counts."""
    scene = desk.scene
    session = await owner(desk)
    old, _ = await printed(scene, session)
    first = await service.make_card(scene.ctx, session=session, label="Card", source="x")
    second = await service.make_card(scene.ctx, session=session, label="Card", source="x")
    with pytest.raises(Refused, match="factor_unknown"):
        await service.show_card(scene.ctx, session, first.id)
    assert [one.id for one in await usable(scene, session.account_id)] == [old.id]
    shown = await service.show_card(scene.ctx, session, second.id)
    with pytest.raises(Refused, match="factor_wrong"):
        await service.activate_card(
            scene.ctx, session=session, id=second.id, answer="AAAAAA", visitor=HERE
        )
    values = {cell.index: cell.value for cell in shown.cells}
    answer = "".join(values[index] for index in shown.indexes)
    await service.activate_card(
        scene.ctx, session=session, id=second.id, answer=answer, visitor=HERE
    )
    assert [one.id for one in await usable(scene, session.account_id)] == [second.id]
    with pytest.raises(Refused, match="factor_confirmed"):
        await service.show_card(scene.ctx, session, second.id)
    assert len(shown.cells) == card.CELLS
