"""The HTTP house: one ASGI application on two origins, and the one place of wiring.

The portal and the phone app are told apart by the Host header; a request for any other name is
refused, so that no cache or link can be poisoned with a foreign one.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import structlog
from sqlalchemy import literal, select
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from vestibule import home
from vestibule.accounts.service import PasswordPool
from vestibule.activation import (
    device_api as activation_api,
    pages as activation_pages,
    service as activation,
)
from vestibule.base import audit, limits, log
from vestibule.base.clock import DAY, Clock, SystemClock
from vestibule.base.context import Context, Objects
from vestibule.base.database import Database, Tx
from vestibule.base.errors import Fault
from vestibule.base.sealing import Keys
from vestibule.base.settings import Settings
from vestibule.base.wake import LocalBus, WakeBus
from vestibule.contacts import pages as contacts_pages, service as contacts
from vestibule.delivery import (
    client_api as delivery_api,
    pages as delivery_pages,
    service as delivery,
)
from vestibule.devices import device_api as devices_api, pages as devices_pages
from vestibule.factors import (
    admin as factors_admin,
    pages as factors_pages,
    service as factors,
)
from vestibule.knowledge import (
    admin as knowledge_admin,
    device_api as knowledge_api,
    pages as knowledge_pages,
    service as knowledge,
)
from vestibule.login import device_api as login_api, pages as login_pages, service as login
from vestibule.notifications import (
    device_api as notifications_api,
    pages as notifications_pages,
    service as notifications,
)
from vestibule.outside.console import Outbox
from vestibule.outside.disk_objects import DiskObjects
from vestibule.outside.mail import mail_sender
from vestibule.outside.ntfy import Ntfy
from vestibule.outside.places import places
from vestibule.outside.redis_wake import RedisBus
from vestibule.outside.s3_objects import S3Objects
from vestibule.outside.text import Gateway
from vestibule.outside.web_push import WebPush
from vestibule.recovery import (
    device_api as recovery_api,
    pages as recovery_pages,
    service as recovery,
)
from vestibule.relying import oauth as relying_api, pages as relying_pages, service as relying
from vestibule.sessions import pages as sessions_pages, service as sessions
from vestibule.statements import (
    pages as statements_pages,
    publisher_api,
    service as statements,
)
from vestibule.support import (
    admin as support_admin,
    device_api as support_api,
    pages as support_pages,
    service as support,
)
from vestibule.web import language, platforms
from vestibule.web.middleware import (
    PORTAL_FEATURES,
    PORTAL_POLICY,
    Porch,
    transport_security,
)
from vestibule.web.phone_files import PHONE_FEATURES, PHONE_POLICY, PhoneFiles
from vestibule.web.problems import problem_json, problem_page
from vestibule.web.routing import Doors
from vestibule.web.static import static_file

_log = structlog.get_logger("vestibule.app")
_SWEEP_EVERY_S: Final = 300.0
_ALIVE: Final = select(literal(1).label("alive"))
_HEALTH: Final = frozenset({"/healthz", "/readyz"})


@asynccontextmanager
async def open_context(settings: Settings, *, clock: Clock | None = None) -> AsyncIterator[Context]:
    """Open everything that services are handed; on leaving, close it in the other order."""
    async with AsyncExitStack() as stack:
        keys = Keys.load(settings.data)
        db = await Database.open(settings.database)
        stack.push_async_callback(db.close)
        pool = PasswordPool(keys.sealer, threads=len(os.sched_getaffinity(0)))
        stack.callback(pool.close)
        bus: WakeBus = LocalBus()
        if settings.redis_url:
            redis = await RedisBus.open(settings.redis_url, keys.signing_id)
            stack.push_async_callback(redis.close)
            bus = redis
        push = await stack.enter_async_context(WebPush(settings, keys.vapid))
        ntfy = await stack.enter_async_context(Ntfy(settings)) if settings.ntfy_url else None
        outbox = Outbox()
        text = await stack.enter_async_context(Gateway(settings, outbox))
        objects = open_objects(settings)
        stack.callback(objects.close)
        stack.push_async_callback(notifications.settle)
        stack.push_async_callback(contacts.settle)
        yield Context(
            settings=settings,
            db=db,
            clock=clock or SystemClock(),
            keys=keys,
            wake=bus,
            passwords=pool,
            push=push,
            mail=mail_sender(settings, outbox),
            text=text,
            places=places(settings.geoip_file),
            objects=objects,
            enclosing=statements.enclosed,
            quoting=support.quoted,
            second_push=ntfy,
            articles=knowledge.open_library(settings),
        )


def open_objects(settings: Settings) -> Objects:
    """Where statements are kept, by the setting `statement_store`."""
    if settings.statement_store.startswith("s3://"):
        return S3Objects(settings)
    return DiskObjects(Path(settings.statement_store or settings.data / "statements"))


async def sweep(ctx: Context) -> None:
    """Delete what nobody can need any more: one small statement each, safe to run anywhere."""
    for task in (
        login.sweep_attempts,
        activation.sweep_tickets,
        contacts.sweep_codes,
        contacts.sweep_contacts,
        sessions.sweep_sessions,
        notifications.sweep_notices,
        recovery.sweep_cases,
        relying.sweep_grants,
        factors.sweep_factors,
        statements.sweep_statements,
        delivery.sweep_delivery,
        delivery.warn_expiring,
        support.sweep_tickets,
        support.sweep_attachments,
        support.sweep_diagnoses,
        support.sweep_presence,
        knowledge.sweep_feedback,
    ):
        await task(ctx)
    now = ctx.clock.now()

    async def body(tx: Tx) -> None:
        await limits.sweep(tx, now=now)
        await audit.sweep(tx, before=now - ctx.settings.audit_days * DAY)

    await ctx.db.write(body)


class House:
    """The application: its life, the choice of origin, its health.

    It can be pickled, for worker processes are started with it.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._origins: dict[str, ASGIApp] = {}
        self._ctx: Context | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the server's start and end."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and scope["path"] in _HEALTH:
            await (await self._health(scope["path"]))(scope, receive, send)
        elif scope["type"] == "http":
            host = next((value for name, value in scope["headers"] if name == b"host"), b"")
            origin = self._origins.get(host.decode("latin-1").lower(), _elsewhere)
            await origin(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        log.configure(self._settings.log_level)
        try:
            async with AsyncExitStack() as stack:
                clock = HookedClock() if self._settings.test_hooks else None
                ctx = await stack.enter_async_context(open_context(self._settings, clock=clock))
                self._ctx = ctx
                self._origins = origins(ctx)
                for task in _tasks(ctx):
                    stack.callback(asyncio.create_task(task).cancel)
                # What is here now stays: the collector need not look through it ever again.
                gc.collect()
                gc.freeze()
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:  # noqa: BLE001  -- told to the server, which ends
            _log.exception("start.failed")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
        else:
            await send({"type": "lifespan.shutdown.complete"})

    async def _health(self, path: str) -> Response:
        """Alive at once; ready when the database answers. For load balancers, under any name."""
        if path == "/healthz":
            return PlainTextResponse("alive\n")
        if self._ctx is None:
            return PlainTextResponse("starting\n", status_code=503)
        try:
            await self._ctx.db.one(_ALIVE)
        except Fault:
            return PlainTextResponse("database unavailable\n", status_code=503)
        wake = "" if self._ctx.wake.healthy else " (wake-ups are late: Redis does not answer)"
        return PlainTextResponse(f"ready{wake}\n")


def origins(ctx: Context) -> dict[str, ASGIApp]:
    """The two applications by the Host header that asks for them."""
    return {
        urlsplit(ctx.settings.portal_url).netloc.lower(): _portal(ctx),
        urlsplit(ctx.settings.phone_url).netloc.lower(): _phone(ctx),
    }


def _portal(ctx: Context) -> ASGIApp:
    settings = ctx.settings
    routes = [
        *home.routes,
        *login_pages.routes,
        *activation_pages.routes,
        *devices_pages.routes,
        *factors_pages.routes,
        *factors_admin.routes,
        *notifications_pages.routes,
        *contacts_pages.routes,
        *delivery_pages.routes,
        *recovery_pages.routes,
        *relying_pages.routes,
        *relying_api.routes,
        *delivery_api.routes,
        *publisher_api.routes,
        *statements_pages.routes,
        *support_pages.routes,
        *support_admin.routes,
        *sessions_pages.routes,
        *knowledge_admin.routes,
        *language.routes,
        Route("/static/{name:path}", static_file, methods=["GET"]),
        # Last: their addresses begin with a language.
        *knowledge_pages.routes,
    ]
    if settings.test_hooks:
        routes += hook_routes(ctx)
    return Porch(
        Doors(routes),
        ctx=ctx,
        headers={
            "content-security-policy": PORTAL_POLICY,
            "permissions-policy": PORTAL_FEATURES,
            **transport_security(settings.portal_url),
        },
        answer=problem_page,
    )


def _phone(ctx: Context) -> ASGIApp:
    return Porch(
        Doors(
            [
                *login_api.routes,
                *activation_api.routes,
                *devices_api.routes,
                *notifications_api.routes,
                *recovery_api.routes,
                *support_api.routes,
                *knowledge_api.routes,
                Route("/{path:path}", PhoneFiles().serve, methods=["GET", "HEAD"]),
            ]
        ),
        ctx=ctx,
        headers={
            "content-security-policy": PHONE_POLICY,
            "permissions-policy": PHONE_FEATURES,
            **transport_security(ctx.settings.phone_url),
            **platforms.asked_hints(ctx.settings),
        },
        answer=problem_json,
    )


_elsewhere = PlainTextResponse("unknown_host: use the address that you were given.\n", 421)


def _tasks(ctx: Context) -> list[Coroutine[None, None, None]]:
    """What each process does beside serving, for as long as it lives."""
    tasks = [_sweep_for_ever(ctx), statements.encrypt_for_ever(ctx)]
    if ctx.settings.telling:
        bell = notifications.Bell()
        ctx.db.after_commit(bell.ring)
        tasks.append(notifications.tell_for_ever(ctx, bell))
        tasks += [statements.tell_ready_for_ever(ctx), support.remind_for_ever(ctx)]
    return tasks


async def _sweep_for_ever(ctx: Context) -> None:
    while True:
        await asyncio.sleep(_SWEEP_EVERY_S)
        try:
            await sweep(ctx)
        except Exception:  # noqa: BLE001
            # The next round comes; a sweep that fails harms nobody until the disk is full.
            _log.exception("sweep.failed")


# --- what the test suite may ask of a running server (setting `test_hooks`) -------------------


class HookedClock(SystemClock):
    """The machine's clock with an offset, so that tests need not wait for expiries."""

    def __init__(self) -> None:
        self.offset = 0

    def now(self) -> int:
        """Milliseconds since the epoch, moved."""
        return super().now() + self.offset


def hook_routes(ctx: Context) -> list[Route]:
    """What tests ask of a running server.

    POST /test/clock?step_ms=n moves the clock; /test/counters counts statements and commits;
    /test/outbox lists the mails, texts and calls that were shown in the terminal.
    """
    counters = {"statement": 0, "commit": 0}
    seen: list[str] = []

    def count(kind: str, sql: str) -> None:
        if kind in counters:
            counters[kind] += 1
            seen.append(sql)

    ctx.db.observe(count)

    async def step(request: Request) -> Response:
        if isinstance(ctx.clock, HookedClock):
            ctx.clock.offset += int(request.query_params["step_ms"])
        return JSONResponse({"now": ctx.clock.now()})

    async def show(request: Request) -> Response:
        answer = {
            "statements": counters["statement"],
            "commits": counters["commit"],
            "seen": list(seen),
        }
        if request.method == "POST":
            counters.update(statement=0, commit=0)
            seen.clear()
        return JSONResponse(answer)

    async def outbox(_request: Request) -> Response:
        shown = ctx.text.outbox.shown if isinstance(ctx.text, Gateway) else []
        return JSONResponse({"messages": [asdict(message) for message in shown]})

    return [
        Route("/test/clock", step, methods=["POST"]),
        Route("/test/counters", show, methods=["GET", "POST"]),
        Route("/test/outbox", outbox, methods=["GET"]),
    ]
