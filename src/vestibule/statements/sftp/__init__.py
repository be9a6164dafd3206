"""The SFTP server: a face of statements that speaks SSH in a process of its own."""

from vestibule.statements.sftp.server import serve

__all__ = ["serve"]
