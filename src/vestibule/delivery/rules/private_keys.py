"""Finding private keys in what somebody sent as a public one. Pure.

People mix the two files up: a whole private key is pasted, one behind a public key, one as the
comment, one that a mail program or a cloud's form has wrapped, encoded or torn. It is looked for
before anything else is done with the bytes, in every form that tools write, under up to two layers
of encoding. What is found is refused and forgotten: it goes to no log and into no answer.

A false alarm costs its sender a second try; a key that slips through was never secret again.
"""

import re
from binascii import a2b_base64
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

_DEPTH: Final = 2
_RUN: Final = re.compile(rb"[A-Za-z0-9+/_-]{24,}")
_HEX: Final = re.compile(rb"(?:[0-9A-Fa-f]{2}){24,}")
_SPACE: Final = re.compile(rb"(?:\\r|\\n|\s|\xc2\xa0|\xe2\x80[\x8b-\x8f\xa8-\xaf]|\xef\xbb\xbf)+")
_NOT_WORDS: Final = bytes(set(range(256)) - set(b"abcdefghijklmnopqrstuvwxyz0123456789"))

# Words of headers, without what stands between them: dashes, blanks and line ends get lost. The
# kinds are named, for a public key's comment may well speak of a private one.
_WORDS: Final = re.compile(
    rb"(?:begin|end)(?:[a-z0-9]{0,3}|ecdsa|ed25519|encrypted|openssh|pgp|pkcs[18]|ssh2"
    rb"|ssh2encrypted|tss2)(?:private|secret)key"
    rb"|puttyuserkeyfile|private(?:lines|mac|hash)[0-9a-f]"
    rb"|opensshkeyv1|sshprivatekeyfileformat|privatekeyformatv1|agesecretkey1"
    # Keys written out as numbers: by PuTTY, and by OpenSSL.
    rb"|privateexponent|privatekey[0-9]{2,5}bit"
)
# Members of a JSON Web Key (RFC 7518, sections 6.2.2, 6.3.2 and 6.4.1), RFC 8037, and XML.
_MEMBERS: Final = re.compile(
    rb"""(?<![A-Za-z0-9])(?:d|p|q|dp|dq|qi|k)\\?["']?[\s\xc2\xa0]{0,9}[:=][\s\xc2\xa0]{0,9}\\?["'][A-Za-z0-9_-]{16}"""
    rb"|<(?:D|P|Q|DP|DQ|InverseQ)>\s{0,99}[A-Za-z0-9+/]{16}"
    rb"""|private_?key\\?["']?[\s\xc2\xa0]{0,9}[:=][\s\xc2\xa0]{0,9}\\?["']?[A-Za-z0-9+/_-]{16}""",
    re.IGNORECASE,
)

_LENGTH: Final = rb"(?:[\x00-\x80]|\x81.|\x82..|\x83...|\x84....)"
# The beginnings of DER structures that hold a private key. Each says of itself what it is by
# several fixed bytes, so that chance makes no public key look like one.
_DER: Final = re.compile(
    rb"\x30" + _LENGTH + rb"(?:"
    # PrivateKeyInfo (RFC 5958): version 0 or 1, then an AlgorithmIdentifier
    rb"\x02\x01[\x00\x01]\x30" + _LENGTH + rb"\x06[\x03-\x0b]"
    # RSAPrivateKey (RFC 8017, A.1.2) and DSA's form: version 0 or 1, then a long number
    rb"|\x02\x01[\x00\x01]\x02(?:[\x20-\x7f]|\x81.|\x82..)"
    # ECPrivateKey (RFC 5915): version 1, then the key
    rb"|\x02\x01\x01\x04[\x10-\x60]"
    # EncryptedPrivateKeyInfo (RFC 5958): PKCS #5 or the schemes of PKCS #12
    rb"|\x30" + _LENGTH + rb"\x06(?:\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05"
    rb"|\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01)"
    # PFX (RFC 7292): version 3, then data or signed data
    rb"|\x02\x01\x03\x30" + _LENGTH + rb"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"
    rb")",
    re.DOTALL,
)
# Begin a file: OpenSSH, SSH1, ssh.com, and the key stores of Java.
_HEADS: Final = (
    b"openssh-key-v1\0",
    b"SSH PRIVATE KEY FILE FORMAT",
    b"\x3f\x6f\xf9\xeb",
    b"\xfe\xed\xfe\xed",
    b"\xce\xce\xce\xce",
)
# OpenPGP packets of a secret key or subkey (RFC 9580, sections 4.2, 5.5.1.3 and 5.5.3): the tag,
# a length, the version, four bytes of time, an algorithm that exists.
_PGP: Final = re.compile(
    rb"(?:[\x94\x9c].|[\x95\x9d]..|[\x96\x9e]....|[\xc5\xc7](?:[\x00-\xbf]|[\xc0-\xdf].|\xff....))"
    rb"[\x03-\x06].{4}(?:\x00\x00|\x00.)?[\x01-\x03\x10-\x13\x16\x19-\x1c]",
    re.DOTALL,
)


def holds_private_key(data: bytes) -> bool:
    """Whether any private key, or a part that tells of one, is in these bytes.

    Linear in their length. Never raises, and keeps nothing.
    """
    return any(_tells(view, head=head) for view, head in _views(data, head=True))


def _tells(view: bytes, *, head: bool) -> bool:
    # What is no more than a few bytes is looked for where a file begins and nowhere else: in the
    # middle of a long public key chance would write it.
    if head and (view.startswith(_HEADS) or _PGP.match(view)):
        return True
    if _DER.search(view) or _MEMBERS.search(view):
        return True
    return bool(_WORDS.search(view.lower().translate(None, _NOT_WORDS)))


def _views(data: bytes, *, head: bool, depth: int = _DEPTH) -> Iterator[tuple[bytes, bool]]:
    """The bytes, and what they are once their encodings are taken off.

    The second says whether they may be the beginning of what was sent.
    """
    yield data, head
    plain = data
    if b"\0" in data:
        # UTF-16 and UTF-32 of what is ASCII, whichever way round and wherever it begins.
        plain = data.replace(b"\0", b"")
        yield plain, head
    if b"%" in plain or b"=\r\n" in plain or b"=\n" in plain:
        # Percent signs of forms, soft line ends of mails.
        plain = unquote_to_bytes(plain.replace(b"=\r\n", b"").replace(b"=\n", b""))
        yield plain, head
    if depth == 0:
        return
    # As they stand, and with every line end lost.
    texts = (plain, _SPACE.sub(b"", plain))
    for pattern, decode in ((_RUN, _base64), (_HEX, _hex)):
        seen: set[bytes] = set()
        for run in (found.group() for text in texts for found in pattern.finditer(text)):
            if run in seen:
                continue
            first = head and not seen
            seen.add(run)
            for decoded in decode(run):
                yield from _views(decoded, head=first, depth=depth - 1)


def _base64(run: bytes) -> Iterator[bytes]:
    """A run decoded from each of four places: words before it may have been glued to it."""
    standard = run.replace(b"-", b"+").replace(b"_", b"/")
    for start in range(4):
        part = standard[start:]
        yield a2b_base64(part[: len(part) & ~3])


def _hex(run: bytes) -> Iterator[bytes]:
    for start in range(2):
        part = run[start:]
        yield bytes.fromhex(part[: len(part) & ~1].decode("ascii"))
