"""The tables of the desk: tickets, messages, attachments."""

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Nothing yet."""
