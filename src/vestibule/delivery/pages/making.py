"""How keys and certificates are made and used, on each system: texts, and lines to type."""

from typing import Final

Ways = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
"""Per system its steps: a text's key, and the line to type with it; empty: none."""

_SSH_KEYGEN: Final = "ssh-keygen -t ed25519"

KEY_PAIRS: Final[Ways] = (
    (
        "windows_openssh",
        (
            ("delivery.making.windows_terminal", _SSH_KEYGEN),
            ("delivery.making.clipboard", r"Get-Content ~\.ssh\id_ed25519.pub | Set-Clipboard"),
        ),
    ),
    (
        "windows_putty",
        (
            ("delivery.making.puttygen_open", ""),
            ("delivery.making.puttygen_save", ""),
            ("delivery.making.puttygen_copy", ""),
        ),
    ),
    (
        "macos",
        (
            ("delivery.making.macos_terminal", _SSH_KEYGEN),
            ("delivery.making.clipboard", "pbcopy < ~/.ssh/id_ed25519.pub"),
        ),
    ),
    (
        "linux_openssh",
        (
            ("delivery.making.terminal", _SSH_KEYGEN),
            ("delivery.making.show", "cat ~/.ssh/id_ed25519.pub"),
        ),
    ),
    (
        "linux_putty",
        (
            ("delivery.making.putty_install", "sudo apt-get install filezilla putty-tools"),
            ("delivery.making.putty_make", "puttygen -t ed25519 -o privatekey.ppk"),
            ("delivery.making.putty_public", "puttygen -L privatekey.ppk -o public.key"),
            ("delivery.making.putty_rsa", "puttygen -t rsa -b 3072 -o privatekey.ppk"),
        ),
    ),
)
"""How to make a pair of SSH keys."""

CERTIFICATES: Final[Ways] = (
    (
        "windows",
        (
            ("delivery.certificate.kleopatra_install", ""),
            ("delivery.certificate.kleopatra_make", ""),
            ("delivery.certificate.kleopatra_export", ""),
            ("delivery.certificate.kleopatra_backup", ""),
        ),
    ),
    (
        "macos",
        (
            ("delivery.certificate.suite_install", ""),
            ("delivery.certificate.suite_make", ""),
            ("delivery.certificate.suite_export", ""),
            ("delivery.certificate.suite_backup", ""),
        ),
    ),
    (
        "linux",
        (
            (
                "delivery.certificate.gpg_make",
                'gpg --quick-generate-key "Maria Rossi <maria@example.org>" default default 3y',
            ),
            (
                "delivery.certificate.gpg_export",
                "gpg --armor --export maria@example.org > certificate.asc",
            ),
            (
                "delivery.certificate.gpg_backup",
                "gpg --armor --export-secret-keys maria@example.org > backup.asc",
            ),
        ),
    ),
)
"""How to make an OpenPGP certificate."""

READING: Final[Ways] = (
    ("windows", (("delivery.certificate.reading_kleopatra", ""),)),
    ("macos", (("delivery.certificate.reading_suite", ""),)),
    ("linux", (("delivery.certificate.reading_gpg", "gpg --decrypt-files *.pgp"),)),
)
"""How to read what was encrypted."""
