"""Known browsers: those from which a sign-in need not type a number."""

from vestibule.base import audit
from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.protocol.encoding import b64u, b64u_decode
from vestibule.protocol.errors import ProtocolFault
from vestibule.sessions import store
from vestibule.sessions.rules import KnownBrowser


def browser_digest(ctx: Context, browser_secret: str) -> bytes:
    """The mark of a known browser. Signing in asks for it together with the account's id.

    It is the same for every account of one browser: the sign-in's single read has to look it up
    before the account is known.
    """
    return ctx.sealer.digest("browser", browser_secret)


def browser_id(ctx: Context, browser_secret: str) -> str:
    """The id under which `list_known_browsers` lists the browser with this secret."""
    return b64u(browser_digest(ctx, browser_secret))


async def list_known_browsers(ctx: Context, account_id: str) -> list[KnownBrowser]:
    """Browsers from which the account may sign in without typing a number."""
    since = known_since(ctx, ctx.clock.now())
    found: dict[str, KnownBrowser] = {}
    for row in await ctx.db.all(store.KNOWN_BROWSERS, account_id=account_id, since=since):
        id_ = b64u(row["browser_digest"])
        # Rows come latest first: that sign-in says what the browser is called now.
        found.setdefault(
            id_,
            KnownBrowser(
                id=id_,
                browser=row["browser"],
                place=row["place"],
                signed_in_at=row["opened_at"],
            ),
        )
    return list(found.values())


def known_since(ctx: Context, now: int) -> int:
    """Sign-ins before this moment no longer make a browser known."""
    return now - ctx.settings.known_browser_days * DAY


async def forget_browser(
    ctx: Context, *, account_id: str, browser_id: str | None, source: str
) -> bool:
    """Forget one known browser, or all with None: the next sign-in from it asks for the number."""
    try:
        digest = b64u_decode(browser_id, 32) if browser_id else None
    except ProtocolFault:
        return False
    now = ctx.clock.now()

    async def body(tx: Tx) -> int:
        if digest is None:
            changed = await tx.run(store.FORGET_ALL, account_id_=account_id)
        else:
            changed = await tx.run(store.FORGET, account_id_=account_id, browser_digest_=digest)
        if changed:
            await audit.record(
                tx,
                event="session.browser_forgotten",
                account_id=account_id,
                subject=account_id,
                actor="browser",
                source=source,
                result="ok",
                at=now,
            )
        return changed

    return bool(await ctx.db.write(body))


async def forget_reported(tx: Tx, *, account_id: str, browser_digest: bytes | None) -> None:
    """Forget the browser of a reported sign-in, inside the caller's transaction.

    Else the report itself would leave it known: it may have opened a session before.
    """
    if browser_digest is not None:
        await tx.run(store.FORGET, account_id_=account_id, browser_digest_=browser_digest)
