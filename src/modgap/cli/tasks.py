"""``modgap tasks``: what can be asked about."""

from __future__ import annotations


def tasks() -> None:
    """List the tasks by suite; --suite takes a suite, --tasks takes tasks of it."""
    from modgap.cli._table import print_rows
    from modgap.tasks import load, names

    rows = []
    for name in names():
        suite, _, short = name.rpartition("/")
        rows.append((suite, short, _first_line(load(name).module.__doc__)))
    print_rows(("--suite", "--tasks", "what is asked"), rows)


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]
