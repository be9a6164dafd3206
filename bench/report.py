"""The figures as a table: each beside its floor, and its goal where there is one."""

from __future__ import annotations

from statistics import median, quantiles

Figures = dict[str, list[float]]
"""Samples by name."""


def report(figures: dict[int, Figures]) -> None:
    """Print what was measured, by number of accounts."""
    for accounts, noted in figures.items():
        print(f"\n{accounts:,} accounts")
        if "argon2id_rate" in noted:
            _line(
                "argon2id alone",
                f"{median(noted['argon2id_rate']):.1f}/s",
                f"{median(noted['argon2id_ms']):.1f} ms CPU each, on the server's core",
            )
            _line("one durable commit alone", f"{median(noted['commit_rate']):.0f}/s")
        for kind, title, bare in (("push", "push", 2.8), ("response", "challenge/response", 0.95)):
            _sign_ins(noted, kind, title, bare)
        _latency(noted)
        _waiting(noted)
    sizes = sorted(figures)
    if len(sizes) > 1:
        _growth(figures[sizes[0]], figures[sizes[-1]], sizes)


def _sign_ins(noted: Figures, kind: str, title: str, goal_ms: float) -> None:
    if f"{kind}_rate" in noted:
        _line(
            f"{title} sign-ins, with password",
            f"{median(noted[f'{kind}_rate']):.1f}/s",
            f"{median(noted[f'{kind}_share']):.0%} of argon2id alone by CPU, "
            f"{median(noted[f'{kind}_wall_share']):.0%} by the clock (goal: at least 85 %)",
        )
    if f"{kind}_ms" in noted:
        spent = median(noted[f"{kind}_ms"])
        _line(
            f"{title} sign-in beside the password",
            f"{spent:.2f} ms",
            f"application CPU, {spent / median(noted['argon2id_ms']):.1%} of an argon2id check "
            f"(best round {min(noted[f'{kind}_ms']):.2f}; goal: at most {goal_ms} ms); "
            f"{median(noted[f'{kind}_bare_rate']):.0f}/s",
        )


def _latency(noted: Figures) -> None:
    if "approval_s" in noted:
        p50, p99 = _percentiles(noted["approval_s"])
        _line("approval to signed in", f"{p50:.1f} ms", f"p99 {p99:.1f} ms (goal: p50 under 10 ms)")


def _waiting(noted: Figures) -> None:
    if "waiting" in noted:
        (browsers,), (total,), (each,), (load,) = (
            noted[name] for name in ("waiting", "waiting_mib", "waiting_kib", "waiting_load")
        )
        _line(
            f"{browsers:,.0f} browsers wait",
            f"{total:.0f} MiB",
            f"one worker in all, {each:.1f} KiB each (goal: 10,000 within 300 MiB)",
        )
        p50, p99 = _percentiles(noted["woken_s"])
        _line(
            f"woken among them, at {load:.0%} load",
            f"{p99:.1f} ms",
            f"p99, p50 {p50:.1f} ms, from sending the approval (goal: p99 under 20 ms)",
        )


def sftp_report(figures: dict[str, Figures]) -> None:
    """Print what was measured of SFTP servers: the first is ours, the second to be compared."""
    (ours, mine), (theirs, other) = figures.items()
    print(f"\n{ours} beside {theirs}: same files, client, cipher and core; medians of rounds")
    for name, title, unit, goal in (
        ("big_rate", "one big file", "MiB/s", 0.9),
        ("small_rate", "small files, one program", "files/s", 0.7),
        ("smalls_rate", "small files, several programs", "files/s", 0.7),
    ):
        if name in mine:
            ratios = [one / two for one, two in zip(mine[name], other[name], strict=True)]
            _line(
                title,
                f"{median(mine[name]):.0f} {unit}",
                f"{median(ratios):.2f} of {theirs}'s {median(other[name]):.0f} "
                f"({min(ratios):.2f} to {max(ratios):.2f}; goal: at least {goal})",
            )
    for name, title, unit, most in (
        ("big_cpu_ms", "server CPU for a MiB of the big file", "ms", 0),
        ("small_ms", "server CPU for a small file", "ms", 0),
        ("sign_in_ms", "server CPU for a sign-in", "ms", 4),
        ("newer_ms", "the same, by a program of 2025", "ms", 4),
        ("idle_kib", "memory of an idle session", "KiB", 100),
    ):
        if name in mine:
            wanted = f"; goal: at most {most} {unit}" if most else ""
            beside = f"{theirs}: {median(other[name]):.2f} {unit} " if name in other else ""
            _line(
                title,
                f"{median(mine[name]):.2f} {unit}",
                f"{beside}(ours {min(mine[name]):.2f} to {max(mine[name]):.2f}{wanted})",
            )


def _growth(small: Figures, large: Figures, sizes: list[int]) -> None:
    print(f"\n{sizes[-1]:,} accounts against {sizes[0]:,} (goal: no figure worse than 1.2 times)")
    for name, title, more_is_worse in (
        ("push_rate", "push sign-ins, with password", False),
        ("response_rate", "challenge/response sign-ins, with password", False),
        ("push_ms", "push sign-in beside the password", True),
        ("response_ms", "challenge/response sign-in beside the password", True),
        ("approval_s", "approval to signed in, p50", True),
    ):
        if name in small and name in large:
            ratio = median(large[name]) / median(small[name])
            _line(title, f"{ratio if more_is_worse else 1 / ratio:.2f} times")


def _percentiles(seconds: list[float]) -> tuple[float, float]:
    """p50 and p99, in milliseconds."""
    return median(seconds) * 1000, quantiles(seconds, n=100, method="inclusive")[98] * 1000


def _line(title: str, figure: str, remark: str = "") -> None:
    print(f"  {title:<48}{figure:>12}  {remark}".rstrip(), flush=True)
