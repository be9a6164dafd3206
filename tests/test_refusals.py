"""Every failure that people used to meet under one message has a code and words of its own.

The rows are the failures that clients of such portals report; each is told apart from the others
by a code of the server, or by one that the phone app finds out itself.
"""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from vestibule.base.errors import CODES
from vestibule.base.i18n import LANGUAGES, catalogue

PHONE = Path(__file__).resolve().parent.parent / "authenticator" / "i18n"

# What happened to a person: the codes that tell the causes apart.
SERVER: dict[str, tuple[str, ...]] = {
    "an activation fails": (
        "enrollment_exists",
        "already_enrolled_elsewhere",
        "ticket_used",
        "ticket_expired",
        "ticket_withdrawn",
        "ticket_exhausted",
        "ticket_unknown",
        "activation_needs_phone",
        "platform_too_old",
        "clock_wrong",
        "signature_wrong",
    ),
    "a sign-in is refused": (
        "wrong_credentials",
        "password_wait",
        "source_wait",
        "network_not_allowed",
        "database_unavailable",
        "busy",
    ),
    "the username cannot be one": ("username_invalid",),
    "a code is refused after the password": (
        "response_invalid",
        "response_wrong",
        "response_again",
        "challenge_expired",
        "challenge_spent",
        "responses_blocked",
        "answer_wrong",
        "sms_code_wrong",
        "sms_code_expired",
        "sms_code_spent",
    ),
    "a request opens late": ("request_expired", "request_unknown", "already_answered"),
    "a PIN does not fit": ("proof_wrong", "approvals_blocked", "pin_locked"),
    "a phone is replaced": ("enrollment_rests", "enrollment_retired", "enrollment_revoked"),
    "a proof is too weak for a page": ("step_up_needed", "activation_needs_phone"),
    "a recovery does not go on": (
        "case_unknown",
        "case_expired",
        "case_over",
        "case_not_granted",
        "recovery_code_wrong",
        "cooling_down",
    ),
    "a key for programs is not taken": (
        "private_key_sent",
        "key_unreadable",
        "key_weak",
        "key_kind",
        "key_exists",
        "keys_full",
    ),
    "a certificate is not taken": (
        "certificate_private",
        "certificate_unreadable",
        "certificate_several",
        "certificate_weak",
        "certificate_revoked",
        "certificate_expired",
        "certificate_cannot_encrypt",
    ),
}
# What a client's program cannot tell apart, by what it says: the portal's log and help do.
PROGRAMS: dict[str, tuple[str, ...]] = {
    "the login credentials provided are incorrect": (
        "delivery.log.what.username_unknown",
        "delivery.log.what.no_key_offered",
        "delivery.log.what.off",
    ),
    "server refused our key": (
        "delivery.log.what.key_not_registered",
        "delivery.log.what.signature_wrong",
        "delivery.log.what.algorithm_too_old",
    ),
    "connection timed out": (
        "delivery.log.what.address_not_allowed",
        "delivery.log.what.timed_out",
        "delivery.log.what.too_many",
        "delivery.log.what.lost",
        "delivery.log.silent",
    ),
    # Plain FTP is not offered, so its passive mode is no cause: what is left has to be told.
    "could not log in to the FTP server": (
        "delivery.hub.protocol_how",
        "delivery.programs.timeout_host",
        "delivery.programs.timeout_firewall",
        "delivery.programs.timeout_antivirus",
    ),
}
# What the app finds out without a server.
APP: dict[str, tuple[str, ...]] = {
    "a QR code is not read": (
        "camera_denied",
        "camera_missing",
        "camera_busy",
        "camera_timeout",
        "camera_unsupported",
        "link_foreign",
        "link_malformed",
        "link_version",
        "server_foreign",
    ),
    "a typed code is not one": ("code_length", "code_characters"),
    "there is no network": ("offline", "timeout", "server_failed"),
    "the phone cannot do it": ("storage_unavailable", "crypto_unavailable", "push_unavailable"),
}
PARTS = ("title", "cause", "next")


def phone_words(language: str) -> dict[str, str]:
    """The phone app's texts."""
    words: dict[str, str] = json.loads((PHONE / f"{language}.json").read_text())
    return words


def all_differ(texts: list[str]) -> bool:
    """No two say the same."""
    return all(one != other for one, other in pairwise(sorted(texts)))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("failure", SERVER)
def test_causes_are_told_apart_by_the_server(failure: str, language: str) -> None:
    """What happened, why and what to do: for each cause, in each language, and all different."""
    words = catalogue(language)
    said = {}
    for code in SERVER[failure]:
        assert 400 <= CODES[code].status < 600
        parts = [words[f"error.{code}.{part}"] for part in PARTS]
        assert all(len(part) > 3 for part in parts), code
        said[code] = " ".join(parts)
    assert all_differ(list(said.values()))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("failure", APP)
def test_causes_are_told_apart_by_the_app(failure: str, language: str) -> None:
    """A title and a reason for each cause, in each language, and all different."""
    words = phone_words(language)
    whys = [words[f"problem.{code}.why"] for code in APP[failure]]
    assert all(len(why) > 8 for why in whys)
    assert all_differ(whys)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("failure", PROGRAMS)
def test_causes_are_told_apart_by_the_log(failure: str, language: str) -> None:
    """A sentence for each cause, in the log what to do: in each language, and all different."""
    words = catalogue(language)
    assert all_differ([words[key] for key in PROGRAMS[failure]])
    logged = [key for key in PROGRAMS[failure] if ".what." in key]
    nexts = [words[key.replace(".what.", ".next.")] for key in logged]
    assert all(len(said) > 8 for said in nexts)
    assert all_differ(nexts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_is_told_only_that_an_error_occurred(language: str) -> None:
    """Every code of the table says in its next step something to do."""
    words = catalogue(language)
    for name in CODES:
        happened, why, now = (words[f"error.{name}.{part}"] for part in PARTS)
        assert len({happened, why, now}) == 3, name
        assert now.strip()
