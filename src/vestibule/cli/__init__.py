"""The command line: `vestibule serve`, `init`, `account`, `statements`, `settings`, `phone`.

Only the module of the verb that was asked for is loaded: `vestibule --help` and the offline
phone need no web server. Exit codes: 0 done, 1 refused, 2 wrong usage, 3 something is missing
or cannot be reached, 130 interrupted.
"""

from __future__ import annotations

import sys
from importlib import import_module

import typer

from vestibule import __version__
from vestibule.cli import terminal

VERBS = {
    "serve": "Serve the portal and the phone app.",
    "init": "Make the data folder: keys, database and, if you like, a first account.",
    "account": "People who may sign in: add, list, show, new passwords, unlock, remove phones.",
    "notify": "Tell one account or all of them something, in their list, by mail and by push.",
    "staff": "Members of staff: who they are and what they may do.",
    "statements": "Publish files to clients, and set up the programs that fetch them.",
    "har": "Browser captures (HAR files): make them safe to pass on.",
    "settings": "What can be set, what it is set to, and whether that is lawful.",
    "doctor": "Are the folders there, and writable by the right person and nobody else?",
    "phone": "The reference phone: link it, answer sign-ins, respond offline.",
    "login": "Sign this terminal in at a portal; your phone approves it.",
    "logout": "End this terminal's session.",
    "whoami": "Who is signed in in this terminal, and until when.",
}


def _version(asked: bool) -> None:
    if asked:
        terminal.out.print(f"vestibule {__version__}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version."
    ),
) -> None:
    """Vestibule: sign in to a portal and approve it on your phone.

    To try it: `vestibule serve --demo`, then open the address that it prints.
    """


def build(words: list[str]) -> typer.Typer:
    """Make the command line, with the modules loaded that these words need."""
    app = terminal.typer_app()
    app.callback(no_args_is_help=True)(_root)
    asked = next((word for word in words if not word.startswith("-")), "")
    for verb, summary in VERBS.items():
        if verb != asked:
            app.command(verb, help=summary)(lambda: None)
            continue
        module = import_module(f"vestibule.cli.{verb}")
        # A module has verbs of its own, or is one: a function of its name.
        if hasattr(module, "app"):
            app.add_typer(module.app, name=verb)
        else:
            app.command(verb)(getattr(module, verb))
    return app


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(terminal.run(build(sys.argv[1:])))
