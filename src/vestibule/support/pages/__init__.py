"""What clients see of the desk: the message centre, a new conversation, one that goes on."""

from vestibule.support.pages import centre, conversation, diagnoses, files, notices, writing

routes = [
    *centre.routes,
    *writing.routes,
    *notices.routes,
    *files.routes,
    *diagnoses.routes,
    *conversation.routes,
]
"""A fixed address stands before the pattern that it would match."""
