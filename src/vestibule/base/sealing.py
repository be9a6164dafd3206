"""Keys at rest: the keys folder, and what is sealed under the master key.

The master key lives in a file outside the database, so a stolen dump opens nothing. Every use
gets its own subkey, ``HKDF-SHA256(master, info="vestibule/1/<purpose>")`` (RFC 5869): what was
sealed for one purpose can never be taken for another.
"""

import hmac
import os
import secrets
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vestibule.protocol.keys import kid_of, public_bytes

_VERSION = b"\x01"
_SALT = 16
_NONCE = 12
_HEAD = len(_VERSION) + _SALT + _NONCE
_EXPIRY = 8


class KeysRefused(Exception):  # noqa: N818  -- reads as what it is
    """The keys folder is missing, unreadable or open to others; the message says what to do."""


class Unsealable(Exception):  # noqa: N818  -- reads as what it is
    """This was not sealed by us for this purpose and this place, or it was altered."""


class Sealer:
    """Seals, opens and digests under subkeys of one master key (32 bytes)."""

    def __init__(self, master: bytes) -> None:
        if len(master) != 32:
            raise KeysRefused("the master key must be 32 bytes long")
        self._master = master
        self._subkeys: dict[str, bytes] = {}

    def _subkey(self, purpose: str) -> bytes:
        key = self._subkeys.get(purpose)
        if key is None:
            info = f"vestibule/1/{purpose}".encode()
            key = HKDF(hashes.SHA256(), length=32, salt=None, info=info).derive(self._master)
            self._subkeys[purpose] = key
        return key

    def _cipher(self, purpose: str, salt: bytes) -> AESGCM:
        # A key of its own for every message: random 96-bit nonces under one key would be safe
        # for 2^32 messages only, which busy cookies reach within months.
        return AESGCM(hmac.digest(self._subkey(purpose), salt, "sha256"))

    def seal(self, purpose: str, plaintext: bytes, bound: bytes = b"") -> bytes:
        """AES-256-GCM: version ‖ salt ‖ nonce ‖ ciphertext and tag.

        ``bound`` names the place (say, the row's id): moved to another place it does not open.
        """
        fresh = secrets.token_bytes(_SALT + _NONCE)
        salt, nonce = fresh[:_SALT], fresh[_SALT:]
        return _VERSION + fresh + self._cipher(purpose, salt).encrypt(nonce, plaintext, bound)

    def open(self, purpose: str, sealed: bytes, bound: bytes = b"") -> bytes:
        """What was sealed. Raises Unsealable."""
        if sealed[:1] != _VERSION or len(sealed) < _HEAD:
            raise Unsealable(purpose)
        salt, nonce = sealed[1 : 1 + _SALT], sealed[1 + _SALT : _HEAD]
        try:
            return self._cipher(purpose, salt).decrypt(nonce, sealed[_HEAD:], bound)
        except InvalidTag:
            raise Unsealable(purpose) from None

    def digest(self, purpose: str, *parts: str | bytes) -> bytes:
        """HMAC-SHA-256 over the parts, each preceded by its length: 32 bytes.

        Keeps short secrets (tickets, cookies, codes) in the database: without the master key
        a dump cannot even be searched by trying all of them.
        """
        message = bytearray()
        for part in parts:
            raw = part.encode() if isinstance(part, str) else part
            message += len(raw).to_bytes(4, "big") + raw
        # Apart from the subkey for sealing, though the purpose be the same word.
        return hmac.digest(self._subkey(f"digest/{purpose}"), bytes(message), "sha256")

    def token(self, purpose: str, data: bytes, *, expires_at: int, bound: bytes = b"") -> str:
        """A sealed text for cookies and hidden fields that ends at ``expires_at`` (ms)."""
        sealed = self.seal(f"token/{purpose}", expires_at.to_bytes(_EXPIRY, "big") + data, bound)
        return urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")

    def untoken(self, purpose: str, token: str, *, now: int, bound: bytes = b"") -> bytes | None:
        """What ``token`` sealed, or None: altered, of another purpose or place, or over."""
        try:
            sealed = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
            opened = self.open(f"token/{purpose}", sealed, bound)
        except (Unsealable, NotBase64, UnicodeEncodeError):
            return None
        if int.from_bytes(opened[:_EXPIRY], "big") <= now:
            return None
        return opened[_EXPIRY:]


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of this house."""

    sealer: Sealer
    signing: ec.EllipticCurvePrivateKey
    """P-256, ES256; phones pin its thumbprint."""
    encryption: ec.EllipticCurvePrivateKey
    """P-256, ECDH: phones encrypt their response keys to it."""
    vapid: ec.EllipticCurvePrivateKey
    """P-256, ES256: names us to push services (RFC 8292)."""
    signing_id: str
    """Key id of the signing key, which every request that it signs carries."""

    @classmethod
    def create(cls, data: Path) -> "Keys":
        """Make the keys folder in ``data`` where it is missing, and load it.

        Never replaces a key. Raises KeysRefused.
        """
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = _folder(data)
        folder.mkdir(mode=0o700, exist_ok=True)
        _write_once(folder / "master.key", secrets.token_bytes(32))
        for name in _PAIRS:
            _write_once(folder / f"{name}.pem", _fresh_pem())
        return cls.load(data)

    @classmethod
    def load(cls, data: Path) -> "Keys":
        """Load the keys folder in ``data``. Raises KeysRefused."""
        folder = _folder(data)
        _demand_private(folder, "700")
        sealer = Sealer(_read_private(folder / "master.key"))
        pairs = {name: _private_key(folder / f"{name}.pem") for name in _PAIRS}
        signing_id = kid_of(public_bytes(pairs["signing"]))
        return cls(sealer=sealer, signing_id=signing_id, **pairs)


_PAIRS = ("signing", "encryption", "vapid")


def _folder(data: Path) -> Path:
    return data / "keys"


def _fresh_pem() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write_once(path: Path, content: bytes) -> None:
    """Create ``path`` complete or not at all: workers may start together, and crash."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()


def _demand_private(path: Path, mode: str) -> None:
    try:
        status = path.stat()
    except FileNotFoundError:
        raise KeysRefused(f"{path} is missing: `vestibule init` makes it") from None
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeysRefused(
            f"{path} may be read by other users of this machine: run `chmod {mode} {path}`, and "
            "replace the keys if others have had access"
        )


def _read_private(path: Path) -> bytes:
    _demand_private(path, "600")
    try:
        return path.read_bytes()
    except PermissionError:
        raise KeysRefused(f"{path} cannot be read: it belongs to another user") from None


def _private_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(_read_private(path), password=None)
    except ValueError:
        raise KeysRefused(f"{path} holds no private key in PEM form") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise KeysRefused(f"{path} must hold a P-256 private key")
    return key
