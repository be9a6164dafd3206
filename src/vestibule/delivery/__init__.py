"""How an account's programs fetch its statements: keys, networks, a certificate, a log."""
