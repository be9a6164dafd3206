"""The portal's pages of statements: the list, downloads, and how new ones are told of."""

from vestibule.statements.pages import downloading, listing, notices

routes = [*listing.routes, *downloading.routes, *notices.routes]

__all__ = ["routes"]
