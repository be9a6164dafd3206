"""The sign-in's pages. No step knows another: each returns to `/login/next`, which decides."""

from vestibule.login.pages import (
    choosing,
    entrance,
    following,
    passkeys,
    proving,
    scanning,
    stepping_up,
    waiting,
)

routes = [
    *entrance.routes,
    *choosing.routes,
    *scanning.routes,
    *waiting.routes,
    *proving.routes,
    *passkeys.routes,
    *stepping_up.routes,
    *following.routes,
]
