"""For staff: what waits, conversations with their clients, answers kept ready.

Other rooms' parts of the desk come through the same door (`gate.at_desk`).
"""

from vestibule.support.admin import canned, captures, conversation, files, listing

__all__ = ["routes"]

routes = [
    *listing.routes,
    *conversation.routes,
    *files.routes,
    *captures.routes,
    *canned.routes,
]
