"""`vestibule settings`: what can be set, and what is."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.markup import escape

from vestibule.base.reaching import PREFIX
from vestibule.base.settings import Settings
from vestibule.cli import terminal

app = terminal.typer_app()


@app.callback(no_args_is_help=True)
def root() -> None:
    """Show what can be set, what it is set to, and whether that is lawful."""


_SECRET = frozenset({"database_url", "redis_url", "smtp_url"})


@app.command("list")
def list_settings(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show every setting, its value here and what it means."""
    values = terminal.settings().model_dump(mode="json")
    shown = {name: _shown(name, values[name]) for name, _ in Settings.in_order()}
    if as_json:
        terminal.out.print_json(json.dumps(shown))
        return
    for name, field in Settings.in_order():
        changed = "" if _default(name) == values[name] else " [bold](set)[/]"
        value = escape(json.dumps(shown[name], ensure_ascii=False))
        terminal.out.print(f"[bold]{PREFIX}{name.upper()}[/] = {value}{changed}")
        terminal.out.print(f"    {escape(field.description or '')}")


@app.command()
def check() -> None:
    """Say whether the settings are lawful, and which are not the default."""
    values = terminal.settings().model_dump(mode="json")
    for name, value in values.items():
        if _default(name) != value:
            shown = json.dumps(_shown(name, value), ensure_ascii=False)
            terminal.out.print(f"{PREFIX}{name.upper()} = {escape(shown)}")
    terminal.out.print("The settings are lawful.")


def _shown(name: str, value: Any) -> Any:  # noqa: ANN401  -- each setting has its own type  -- a setting's JSON value
    # Addresses of databases hold passwords.
    if name in _SECRET and isinstance(value, str) and "@" in value:
        return f"{value.partition('://')[0]}://…@{value.rpartition('@')[2]}"
    if name == "s3_secret_access_key":
        return "…" if value else ""
    if name == "gateway_headers":
        return dict.fromkeys(value, "…")
    return value


def _default(name: str) -> Any:  # noqa: ANN401  -- each setting has its own type
    return Settings.model_construct().model_dump(mode="json")[name]
