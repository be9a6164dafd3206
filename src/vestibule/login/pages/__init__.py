"""The sign-in's pages. No step knows another: each returns to `/login/next`, which decides."""

from vestibule.login.pages import choosing, entrance, following, waiting

routes = [
    *entrance.routes,
    *choosing.routes,
    *waiting.routes,
    *following.routes,
]
