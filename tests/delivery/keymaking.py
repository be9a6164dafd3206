"""Keys as the programs of clients make and write them."""

import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)
from pysequoia import ArmorKind, Tsk, armor

from vestibule.protocol.encoding import b64u, render_json

PASSPHRASE = b"nine geese"


def run(*command: str | Path, folder: Path) -> bytes:
    """What a program wrote to its standard output."""
    return subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout


def typed_at(command: str, folder: Path, *answers: str) -> None:
    """Run a command at a terminal of its own and answer its questions, as a person does."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        os.execvp("sh", ["sh", "-c", f"exec {command}"])  # noqa: S606  -- `sh` is the shell
    for answer in answers:
        heard = b""
        while not heard.rstrip().endswith(b":"):
            heard += os.read(terminal, 1024)
        os.write(terminal, answer.encode() + b"\n")
    try:
        while os.read(terminal, 1024):
            pass
    except OSError:
        pass  # the terminal's other end was closed: the program has ended
    assert os.waitpid(process, 0)[1] == 0
    os.close(terminal)


def openssh(folder: Path, kind: str, *options: str, passphrase: str = "") -> Path:
    """A pair of keys by ssh-keygen: the path of the private one."""
    path = folder / f"{kind}{len(list(folder.iterdir()))}"
    run("ssh-keygen", "-q", "-t", kind, *options, "-N", passphrase, "-f", path, folder=folder)
    return path


def fingerprint(public: Path) -> str:
    """``SHA256:…`` as ssh-keygen shows it."""
    return run("ssh-keygen", "-l", "-f", public, folder=public.parent).split()[1].decode()


# --- private keys ------------------------------------------------------------------------------


def private_forms(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every form in which tools write private keys, by name."""
    yield from _putty(folder)
    yield from _openssh(folder)
    rsa_key = rsa.generate_private_key(65537, 2048)
    p256 = ec.generate_private_key(ec.SECP256R1())
    edwards = ed25519.Ed25519PrivateKey.generate()
    for name, key in (("rsa", rsa_key), ("p256", p256), ("ed25519", edwards)):
        for encryption in (NoEncryption(), BestAvailableEncryption(PASSPHRASE)):
            locked = "" if isinstance(encryption, NoEncryption) else " locked"
            for wrapping, encoding in (("pem", Encoding.PEM), ("der", Encoding.DER)):
                yield (
                    f"{name} pkcs8 {wrapping}{locked}",
                    key.private_bytes(encoding, PrivateFormat.PKCS8, encryption),
                )
            yield (
                f"{name} openssh{locked}",
                key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, encryption),
            )
    for name, old in (("rsa", rsa_key), ("p256", p256), ("dsa", dsa.generate_private_key(2048))):
        for wrapping, encoding in (("pem", Encoding.PEM), ("der", Encoding.DER)):
            traditional = old.private_bytes(
                encoding, PrivateFormat.TraditionalOpenSSL, NoEncryption()
            )
            yield f"{name} traditional {wrapping}", traditional
        yield (
            f"{name} traditional locked",
            old.private_bytes(
                Encoding.PEM,
                PrivateFormat.TraditionalOpenSSL,
                BestAvailableEncryption(PASSPHRASE),
            ),
        )
    yield (
        "pkcs12",
        pkcs12.serialize_key_and_certificates(
            b"mine", rsa_key, None, None, BestAvailableEncryption(PASSPHRASE)
        ),
    )
    yield from _json(rsa_key, p256, edwards)
    secret = bytes(Tsk.generate("Morgan <morgan@example.org>"))
    yield "pgp", secret
    yield "pgp armored", armor(secret, ArmorKind.SecretKey).encode()


def _putty(folder: Path) -> Iterator[tuple[str, bytes]]:
    for passphrase in ("", "nine geese"):
        secret = folder / f"passphrase{bool(passphrase)}"
        secret.write_text(passphrase)
        locked = " locked" if passphrase else ""
        for kind in ("rsa", "ed25519"):
            for version in ("2", "3"):
                path = folder / f"{kind}{version}{bool(passphrase)}.ppk"
                run(
                    *("puttygen", "-q", "-t", kind, "-o", path, "--new-passphrase", secret),
                    *("--ppk-param", f"version={version}"),
                    folder=folder,
                )
                yield f"{kind} ppk {version}{locked}", path.read_bytes()
                yield from _exported(path, secret, f"{kind}{version}{locked}", folder)


def _exported(ppk: Path, secret: Path, name: str, folder: Path) -> Iterator[tuple[str, bytes]]:
    # ssh.com's form has no keys of Ed25519.
    forms = ["private-openssh", "private-openssh-new", "text"]
    for form in [*forms, *(["private-sshcom"] if name.startswith("rsa") else [])]:
        out = folder / f"{name}{form}".replace(" ", "")
        run(
            *("puttygen", ppk, "-O", form, "-o", out),
            *("--old-passphrase", secret, "--new-passphrase", secret),
            folder=folder,
        )
        yield f"{name} {form}", out.read_bytes()


def _openssh(folder: Path) -> Iterator[tuple[str, bytes]]:
    for kind in ("ed25519", "ecdsa", "rsa"):
        for passphrase in ("", "nine geese"):
            for form in ("RFC4716", "PKCS8", "PEM"):
                bits = ["-b", "2048"] if kind == "rsa" else []
                path = openssh(folder, kind, "-m", form, *bits, passphrase=passphrase)
                locked = " locked" if passphrase else ""
                yield f"ssh-keygen {kind} {form}{locked}", path.read_bytes()


def _json(
    rsa_key: rsa.RSAPrivateKey, p256: ec.EllipticCurvePrivateKey, edwards: ed25519.Ed25519PrivateKey
) -> Iterator[tuple[str, bytes]]:
    def number(value: int) -> str:
        return b64u(value.to_bytes((value.bit_length() + 7) // 8, "big"))

    numbers = rsa_key.private_numbers()
    of_rsa = {"kty": "RSA", "n": number(numbers.public_numbers.n), "e": "AQAB"}
    of_rsa |= {"d": number(numbers.d), "p": number(numbers.p), "q": number(numbers.q)}
    of_ec = {"kty": "EC", "crv": "P-256", "d": number(p256.private_numbers().private_value)}
    of_edwards = {"crv": "Ed25519", "d": b64u(edwards.private_bytes_raw()), "kty": "OKP"}
    yield "jwk rsa", render_json(of_rsa)
    yield "jwk set", b'{"keys": [' + render_json(of_ec) + b", " + render_json(of_edwards) + b"]}"
    yield "jwk in a string", repr(render_json(of_edwards).decode()).replace('"', '\\"').encode()
    yield "jwk of Python", str(of_ec).encode()
    public = edwards.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    # A line that somebody made of a private key's own numbers.
    der = edwards.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    yield "comment in hexadecimal", public + b" " + der.hex().encode()
