"""Public keys are read in every form that clients' tools write, and nothing else is."""

import base64
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings, strategies as st

from tests.delivery.keymaking import fingerprint, openssh, run, typed_at
from tests.effort import least_effort
from vestibule.base.errors import Refused
from vestibule.delivery.rules import PublicKey, parse_public_key

KINDS = [
    ("ed25519", "", "ssh-ed25519", 256),
    ("ecdsa", "256", "ecdsa-sha2-nistp256", 256),
    ("ecdsa", "384", "ecdsa-sha2-nistp384", 384),
    ("ecdsa", "521", "ecdsa-sha2-nistp521", 521),
    ("rsa", "2048", "ssh-rsa", 2048),
    ("rsa", "4096", "ssh-rsa", 4096),
]

# Recorded from PuTTYgen 0.78 and OpenSSH 9.2; the security keys need hardware to make.
PUTTY = b"""---- BEGIN SSH2 PUBLIC KEY ----
Comment: "eddsa-key-20261123"
AAAAC3NzaC1lZDI1NTE5AAAAIPg1aIG6XrHZkLSN1deEcQdYDXGa9R1Im4S+21X1
WO3/
---- END SSH2 PUBLIC KEY ----
"""
OPENSSH = b"""---- BEGIN SSH2 PUBLIC KEY ----
Comment: "256-bit ED25519, converted by morgan@laptop \\
from OpenSSH"
x-kept-by: us
AAAAC3NzaC1lZDI1NTE5AAAAIPg1aIG6XrHZkLSN1deEcQdYDXGa9R1Im4S+21X1WO3/
---- END SSH2 PUBLIC KEY ----
"""
LINE = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPg1aIG6XrHZkLSN1deEcQdYDXGa9R1Im4S+21X1WO3/ laptop\n"


def code(data: bytes) -> str:
    """The code of the refusal of these bytes."""
    with pytest.raises(Refused) as caught:
        parse_public_key(data)
    return caught.value.code.name


def string(field: bytes) -> bytes:
    """A field of a blob (RFC 4251, section 5)."""
    return len(field).to_bytes(4, "big") + field


def mpint(number: int) -> bytes:
    """A number of a blob."""
    return string(number.to_bytes(number.bit_length() // 8 + 1, "big"))


def line(blob: bytes) -> bytes:
    """The OpenSSH line of a blob, whatever is in it."""
    name = blob[4 : 4 + int.from_bytes(blob[:4], "big")]
    return name + b" " + base64.b64encode(blob) + b" made\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tools write."""
    return tmp_path_factory.mktemp("keys")


# --- what tools write --------------------------------------------------------------------------


@pytest.mark.parametrize("kind, size, algorithm, bits", KINDS)
def test_openssh_keys_are_read_in_each_of_its_forms(
    folder: Path, kind: str, size: str, algorithm: str, bits: int
) -> None:
    """The line, and what `ssh-keygen -e` makes of it; the fingerprint is the one it shows."""
    path = openssh(folder, kind, *(["-b", size] if size else []), "-C", "morgan@laptop")
    public = path.with_suffix(".pub")
    forms = {"line": public.read_bytes()}
    for form in ("RFC4716", "PKCS8", "PEM"):
        if kind != "ed25519" or form == "RFC4716":
            forms[form] = run("ssh-keygen", "-e", "-m", form, "-f", public, folder=folder)
    keys = {name: parse_public_key(data) for name, data in forms.items()}
    assert {key.fingerprint for key in keys.values()} == {fingerprint(public)}
    assert {(key.algorithm, key.bits) for key in keys.values()} == {(algorithm, bits)}
    assert keys["line"].comment == "morgan@laptop"
    assert keys["RFC4716"].comment.startswith(f"{bits}-bit {kind.upper()}")
    assert keys["line"].weak_soon is (bits == 2048)
    assert public.read_text().startswith(keys["line"].line)


def test_puttygen_at_its_terminal_makes_a_key_that_is_read(folder: Path) -> None:
    """The very commands that clients are told: a passphrase twice, then the public line."""
    typed_at("puttygen -t rsa -b 2048 -o privatekey.ppk", folder, "nine geese", "nine geese")
    typed_at("puttygen -L privatekey.ppk -o public.key", folder)
    run("puttygen", "-O", "public", "privatekey.ppk", "-o", "public.rfc4716", folder=folder)
    one = parse_public_key((folder / "public.key").read_bytes())
    two = parse_public_key((folder / "public.rfc4716").read_bytes())
    assert one == two
    assert (one.algorithm, one.bits, one.weak_soon) == ("ssh-rsa", 2048, True)
    assert one.comment.startswith("rsa-key-")
    assert one.fingerprint == fingerprint(folder / "public.key")
    assert code((folder / "privatekey.ppk").read_bytes()) == "private_key_sent"


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_puttygen_forms_are_read_for_every_kind(folder: Path, kind: str) -> None:
    """Its line and RFC 4716, and its other names for them."""
    secret = folder / "empty"
    secret.write_text("")
    ppk = folder / f"{kind}.ppk"
    run("puttygen", "-q", "-t", kind, "-o", ppk, "--new-passphrase", secret, folder=folder)
    keys = set()
    for place, form in enumerate((["-L"], ["-p"], ["-O", "public"], ["-O", "public-openssh"])):
        out = folder / f"{kind}{place}"
        run("puttygen", *form, ppk, "-o", out, folder=folder)
        keys.add(parse_public_key(out.read_bytes()))
    assert len(keys) == 1


def test_recorded_forms_are_read() -> None:
    """RFC 4716 by PuTTY, with a continued and a private header, and the line: one key."""
    keys = [parse_public_key(data) for data in (PUTTY, OPENSSH, LINE)]
    assert {key.fingerprint for key in keys} == {keys[0].fingerprint}
    assert [key.comment for key in keys] == [
        "eddsa-key-20261123",
        "256-bit ED25519, converted by morgan@laptop from OpenSSH",
        "laptop",
    ]


def test_keys_of_security_keys_are_read() -> None:
    """Both kinds that OpenSSH knows (PROTOCOL.u2f)."""
    edwards = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    blob = string(b"sk-ssh-ed25519@openssh.com") + string(edwards) + string(b"ssh:")
    assert parse_public_key(line(blob)).algorithm == "sk-ssh-ed25519@openssh.com"
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    raw = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    name = b"sk-ecdsa-sha2-nistp256@openssh.com"
    blob = string(name) + string(b"nistp256") + string(raw) + string(b"ssh:")
    assert parse_public_key(line(blob)).algorithm == name.decode()


MANGLED: dict[str, Callable[[bytes], bytes]] = {
    "as it is": bytes,
    "utf-8 with a mark": lambda data: b"\xef\xbb\xbf" + data,
    "utf-16 with a mark": lambda data: data.decode().encode("utf-16"),
    "utf-16-le": lambda data: data.decode().encode("utf-16-le"),
    "utf-16-be": lambda data: data.decode().encode("utf-16-be"),
    "windows line ends": lambda data: data.replace(b"\n", b"\r\n"),
    "old mac line ends": lambda data: data.replace(b"\n", b"\r"),
    "blank lines around": lambda data: b"\n\n  " + data + b"\n\n",
    "no line end": lambda data: data.rstrip(b"\n"),
}


@pytest.mark.parametrize("how", MANGLED)
@pytest.mark.parametrize("form", [PUTTY, LINE], ids=["rfc4716", "line"])
def test_editors_leave_a_key_readable(how: str, form: bytes) -> None:
    """Marks, two bytes a letter, other line ends: Windows and its kin do no harm."""
    assert parse_public_key(MANGLED[how](form)) == parse_public_key(form)


@pytest.mark.parametrize("width", [4, 20, 64, 76])
@pytest.mark.parametrize("between", ["\n", "\r\n"])
def test_a_wrapped_line_is_read(width: int, between: str) -> None:
    """A window or a mail that broke the line, with its comment behind or without."""
    name, body, comment = LINE.decode().split()
    wrapped = between.join(body[at : at + width] for at in range(0, len(body), width))
    assert parse_public_key(f"{name} {wrapped} {comment}".encode()) == parse_public_key(LINE)
    bare = parse_public_key(f"{name} {wrapped}{between}".encode())
    assert bare.fingerprint == parse_public_key(LINE).fingerprint


def test_pem_with_its_line_ends_lost_is_read() -> None:
    """On one line, as a web form leaves it."""
    public = rsa.generate_private_key(65537, 2048).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    expected = parse_public_key(pem)
    assert parse_public_key(pem.replace(b"\n", b" ")) == expected
    assert parse_public_key(pem.replace(b"\n", b"")) == expected
    assert parse_public_key(der) == expected


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"   \n",
        b"hello",
        b"ssh-ed25519",
        b"ssh-ed25519 hello",
        b"AAAA",
        LINE[:40] + b" " + LINE[40:],
        LINE + LINE,
        LINE + PUTTY,
        PUTTY + PUTTY,
        b"ssh-rsa " + LINE.split()[1],
        PUTTY.replace(b"END SSH2", b"END SSH3"),
        LINE.replace(b"AAAAC3", b"AAAA=C3"),
        LINE.decode().encode("utf-16")[:-3],
        b"\xff\xfe\x00",
        LINE + b"a" * 16_384,
    ],
)
def test_what_is_no_single_public_key_is_unreadable(data: bytes) -> None:
    """Nothing, too little, too much, options, two keys, a name that lies."""
    assert code(data) == "key_unreadable"


def test_weak_and_foreign_kinds_are_told_apart() -> None:
    """DSA and short RSA are weak; what is no plain SSH key is of another kind."""

    def pem(key: object) -> bytes:
        return key.public_key().public_bytes(  # type: ignore[attr-defined,no-any-return]
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )

    assert code(pem(dsa.generate_private_key(2048))) == "key_weak"
    for bits in (1024, 2047):
        assert code(pem(rsa.generate_private_key(65537, bits))) == "key_weak"
    assert code(line(string(b"ssh-dss") + mpint(5) * 4)) == "key_weak"
    assert code(pem(ed448.Ed448PrivateKey.generate())) == "key_kind"
    assert code(pem(x25519.X25519PrivateKey.generate())) == "key_kind"
    assert code(pem(ec.generate_private_key(ec.SECP256K1()))) == "key_kind"
    assert code(pem(ec.generate_private_key(ec.BrainpoolP256R1()))) == "key_kind"
    assert code(line(string(b"ssh-ed448") + string(bytes(57)))) == "key_kind"
    assert code(b'command="ls" ' + LINE) == "key_kind"
    assert code(b"portal.example " + LINE) == "key_kind"
    certificate = string(b"ssh-ed25519-cert-v01@openssh.com") + string(bytes(32)) * 2
    assert code(line(certificate)) == "key_kind"


def test_numbers_that_are_no_keys_are_refused() -> None:
    """Exponents, factors and points under which anybody could sign, or nobody fast enough."""
    modulus = rsa.generate_private_key(65537, 2048).public_key().public_numbers().n
    for exponent, number, said in [
        (1, modulus, "key_weak"),
        (2, modulus, "key_weak"),
        (2**64 + 13, modulus, "key_weak"),
        (65537, modulus + 1, "key_weak"),
        (65537, 3 * modulus, "key_weak"),
        (65537, 1 << 2047, "key_weak"),
        (65537, (1 << 16_384) + 1, "key_kind"),
    ]:
        blob = string(b"ssh-rsa") + mpint(exponent) + mpint(number)
        assert code(line(blob)) == said, exponent
    for point in (
        bytes(32),
        b"\x01" + bytes(31),
        b"\x01" + bytes(30) + b"\x80",
        b"\xec" + b"\xff" * 31,
    ):
        assert code(line(string(b"ssh-ed25519") + string(point))) == "key_weak"
    raw = bytearray(
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    )
    raw[40] ^= 1
    blob = string(b"ecdsa-sha2-nistp256") + string(b"nistp256") + string(bytes(raw))
    assert code(line(blob)) == "key_unreadable"
    # A number with a zero too many has another fingerprint than what the client's program sends.
    blob = string(b"ssh-rsa") + string(b"\0\1\0\1") + mpint(modulus)
    assert code(line(blob)) == "key_unreadable"


# --- attacks on the parser ---------------------------------------------------------------------


def blobs() -> list[bytes]:
    """One good blob of each form."""
    made = [
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
    ]
    lines = [
        key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)  # type: ignore[attr-defined]
        for key in made
    ]
    return [base64.b64decode(one.split()[1]) for one in lines]


def judged(data: bytes) -> PublicKey | str:
    """What becomes of these bytes: a key, or the code of a refusal; never anything else."""
    try:
        return parse_public_key(data)
    except Refused as fault:
        return fault.code.name


def test_a_blob_cut_at_any_byte_is_refused() -> None:
    """Cut anywhere, or with a byte behind it: never a key."""
    for blob in blobs():
        for cut in range(len(blob)):
            assert isinstance(judged(line(blob[:cut])), str)
        for more in (b"\0", b"\0\0\0\0", b"\0\0\0\1a"):
            assert judged(line(blob + more)) == "key_unreadable"


def test_a_length_that_lies_is_refused() -> None:
    """Each of a blob's lengths raised, lowered, or made as large as it goes."""
    for blob in blobs():
        at = 0
        while at < len(blob):
            size = int.from_bytes(blob[at : at + 4], "big")
            for lie in (0, size - 1, size + 1, 2**31, 2**32 - 1):
                changed = blob[:at] + lie.to_bytes(4, "big") + blob[at + 4 :]
                assert isinstance(judged(line(changed)), str)
            at += 4 + size


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_judged(data: bytes) -> None:
    """Bare, and behind each of the beginnings that are looked for."""
    for head in (b"", b"0", b"ssh-rsa ", b"ssh-ed25519 AAAA", b"-----BEGIN PUBLIC KEY-----\n"):
        judged(head + data)
    judged(line(string(b"ssh-rsa") + data))
    judged(line(string(b"ecdsa-sha2-nistp256") + string(b"nistp256") + data))
    judged(b"---- BEGIN SSH2 PUBLIC KEY ----\n" + data + b"\n---- END SSH2 PUBLIC KEY ----")


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_judged(text: str) -> None:
    """Whatever alphabet, as a comment too: it is one line that can be shown."""
    judged(text.encode("utf-8", "surrogatepass"))
    read = judged(LINE.strip() + b" " + text.encode("utf-8", "surrogatepass"))
    if isinstance(read, PublicKey):
        assert read.comment.isprintable()
        assert len(read.comment) <= 60


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_changed_key_is_another_or_none(data: st.DataObject) -> None:
    """One byte changed in a file: never the same key, and never an accident."""
    form = data.draw(st.sampled_from([PUTTY, LINE, OPENSSH]))
    start = form.index(b"AAAA")
    at = data.draw(st.integers(start, start + 67))
    byte = data.draw(st.integers(0, 255))
    read = judged(form[:at] + bytes([byte]) + form[at + 1 :])
    if isinstance(read, PublicKey) and byte != form[at] and form[at : at + 1].strip():
        assert read.fingerprint != parse_public_key(form).fingerprint


def test_hostile_sizes_are_refused_quickly() -> None:
    """Nothing that fits into the limit keeps the server busy."""
    hostile = [
        b"AAAA" * 4096,
        b"ssh-rsa " + b"AAAA " * 3000,
        b"-----BEGIN PUBLIC KEY-----" * 600,
        b"---- BEGIN SSH2 PUBLIC KEY ----\n" + b"a: \\\n" * 3000,
        b"Comment: " * 1800,
        base64.encodebytes(bytes(range(256)) * 46),
        line(string(b"ssh-rsa") + mpint(65537) + mpint((1 << 80_000) + 1)),
        b'"d":"' * 3000,
        b"begin" * 3000,
        b"\n" * 16_000,
    ]
    for data in hostile:
        # Of tens of milliseconds; a quarter of a second is far from all that is quadratic.
        assert least_effort(partial(judged, data), enough=0.25) < 0.25, data[:30]
