"""Second factors beside the phone: authenticator apps, passkeys, codes on paper, passes."""
