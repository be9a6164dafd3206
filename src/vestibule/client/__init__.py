"""The reference phone: the protocol's other side, knowing only `protocol`."""
