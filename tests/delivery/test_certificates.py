"""Certificates that GnuPG and Sequoia make are taken, or refused for the reason that holds."""

import base64
import time
from collections.abc import Iterator

import pysequoia
import pytest

from tests.gnupg import GnuPG, gnupg
from vestibule.base.errors import Refused
from vestibule.base.openpgp import Tag, packets
from vestibule.delivery.rules import NewCertificate, parse_certificate
from vestibule.delivery.rules.certificates import CERTIFICATE_MOST, days_left, warning_due

DAY = 86_400_000
LONG_AGO = "20200101T000000"
THEN = "20200102T000000"


@pytest.fixture(scope="module")
def gpg() -> Iterator[GnuPG]:
    """GnuPG with an empty home."""
    with gnupg() as opened:
        yield opened


def now() -> int:
    """The real time, in milliseconds: the programs that make keys know no other."""
    return int(time.time() * 1000)


def taken(data: bytes) -> NewCertificate:
    """The certificate, read now."""
    return parse_certificate(data, now=now())


def why_not(data: bytes) -> str:
    """The code that a certificate is refused with."""
    with pytest.raises(Refused) as refused:
        parse_certificate(data, now=now())
    return refused.value.code.name


def sequoia(**options: object) -> tuple[pysequoia.Tsk, bytes]:
    """A key that Sequoia makes, and its certificate."""
    made = pysequoia.Tsk.generate("Ada <ada@keys.example>", **options)  # type: ignore[arg-type]
    return made, bytes(made.extract_certificate())


@pytest.mark.parametrize(
    "primary, sub, spoken",
    [
        ("ed25519", "cv25519", "Curve25519"),
        ("rsa3072", "rsa3072", "RSA 3072"),
        ("rsa2048", "rsa2048", "RSA 2048"),
        ("nistp256", "nistp384", "NIST P-384"),
    ],
)
def test_certificates_of_gnupg_are_taken(gpg: GnuPG, primary: str, sub: str, spoken: str) -> None:
    """Armored or binary, with what its owner's program shows: fingerprint, name and kind."""
    name = f"take-{primary}"
    fingerprint = gpg.pair(name, primary, sub)
    binary = taken(gpg.certificate(fingerprint))
    assert taken(gpg.certificate(fingerprint, "--armor")) == binary
    assert (binary.fingerprint, binary.version, binary.expires_at) == (fingerprint, 4, None)
    assert (binary.user_id, binary.algorithm) == (f"{name} <{name}@keys.example>", spoken)


@pytest.mark.parametrize(
    "options, version, spoken",
    [
        ({"profile": pysequoia.Profile.RFC9580}, 6, "Curve25519"),
        ({"profile": pysequoia.Profile.RFC4880}, 4, "Curve25519"),
        (
            {
                "profile": pysequoia.Profile.RFC9580,
                "cipher_suite": pysequoia.CipherSuite.MLDSA65_Ed25519,
            },
            6,
            "ML-KEM-768 + X25519",
        ),
    ],
)
def test_both_versions_are_taken(options: dict[str, object], version: int, spoken: str) -> None:
    """RFC 4880 as well as RFC 9580, with keys that a quantum computer will not break."""
    made, data = sequoia(**options, validity_seconds=86_400)
    new = taken(data)
    assert (new.version, new.algorithm) == (version, spoken)
    assert new.fingerprint == made.extract_certificate().fingerprint.upper()
    assert new.expires_at is not None
    assert abs(new.expires_at - now() - DAY) < 10 * 60_000
    assert why_not_at(data, new.expires_at) == "certificate_expired"


def why_not_at(data: bytes, now: int) -> str:
    """The code that a certificate is refused with at another time."""
    with pytest.raises(Refused) as refused:
        parse_certificate(data, now=now)
    return refused.value.code.name


def test_only_what_encrypting_needs_is_kept(gpg: GnuPG) -> None:
    """Others' signatures, photographs, further names and keys for signing stay outside."""
    friend = gpg.pair("friend")
    fingerprint = gpg.pair("kept")
    gpg("--quick-add-uid", fingerprint, "Second Name <second@keys.example>")
    gpg.subkey(fingerprint, "ed25519", "sign")
    gpg("--yes", "--local-user", friend, "--quick-sign-key", fingerprint)
    sent = gpg.certificate(fingerprint)
    kept = taken(sent)
    tags = [packet.tag for packet in packets(kept.data)]
    assert len(list(packets(sent))) > len(tags)
    assert tags == [
        *(Tag.PUBLIC_KEY, Tag.USER_ID, Tag.SIGNATURE),
        *(Tag.PUBLIC_SUBKEY, Tag.SIGNATURE),
    ]
    assert taken(kept.data) == kept
    message = pysequoia.encrypt(b"x", [pysequoia.Cert.from_bytes(kept.data)], armor=False)
    assert gpg.decrypt(message) == b"x"


def test_expired_certificates_say_since_when(gpg: GnuPG) -> None:
    """Also where only the key for encryption has expired: the library would use it all the same."""
    whole = gpg.primary("old-whole", lasts="1y", at=LONG_AGO)
    gpg.subkey(whole, at=THEN)
    part = gpg.primary("old-part", at=LONG_AGO)
    gpg.subkey(part, lasts="1y", at=THEN)
    for fingerprint, day in ((whole, "2020-12-31"), (part, "2021-01-01")):
        data = gpg.certificate(fingerprint)
        with pytest.raises(Refused) as refused:
            taken(data)
        assert refused.value.code.name == "certificate_expired"
        assert refused.value.facts == {"day": day}
        assert pysequoia.encrypt(b"", [pysequoia.Cert.from_bytes(data)])


def test_prolonged_and_renewed_certificates_are_taken(gpg: GnuPG) -> None:
    """The newest signature says how long; a new key for encryption takes the old one's place."""
    prolonged = gpg.primary("prolonged", lasts="1y", at=LONG_AGO)
    gpg.subkey(prolonged, at=THEN)
    gpg("--quick-set-expire", prolonged, "0")
    assert taken(gpg.certificate(prolonged)).expires_at is None
    renewed = gpg.primary("renewed", at=LONG_AGO)
    gpg.subkey(renewed, lasts="1y", at=THEN)
    gpg.subkey(renewed, lasts="2y")
    new = taken(gpg.certificate(renewed))
    assert new.expires_at is not None
    assert abs(new.expires_at - now() - 730 * DAY) < DAY
    assert sum(packet.tag == Tag.PUBLIC_SUBKEY for packet in packets(new.data)) == 1


def test_revoked_certificates_are_refused(gpg: GnuPG) -> None:
    """As a whole, or the only key for encryption."""
    whole = gpg.pair("revoked")
    revocation = gpg.home / "openpgp-revocs.d" / f"{whole}.rev"
    gpg("--import", typed=revocation.read_bytes().replace(b":-----BEGIN", b"-----BEGIN"))
    part = gpg.pair("revoked-part")
    gpg.edit(part, "key 1", "revkey", "y", "0", "", "y")
    assert why_not(gpg.certificate(whole)) == "certificate_revoked"
    assert why_not(gpg.certificate(part)) == "certificate_revoked"


def test_certificates_that_cannot_encrypt_are_refused(gpg: GnuPG) -> None:
    """A key that only signs; curves that the library does not calculate on."""
    assert why_not(gpg.certificate(gpg.primary("signs"))) == "certificate_cannot_encrypt"
    curve = gpg.pair("curve", "brainpoolP256r1", "brainpoolP256r1")
    assert why_not(gpg.certificate(curve)) == "certificate_cannot_encrypt"


@pytest.mark.parametrize(
    "primary, sub",
    [("rsa1024", "rsa1024"), ("rsa2048", "rsa1024"), ("dsa2048", "elg2048")],
)
def test_weak_keys_are_refused(gpg: GnuPG, primary: str, sub: str) -> None:
    """What can be broken today protects nothing, in the primary key or in the other."""
    weak = gpg.pair(f"weak-{primary}-{sub}", primary, sub)
    assert why_not(gpg.certificate(weak)) == "certificate_weak"


def test_signatures_by_sha1_are_refused(gpg: GnuPG) -> None:
    """Who can make two texts with one SHA-1 can bind another key to somebody's name."""
    name = "sha1 <sha1@keys.example>"
    gpg("--cert-digest-algo", "SHA1", "--quick-gen-key", name, "rsa2048", "sign", "never")
    listed = gpg("--list-keys", "--with-colons", "sha1@keys.example").decode()
    fingerprint = next(row.split(":")[9] for row in listed.splitlines() if row[:4] == "fpr:")
    gpg("--cert-digest-algo", "SHA1", "--quick-add-key", fingerprint, "rsa2048", "encr", "never")
    assert why_not(gpg.certificate(fingerprint)) == "certificate_weak"


def test_several_certificates_are_refused(gpg: GnuPG) -> None:
    """Whichever way two come together: whose is meant, nobody can know."""
    one, two = gpg.pair("several-one"), gpg.pair("several-two")
    together = gpg.certificate(one) + gpg.certificate(two)
    assert why_not(together) == "certificate_several"
    armored = gpg.certificate(one, "--armor") + gpg.certificate(two, "--armor")
    assert why_not(armored) == "certificate_several"


def test_a_strangers_subkey_is_not_encrypted_to(gpg: GnuPG) -> None:
    """Whoever slips a key of their own into the file gains nothing: its binding does not hold."""
    mine, theirs = gpg.certificate(gpg.pair("mine")), gpg.certificate(gpg.pair("theirs"))
    slipped = list(packets(theirs))[-2:]
    assert slipped[0].tag == Tag.PUBLIC_SUBKEY
    kept = taken(mine + slipped[0].raw + slipped[1].raw)
    assert slipped[0].body not in kept.data
    assert kept.data == taken(mine).data


def test_what_mails_and_editors_do_to_a_file_is_forgiven(gpg: GnuPG) -> None:
    """Windows' line ends and marks, words around the block, headers in it, no check sum."""
    fingerprint = gpg.pair("forgiven")
    armored = gpg.certificate(fingerprint, "--armor", "--comment", "Work", "--emit-version")
    new = taken(armored)
    text = armored.decode()
    unsummed = "\n".join(line for line in text.splitlines() if not line.startswith("="))
    for variant in (
        armored.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + armored,
        text.encode("utf-16"),
        b"Hello,\nhere is my key:\n\n" + armored + b"\nRegards\n",
        "\n".join(f"  {line} " for line in text.splitlines()).encode(),
        unsummed.encode() + b"\n",
    ):
        assert taken(variant) == new


def test_private_keys_are_refused_before_anything_else(gpg: GnuPG) -> None:
    """In every form that GnuPG and Sequoia write, alone or among other things, whole or cut."""
    fingerprint = gpg.pair("private")
    public = gpg.certificate(fingerprint)
    secret = gpg("--export-secret-keys", fingerprint)
    armored = gpg("--armor", "--export-secret-keys", fingerprint)
    part = gpg("--export-secret-subkeys", fingerprint)
    made, _ = sequoia(profile=pysequoia.Profile.RFC9580)
    relabelled = armored.replace(b"PRIVATE KEY", b"PUBLIC KEY")
    forms = [
        *(secret, armored, part, bytes(made), str(made).encode(), relabelled),
        *(public + secret, armored + gpg.certificate(fingerprint, "--armor")),
        *(b"see below\n" + armored, b"not OpenPGP\0" + secret, b"\x89PNG\r\n" + bytes(made)),
        *(armored.decode().encode("utf-16"), armored.replace(b"\n", b"\r\n")),
        *(base64.b64encode(secret), armored[:200], relabelled[:400]),
        public + b"\0" * 20_000 + secret,
        secret + b"\0" * CERTIFICATE_MOST,
    ]
    assert [why_not(form) for form in forms] == ["certificate_private"] * len(forms)
    assert why_not(public + b"\0" * CERTIFICATE_MOST) == "body_too_large"
    cut = {why_not(secret[:size]) for size in range(2, len(secret))}
    assert cut == {"certificate_private"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"hello",
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n-----END PGP PUBLIC KEY BLOCK-----\n",
        b"-----BEGIN PGP MESSAGE-----\n\nwV4D\n-----END PGP MESSAGE-----\n",
        b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG8s7pDqZQ2M0Cz4 me@laptop\n",
    ],
)
def test_what_is_no_certificate_is_unreadable(data: bytes) -> None:
    """Something else was pasted or dropped."""
    assert why_not(data) == "certificate_unreadable"


@pytest.mark.parametrize(
    "left_ms, warned, due",
    [
        (31 * DAY, None, None),
        (30 * DAY, None, 30),
        (30 * DAY - 1, None, 30),
        (29 * DAY, 30, None),
        (7 * DAY, 30, 7),
        (7 * DAY, 7, None),
        (DAY, 30, 1),
        (3 * DAY, None, 7),
        (1, 1, None),
        (0, 1, 0),
        (-90 * DAY, None, 0),
        (-90 * DAY, 0, None),
    ],
)
def test_each_warning_comes_once(left_ms: int, warned: int | None, due: int | None) -> None:
    """Thirty days, a week, a day before, and at the end; of several missed ones, the nearest."""
    at = now()
    assert warning_due(at + left_ms, now=at, warned=warned) == due
    assert warning_due(None, now=at, warned=warned) is None
    assert days_left(at + left_ms, now=at) == -(-left_ms // DAY)
