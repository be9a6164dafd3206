"""Settings: where they come from, and what is refused."""

import json
from pathlib import Path

import pytest

from vestibule.base.settings import NumberEntry, Settings, SettingsRefused, load


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working directory, without the settings of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)


def test_settings_without_any_source_have_their_defaults(tmp_path: Path) -> None:
    """Nothing needs to be set: the database is a file in the data folder."""
    settings = load()
    assert settings.number_entry is NumberEntry.UNLESS_KNOWN_BROWSER
    assert settings.database == f"sqlite:///{tmp_path / 'var' / 'vestibule.db'}"
    assert settings.portal_address == ("localhost", 8600)
    assert settings.issuer == "http://localhost:8600"


def test_the_environment_wins_over_secret_files_and_those_over_toml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three sources, one order."""
    (tmp_path / "vestibule.toml").write_text(
        'organisation = "toml"\napplication = "toml"\nredis_url = "toml"\nworkers = 2\n'
    )
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "redis_url").write_text("redis://secret\n")
    (secrets / "application").write_text("secret")
    monkeypatch.setenv("VESTIBULE_SECRETS", str(secrets))
    monkeypatch.setenv("VESTIBULE_APPLICATION", "environment")
    settings = load()
    assert (settings.organisation, settings.workers) == ("toml", 2)
    assert settings.redis_url == "redis://secret"
    assert settings.application == "environment"


def test_a_config_file_elsewhere_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """VESTIBULE_CONFIG names the file, in place of the one in the working directory."""
    path = tmp_path / "other.toml"
    path.write_text('[push_origins]\n"https://fcm.googleapis.com" = "http://localhost:9"\n')
    monkeypatch.setenv("VESTIBULE_CONFIG", str(path))
    assert load().push_origins == {"https://fcm.googleapis.com": "http://localhost:9"}


@pytest.mark.parametrize(
    "name, hint",
    [
        ("VESTIBULE_PORTAL_ULR", "did you mean VESTIBULE_PORTAL_URL?"),
        ("VESTIBULE_ORGANIZATION", "did you mean VESTIBULE_ORGANISATION?"),
        ("VESTIBULE_XQZ", "is not a setting"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest_name(
    monkeypatch: pytest.MonkeyPatch, name: str, hint: str
) -> None:
    """A misspelt variable would otherwise be a default that nobody chose."""
    monkeypatch.setenv(name, "x")
    with pytest.raises(SettingsRefused, match=name) as caught:
        load()
    assert hint in str(caught.value)


def test_an_unknown_key_in_the_file_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    """The file is held to the same table."""
    (tmp_path / "vestibule.toml").write_text("challenge_second = 60\n")
    with pytest.raises(SettingsRefused, match="did you mean challenge_seconds"):
        load()


def test_everything_wrong_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three faults are three lines, not three starts of the server."""
    (tmp_path / "vestibule.toml").write_text("workers = 0\nticket_tries = 99\n")
    monkeypatch.setenv("VESTIBULE_WROKERS", "1")
    with pytest.raises(SettingsRefused) as caught:
        load()
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize(
    "values",
    [
        {"pin_min": 8, "pin_max": 6},
        {"portal_url": "http://localhost:1", "phone_url": "http://localhost:1"},
        {"portal_url": "http://localhost:1/path"},
        {"portal_url": "ftp://localhost"},
        {"database_url": "mysql://x"},
        {"session_idle_minutes": 600, "session_hours": 1},
        {"login_request_seconds": 600, "attempt_seconds": 300},
        {"kdf_pbkdf2_rounds": 100_000},
        {"ticket_seconds": 601},
        {"trusted_proxies": ["not-a-network"]},
        {"vapid_subject": "operator"},
        {"log_level": "loud"},
    ],
)
def test_an_unlawful_value_is_refused(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, object]
) -> None:
    """Values outside of the table's bounds, or at odds with each other, stop the start."""
    for name, value in values.items():
        text = value if isinstance(value, str) else json.dumps(value)
        monkeypatch.setenv(f"VESTIBULE_{name.upper()}", text)
    with pytest.raises(SettingsRefused):
        load()


@pytest.mark.parametrize("name", ["VESTIBULE_CONFIG", "VESTIBULE_SECRETS"])
def test_a_named_source_that_is_not_there_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """Who names a file means it."""
    monkeypatch.setenv(name, str(tmp_path / "missing"))
    with pytest.raises(SettingsRefused, match="missing"):
        load()


def test_settings_cannot_be_changed() -> None:
    """The table is frozen once it is read."""
    with pytest.raises(ValueError, match="frozen"):
        load().workers = 2


def test_every_setting_has_a_help_text() -> None:
    """A setting that cannot be explained in a sentence is not one."""
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


@pytest.mark.parametrize(
    "host, allowed",
    [
        ("fcm.googleapis.com", True),
        ("FCM.googleapis.com", True),
        ("web.push.apple.com", True),
        ("push.apple.com", False),
        ("evil-push.apple.com", False),
        ("fcm.googleapis.com.evil.example", False),
        ("wns2-by3p.notify.windows.com", True),
        ("localhost", False),
        ("169.254.169.254", False),
        ("", False),
    ],
)
def test_only_hosts_of_push_services_are_allowed(host: str, allowed: bool) -> None:  # noqa: FBT001
    """The list names hosts, or everything below a domain."""
    assert load().push_host_allowed(host) is allowed


def test_no_proxy_is_trusted_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """X-Forwarded-For counts only from networks that are named."""
    assert not load().trusts_proxy("127.0.0.1")
    monkeypatch.setenv("VESTIBULE_TRUSTED_PROXIES", '["10.0.0.0/8", "::1/128"]')
    settings = load()
    assert settings.trusts_proxy("10.1.2.3")
    assert settings.trusts_proxy("::1")
    assert not settings.trusts_proxy("11.0.0.1")
    assert not settings.trusts_proxy("nonsense")
