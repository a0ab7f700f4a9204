"""How far a run is: a bar on a terminal, now and then a line elsewhere; both on the standard error stream."""

from __future__ import annotations

import sys
import time
from typing import Any

EVERY = 10.0
"""Seconds between two lines when the stream is not a terminal (our choice: a log that can be read)."""


class Progress:
    """A listener of a run. Use it as a context manager, so that the bar is taken down."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._live = self._console.is_terminal
        self._bar: Any = None
        self._task: Any = None
        self._total: int | None = None
        self._asked = self._kept = self._errors = 0
        self._began = self._last = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar down and say what was done. Closing twice is allowed."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        if self._asked or self._kept:
            self._line(ended=True)
        self._total, self._asked, self._kept = None, 0, 0

    def say(self, line: str) -> None:
        """Show a line above the bar."""
        self._console.print(line, markup=False)

    def begin(self, total: int | None) -> None:
        """Show the bar; ``total`` samples if that is known."""
        self._total = total
        self._began = self._last = time.monotonic()
        if self._live:
            self._bar = _bar(self._console)
            self._task = self._bar.add_task("asking", total=total, rate="")
            self._bar.start()

    def advance(self, *, asked: int, kept: int, errors: int) -> None:
        """Count samples."""
        self._asked += asked
        self._kept += kept
        self._errors += errors
        now = time.monotonic()
        if self._bar is not None:
            if now - self._last >= 0.1 or kept:
                self._last = now
                self._bar.update(self._task, completed=self._asked + self._kept, rate=self._rate())
        elif now - self._last >= EVERY:
            self._last = now
            self._line()

    def _line(self, ended: bool = False) -> None:
        done = self._asked + self._kept
        share = f" of {self._total:,}" if self._total and not ended else ""
        parts = [f"{done:,}{share} {'sample' if done == 1 and not share else 'samples'}"]
        if self._kept:
            parts.append(f"{self._kept:,} of them kept from before")
        if self._asked:
            parts.append(self._rate(ended))
        if self._errors:
            parts.append(
                f"{self._errors:,} {'error' if self._errors == 1 else 'errors'}; the same command asks again"
            )
        self.say(", ".join(parts))

    def _rate(self, ended: bool = False) -> str:
        seconds = time.monotonic() - self._began
        rate = self._asked / seconds if seconds > 0 else 0.0
        text = f"{rate:,.1f} per second" if rate < 100 else f"{rate:,.0f} per second"
        left = (self._total or 0) - self._asked - self._kept
        if left > 0 and rate > 0 and self._bar is None and not ended:
            text += f", about {_duration(left / rate)} left"
        return text


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _bar(console: Any) -> Any:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    return Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
    )
