"""The desk: tickets, their messages and attachments, and the staff who answer."""
