"""Ready-made configurations of the programs that clients fetch statements with. Pure: no I/O.

What stands in them was chosen by others (the operator's name, the path of a key), and is read by
programs that run commands: whatever does not belong into a name or a path is refused or escaped.
Each pins the server's host key where the program can, so that nobody is asked about fingerprints.
"""

import plistlib
import re
import shlex
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5
from xml.sax.saxutils import escape

from vestibule.base.errors import Refused

_PATH_MOST: Final = 255
# A double quote, a backtick or a dollar would end what quotes hold, in one program or another.
_NOT_IN_PATHS: Final = frozenset('"`$')
# What comes from a portal is checked as well: it becomes lines that programs obey.
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,253}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45}")
_USERNAME: Final = re.compile(r"[A-Za-z0-9]{1,64}")
_HOST_KEY: Final = re.compile(r"[a-z0-9@.-]{3,80} [A-Za-z0-9+/]{20,2000}={0,2}")
_SLUG_MOST: Final = 30
_BOM: Final = "\ufeff"
_LFTP: Final = str.maketrans({"\\": "\\\\", '"': '\\"'})

PROGRAMS: Final = ("openssh", "filezilla", "winscp", "cyberduck", "lftp")
"""In the order in which they are offered."""

_NAMES: Final = ("OpenSSH", "FileZilla", "WinSCP", "Cyberduck", "lftp")
NAMES: Final = dict(zip(PROGRAMS, _NAMES, strict=True))
"""As the programs call themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupFacts:
    """What a client's program has to know."""

    organisation: str
    host: str
    """A name, or an address without brackets."""
    port: int
    username: str
    """The SFTP username, not the portal's."""
    host_keys: tuple[str, ...]
    """Public lines: ``ssh-ed25519 AAAA…``."""
    key_file: str = ""
    """Path of the private key on the client's machine; empty: where the program looks for it."""
    folder: str = "~/.ssh"
    """Where the client keeps the files of OpenSSH and lftp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """One file for one program, and what to do with it."""

    program: str
    """One of `PROGRAMS`; a program may have several files, which stand together."""
    filename: str
    media: str
    text: str
    steps: tuple[str, ...]
    """Catalogue keys, to be filled with ``facts``."""
    facts: dict[str, str | int]
    command: str = ""
    """What is typed to use the file; empty where it is opened by hand."""


def key_path(typed: str) -> str:
    """The path of a key file as somebody typed it. Raises Refused ``bad_field``."""
    path = typed.strip()
    if len(path) > _PATH_MOST or not path.isprintable() or _NOT_IN_PATHS & set(path):
        raise Refused("bad_field", field="key")
    return path


def setups(facts: SetupFacts) -> tuple[Setup, ...]:
    """Every file for every program. Raises Refused ``bad_field`` for what cannot stand in one."""
    checked = _Checked(facts)
    return tuple(setup for program in PROGRAMS for setup in _MAKERS[program](checked))


def fingerprint(line: str) -> str:
    """``SHA256:…`` of a public line, as OpenSSH shows it."""
    return "SHA256:" + b64encode(_digest(line)).rstrip(b"=").decode("ascii")


def _demand(shape: re.Pattern[str], given: str, field: str) -> None:
    if not shape.fullmatch(given):
        raise Refused("bad_field", field=field)


def _digest(line: str) -> bytes:
    return sha256(b64decode(line.split()[1])).digest()


class _Checked:
    """The facts, fit to be written into files."""

    def __init__(self, facts: SetupFacts) -> None:
        _demand(_HOST, facts.host, "host")
        _demand(_USERNAME, facts.username, "username")
        for line in facts.host_keys:
            _demand(_HOST_KEY, line, "host_key")
        self.facts = facts
        shown = "".join(c for c in facts.organisation if c.isprintable()).strip()
        self.name = shown or facts.host
        self.alias = f"{_slug(self.name)}-statements".removeprefix("-")
        self.key = key_path(facts.key_file)
        # Forward slashes are understood by OpenSSH everywhere, and escape nothing.
        self.folder = key_path(facts.folder).replace("\\", "/").rstrip("/")
        self.address = f"[{facts.host}]" if ":" in facts.host else facts.host
        self.fingerprints = tuple(fingerprint(line) for line in facts.host_keys)

    def open_key(self) -> str:
        """The path of a key that OpenSSH reads: a PuTTY file is converted first."""
        path = self.key.replace("\\", "/") or "~/.ssh/id_ed25519"
        return path[: -len(".ppk")] if path.lower().endswith(".ppk") else path

    def putty_key(self) -> str:
        """The path of a key that PuTTY's kin read."""
        path = self.key or "privatekey.ppk"
        return path if path.lower().endswith(".ppk") else f"{path}.ppk"

    def told(self, file: str, **more: str | int) -> dict[str, str | int]:
        """What the steps may say."""
        return {
            "organisation": self.name,
            "host": self.facts.host,
            "port": self.facts.port,
            "username": self.facts.username,
            "folder": self.folder,
            "file": file,
            "fingerprint": ", ".join(self.fingerprints),
            **more,
        }


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_SLUG_MOST].strip("-")


# --- OpenSSH, and lftp which uses it ----------------------------------------------------------


def _openssh(of: _Checked) -> tuple[Setup, ...]:
    config, known, batch = (f"{of.alias}.{end}" for end in ("conf", "known_hosts", "batch"))
    facts = of.told(config, known=known, key=of.open_key(), putty=of.key, batch=batch)
    steps = ["delivery.setup.openssh.save", "delivery.setup.openssh.key"]
    if of.key.lower().endswith(".ppk"):
        steps.insert(1, "delivery.setup.openssh.convert")
    opened = f"sftp -F {_shell(of.folder, config)}"
    plain = "text/plain; charset=utf-8"
    return (
        Setup(
            program="openssh",
            filename=config,
            media=plain,
            text=_stanza(of, known),
            steps=(*steps, "delivery.setup.openssh.open"),
            facts=facts,
            command=f"{opened} {of.alias}",
        ),
        Setup(
            program="openssh",
            filename=known,
            media=plain,
            text="".join(f"{of.alias} {line}\n" for line in of.facts.host_keys),
            steps=("delivery.setup.openssh.known",),
            facts=facts,
        ),
        Setup(
            program="openssh",
            filename=batch,
            media=plain,
            # Without -a: a statement that was replaced must not be half old and half new.
            text="get -p -R *\n",
            steps=("delivery.setup.openssh.mirror",),
            facts=facts,
            command=f"{opened} -b {_shell(of.folder, batch)} {of.alias}",
        ),
    )


def _stanza(of: _Checked, known: str) -> str:
    lines = {
        "HostName": of.facts.host,
        "Port": str(of.facts.port),
        "User": of.facts.username,
        "IdentityFile": _quoted(of.open_key()),
        # Other keys of an agent would only use up the tries that the server allows.
        "IdentitiesOnly": "yes",
        "PreferredAuthentications": "publickey",
        "HostKeyAlias": of.alias,
        "UserKnownHostsFile": _quoted(f"{of.folder}/{known}"),
        "GlobalKnownHostsFile": "none",
        "StrictHostKeyChecking": "yes",
        "UpdateHostKeys": "no",
        "ForwardAgent": "no",
        "ServerAliveInterval": "60",
    }
    body = "".join(f"    {name} {value}\n" for name, value in lines.items())
    return f"# {of.name}\nHost {of.alias}\n{body}"


def _quoted(path: str) -> str:
    # ssh_config expands %-tokens in both of the paths that stand here.
    return '"' + path.replace("%", "%%") + '"'


def _shell(folder: str, file: str) -> str:
    """A path as a shell reads it: the tilde stays outside of the quotes."""
    if folder == "~" or folder.startswith("~/"):
        return "~/" + shlex.quote(f"{folder[2:]}/{file}".removeprefix("/"))
    return shlex.quote(f"{folder}/{file}")


def _lftp(of: _Checked) -> tuple[Setup, ...]:
    script, config = f"{of.alias}.lftp", f"{of.alias}.conf"
    # lftp takes the quotes of the outer string away and hands the rest to a shell.
    program = f"ssh -a -x -F {_shell(of.folder, config)}".translate(_LFTP)
    text = (
        # The name of its owner does not stand here: a backslash at its end would go on.
        f"# {of.alias}\n"
        f'set sftp:connect-program "{program}"\n'
        "set net:max-retries 5\n"
        "set net:reconnect-interval-base 5\n"
        "set cmd:fail-exit true\n"
        f"open sftp://{of.alias}\n"
        "mirror --continue --parallel=4 / statements\n"
        "bye\n"
    )
    return (
        Setup(
            program="lftp",
            filename=script,
            media="text/plain; charset=utf-8",
            text=text,
            steps=("delivery.setup.lftp.save", "delivery.setup.lftp.mirror"),
            facts=of.told(script, config=config),
            command=f"lftp -f {_shell(of.folder, script)}",
        ),
    )


# --- programs with windows --------------------------------------------------------------------


def _filezilla(of: _Checked) -> tuple[Setup, ...]:
    file = f"{of.alias}-filezilla.xml"
    key = of.key or "privatekey.ppk"
    site = {
        "Host": of.facts.host,
        "Port": str(of.facts.port),
        "Protocol": "1",  # SFTP
        "Type": "0",
        "User": of.facts.username,
        "Keyfile": key,
        "Logontype": "5",  # key file
        "EncodingType": "UTF-8",
        "BypassProxy": "0",
        "Name": of.name,
        "Comments": "\n".join(of.fingerprints),
        "SyncBrowsing": "0",
        "DirectoryComparison": "0",
    }
    body = "".join(f"\t\t\t<{tag}>{escape(value)}</{tag}>\n" for tag, value in site.items())
    return (
        Setup(
            program="filezilla",
            filename=file,
            media="application/xml",
            text='<?xml version="1.0" encoding="UTF-8" standalone="yes" ?>\n'
            "<FileZilla3>\n\t<Servers>\n"
            f"\t\t<Server>\n{body}\t\t</Server>\n\t</Servers>\n</FileZilla3>\n",
            steps=(
                "delivery.setup.filezilla.import",
                "delivery.setup.filezilla.key",
                "delivery.setup.filezilla.connect",
                "delivery.setup.filezilla.mirror",
            ),
            facts=of.told(file, key=key),
        ),
    )


def _winscp(of: _Checked) -> tuple[Setup, ...]:
    file, script = f"{of.alias}-winscp.ini", f"{of.alias}-winscp.txt"
    key = of.putty_key()
    convert = ("delivery.setup.winscp.convert",) if of.key and of.key != key else ()
    facts = of.told(file, key=key, script=script, given=of.key)
    # A slash would make folders of the name, and on a command line a quote would end it.
    site = of.name.replace("/", "-").replace("\\", "-").replace('"', "'")
    values = {
        "HostName": of.facts.host,
        "PortNumber": str(of.facts.port),
        "UserName": of.facts.username,
        "FSProtocol": "2",  # SFTP, and nothing else where that fails
        "PublicKeyFile": key,
        "SshHostKey": ";".join(_winscp_fingerprints(of)),
    }
    lines = [f"[Sessions\\{_munged(site)}]"]
    lines += [f"{name}={_munged(value)}" for name, value in values.items()]
    return (
        Setup(
            program="winscp",
            filename=file,
            media="text/plain; charset=utf-8",
            text="\r\n".join([*lines, ""]),
            steps=("delivery.setup.winscp.save", *convert, "delivery.setup.winscp.open"),
            facts=facts,
            command=f'winscp.exe /ini={file} "{site}"',
        ),
        Setup(
            program="winscp",
            filename=script,
            media="text/plain; charset=utf-8",
            text="\r\n".join(_winscp_script(of, key)),
            steps=("delivery.setup.winscp.mirror",),
            facts=facts,
            command=f"winscp.com /ini=nul /script={script}",
        ),
    )


def _winscp_script(of: _Checked, key: str) -> list[str]:
    address = f"sftp://{quote(of.facts.username, safe='')}@{of.address}:{of.facts.port}/"
    pinned = ";".join(_winscp_fingerprints(of))
    return [
        "option batch abort",
        "option confirm off",
        f'open {address} -privatekey="{key}" -hostkey="{pinned}"',
        "synchronize local -criteria=either . /",
        "exit",
        "",
    ]


def _winscp_fingerprints(of: _Checked) -> list[str]:
    # WinSCP's form: type, bits, SHA-256 in base64.
    shown = zip(of.facts.host_keys, of.fingerprints, strict=True)
    return [f"{line.split()[0]} 255 {told.removeprefix('SHA256:')}" for line, told in shown]


def _munged(value: str) -> str:
    """A value of WinSCP's files: PuTTY's escapes, and a byte order mark before what is no ASCII."""
    return quote(value if value.isascii() else _BOM + value, safe="/:;@+=,!#$&'()_-~")


def _cyberduck(of: _Checked) -> tuple[Setup, ...]:
    file = f"{of.alias}.duck"
    key = of.key or "~/.ssh/id_ed25519"
    address = f"sftp://{of.facts.username}@{of.address}:{of.facts.port}/"
    bookmark = {
        "Protocol": "sftp",
        "Nickname": of.name,
        "UUID": str(uuid5(NAMESPACE_URL, address)),
        "Hostname": of.facts.host,
        "Port": str(of.facts.port),
        "Username": of.facts.username,
        "Private Key File": key,
        "Private Key File Dictionary": {"Path": key},
        "Comment": "\n".join(of.fingerprints),
    }
    return (
        Setup(
            program="cyberduck",
            filename=file,
            media="application/octet-stream",
            text=plistlib.dumps(bookmark, sort_keys=False).decode("utf-8"),
            steps=(
                "delivery.setup.cyberduck.open",
                "delivery.setup.cyberduck.key",
                "delivery.setup.cyberduck.connect",
                "delivery.setup.cyberduck.mirror",
            ),
            facts=of.told(file, key=key),
        ),
    )


_MAKERS: Final[dict[str, Callable[[_Checked], tuple[Setup, ...]]]] = {
    "openssh": _openssh,
    "filezilla": _filezilla,
    "winscp": _winscp,
    "cyberduck": _cyberduck,
    "lftp": _lftp,
}
