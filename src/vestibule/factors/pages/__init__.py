"""Settings: the account's second factors beside its phones."""

from vestibule.factors.pages import listing, making

routes = [*listing.routes, *making.routes]
