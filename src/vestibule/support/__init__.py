"""The desk: clients write, staff answers; what is attached, and captures that are safe to send."""
