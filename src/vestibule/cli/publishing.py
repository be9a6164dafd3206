"""`vestibule statements publish`: shows what goes on, and sums up what became of each file."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Protocol, Self

from rich.filesize import decimal
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from vestibule.cli import terminal
from vestibule.cli.statement_files import Found
from vestibule.client.publishing import Outcome
from vestibule.client.publishing_calls import Paper

_SHOWN_MOST = 20
"""Files that are named one by one in a summary."""


class Publishing(Protocol):
    """Publishes files: at a portal, or at this machine's own house."""

    def publish(self, papers: Sequence[Paper]) -> AsyncIterator[Outcome]:
        """Publish all, and tell of each once."""
        ...


class Shown:
    """The progress bar: files and bytes, the rate, and the time that is left."""

    def __init__(self, papers: Sequence[Paper]) -> None:
        self._sent: dict[Paper, int] = {}
        self._total = sum(paper.size for paper in papers)
        self._files = len(papers)
        self._done = 0
        self._bar = Progress(
            TextColumn("{task.fields[files]}"),
            BarColumn(bar_width=None),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(compact=True),
            console=terminal.err,
            # A log of a nightly run gets the summary, not a bar that nobody can see moving.
            disable=not terminal.err.is_terminal,
        )
        self._task = self._bar.add_task("", total=self._total, files=self._count())

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._bar.stop()

    def moved(self, paper: Paper, sent: int) -> None:
        """So many bytes of a file have left."""
        before = self._sent.get(paper, 0)
        self._sent[paper] = sent
        self._bar.advance(self._task, sent - before)

    def over(self, outcome: Outcome) -> None:
        """A file is done with; one that need not be sent makes the whole smaller."""
        sent = self._sent.pop(outcome.paper, 0)
        if outcome.state in {"same", "refused"}:
            self._bar.advance(self._task, -sent)
            self._total -= outcome.paper.size
        self._done += 1
        self._bar.update(self._task, total=self._total, files=self._count())

    def _count(self) -> str:
        return f"{self._done} of {self._files} files"


async def run(publishing: Publishing, found: Found, shown: Shown) -> int:
    """Publish all of them, tell what became of them, and return the exit code."""
    outcomes: list[Outcome] = []
    with shown:
        async for outcome in publishing.publish(found.papers):
            shown.over(outcome)
            outcomes.append(outcome)
    return tell(outcomes, found)


def tell(outcomes: Sequence[Outcome], found: Found) -> int:
    """The summary; and 1 where anything was refused, else 0."""
    states = Counter(outcome.state for outcome in outcomes)
    states["refused"] += len(found.unfit)
    sizes = sum(one.paper.size for one in outcomes if one.state in {"new", "replaced"})
    words = [f"{states['new']} new", f"{states['same']} there already"]
    if states["replaced"]:
        words.append(f"{states['replaced']} replaced")
    words.append(f"{states['refused']} refused")
    terminal.out.print(f"{', '.join(words)}. Sent: {decimal(sizes)}.")
    refused = [(one.path, one.reason) for one in found.unfit]
    refused += [(one.paper.path, _reason(one)) for one in outcomes if one.state == "refused"]
    for path, reason in refused[:_SHOWN_MOST]:
        terminal.err.print(f"[bold red]refused[/] {escape(str(path))}: {escape(reason)}")
    if len(refused) > _SHOWN_MOST:
        by_reason = Counter(reason for _, reason in refused[_SHOWN_MOST:])
        for reason, count in by_reason.most_common():
            terminal.err.print(f"[bold red]refused[/] {count} more: {escape(reason)}")
    return terminal.REFUSED if refused else 0


def _reason(outcome: Outcome) -> str:
    if outcome.reason is None:
        return "?"
    stopped = terminal.explain(outcome.reason)
    return stopped.message if stopped else str(outcome.reason)


def plan(found: Found, states: Sequence[str]) -> None:
    """What would be done, for `--dry-run`."""
    counts = Counter(states)
    absent = [paper for paper, state in zip(found.papers, states, strict=True) if state == "absent"]
    size = decimal(sum(paper.size for paper in absent))
    terminal.out.print(f"{len(absent)} would be published ({size}), {counts['same']} are there.")
    for paper, state in zip(found.papers, states, strict=True):
        if state == "differs":
            what = "would be replaced" if paper.replace else "has another content there"
            terminal.out.print(f"{escape(str(paper.path))}: {what}")
        elif state == "account_unknown":
            terminal.out.print(f"{escape(str(paper.path))}: no account {escape(paper.account)}")
    for unfit in found.unfit:
        terminal.out.print(f"{escape(str(unfit.path))}: {unfit.reason}")
