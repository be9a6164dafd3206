"""Members of staff: named by the operator, known by their session."""

import pytest

from tests.desk import Desk
from vestibule.accounts import service as accounts
from vestibule.base.errors import Refused
from vestibule.staff import service
from vestibule.staff.rules import Member, Role, may_decide


async def test_a_member_is_known_by_their_session_until_removed(desk: Desk) -> None:
    """With the role that was given last; the journal has every step."""
    scene = desk.scene
    account = await scene.account()
    session = await desk.sign_in(account)
    assert await service.member_of(scene.ctx, session) is None
    with pytest.raises(Refused, match="not_found"):
        await service.get_member(scene.ctx, session)
    await service.add_member(scene.ctx, account, role=Role.SUPPORT)
    await service.add_member(scene.ctx, account, role=Role.OFFICER)
    member = await service.get_member(scene.ctx, session)
    assert (member.username, member.role, member.officer) == ("morgan", Role.OFFICER, True)
    assert await service.list_members(scene.ctx) == [member]
    assert await service.remove_member(scene.ctx, account)
    assert not await service.remove_member(scene.ctx, account)
    assert await service.member_of(scene.ctx, session) is None
    told = [row["event"] for row in await scene.events() if row["event"].startswith("staff.")]
    assert told == ["staff.added", "staff.added", "staff.removed"]


async def test_a_closed_account_is_nobody_of_the_staff(desk: Desk) -> None:
    """Closing an account is enough to end its powers."""
    scene = desk.scene
    account = await scene.account()
    session = await desk.sign_in(account)
    await service.add_member(scene.ctx, account, role=Role.OFFICER)
    await accounts.set_disabled(scene.ctx, account_id=account.id, disabled=True)
    assert await service.member_of(scene.ctx, session) is None


@pytest.mark.parametrize(
    "role, asked_by, client, decides",
    [
        (Role.OFFICER, "other", "client", True),
        (Role.OFFICER, "me", "client", False),
        (Role.OFFICER, "other", "me", False),
        (Role.SUPPORT, "other", "client", False),
    ],
)
def test_four_eyes_and_nobody_in_their_own_cause(
    *, role: Role, asked_by: str, client: str, decides: bool
) -> None:
    """An officer decides about what another asked for somebody else."""
    member = Member(account_id="me", username="m", display_name="M", role=role, since=1)
    assert may_decide(member, asked_by=asked_by, client=client) is decides
