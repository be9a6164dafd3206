"""The ground: bytes and proofs of the phone protocol, without any I/O."""
