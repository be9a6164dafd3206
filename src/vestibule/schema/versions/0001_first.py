"""The first tables."""

from alembic import op

from vestibule.base import audit
from vestibule.schema.tables import journalled, metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    bind = op.get_bind()
    metadata.create_all(bind)
    for statement in audit.guards(bind.dialect.name):
        op.execute(statement)
    for table, has_state in journalled().items():
        for statement in audit.triggers(table, bind.dialect.name, has_state=has_state):
            op.execute(statement)
