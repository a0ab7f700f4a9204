"""The references in docs: cli.md is made from the command line, api.md from the packages.

python scripts/reference.py            # writes both
python scripts/reference.py --check    # says whether they are up to date; status 1 if not
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from modgap.cli._group import app

DOCS = Path(__file__).parents[1] / "docs"
CLI_HEAD = """# Command line

Every verb, argument and option, as `modgap VERB --help` says it. Made by `scripts/reference.py`.
"""
API_HEAD = """# Python

Every public name, by package, with what it is. What is not listed may change at any time; what is listed
changes only with a new minor version while versions begin with 0 (semantic versioning), and the changelog
says so. Made by `scripts/reference.py`.

Most of what people need is in `modgap` itself:

```python
import modgap

run = modgap.measure("random", "scenes", n=5)
print(len(run.records()), run.rows()[0]["outcome"])
```
"""
PACKAGES = (
    "modgap",
    "modgap.evaluate",
    "modgap.tasks",
    "modgap.models",
    "modgap.media",
    "modgap.scenes",
    "modgap.close",
    "modgap.report",
    "modgap.steering",
    "modgap.tldr",
    "modgap.tldr.annotate",
    "modgap.tldr.real",
    "modgap.fone",
    "modgap.doctor",
)


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every command below one, with its full name, in alphabetical order; groups are passed through."""
    listed = getattr(command, "list_commands", None)
    if listed is None:
        yield name, command
        return
    context = typer.Context(command)
    for one in sorted(listed(context)):
        found = command.get_command(context, one)
        if not found.hidden:
            yield from commands(found, f"{name} {one}")


def section(name: str, command: Any) -> str:
    """What is said of one command."""
    parameters = [p for p in command.params if p.name != "help" and not getattr(p, "hidden", False)]
    arguments = [p for p in parameters if p.param_type_name == "argument"]
    usage = " ".join([name, *map(metavar, arguments)])
    text = inspect.cleandoc(command.help or "")
    lines = [f"## {name}", "", f"`{usage}`", "", text, ""]
    if parameters:
        lines += ["| | default | |", "|---|---|---|"]
        lines += [row(p) for p in [*arguments, *(p for p in parameters if p not in arguments)]]
    return "\n".join(lines).rstrip() + "\n"


def metavar(argument: Any) -> str:
    """An argument as the usage shows it: in brackets if optional, with dots if it may be repeated."""
    shown = argument.name.upper() + ("..." if argument.nargs == -1 else "")
    return shown if argument.required else f"[{shown}]"


def row(parameter: Any) -> str:
    """One argument or option as a row of a table."""
    if parameter.param_type_name == "argument":
        names = parameter.name.upper()
    else:
        names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    default = parameter.default
    if callable(default) or default is None or default in ("", (), []):
        shown = "required" if parameter.required else ""
    elif isinstance(default, bool):
        shown = "on" if default else "off"
    else:
        shown = f"`{default}`"
    cells = (f"`{names}`", shown, " ".join((parameter.help or "").split()))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def names_of(package: str) -> list[str]:
    """Public names of a package: what it lists, or else what it imports on purpose (``import X as X``)."""
    module = importlib.import_module(package)
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return sorted(listed)
    # With dir, what is imported when it is first used (``modgap.fone``) is listed too.
    found = [n for n in dir(module) if n[0] != "_" and n != "annotations"]
    return sorted(n for n in found if not inspect.ismodule(getattr(module, n)))


def entry(package: str, name: str) -> str:
    """One name with the first line of what it says of itself."""
    value = getattr(importlib.import_module(package), name)
    own = inspect.isclass(value) or inspect.isroutine(value)
    said = (inspect.getdoc(value) or "").partition("\n\n")[0] if own else ""
    kind = "class" if inspect.isclass(value) else "function" if inspect.isroutine(value) else "value"
    text = " ".join(said.split()).replace("|", "\\|")
    return f"| `{name}` | {kind} | {text} |"


def cli_page() -> str:
    """The reference of the command line."""
    root = typer.main.get_command(app)
    return CLI_HEAD + "\n" + "\n".join(section(name, command) for name, command in commands(root, "modgap"))


def api_page() -> str:
    """The list of public names."""
    parts = []
    for package in PACKAGES:
        about = (importlib.import_module(package).__doc__ or "").partition("\n")[0]
        rows = [entry(package, name) for name in names_of(package)]
        parts += [f"## {package}", "", about, "", "| | | |", "|---|---|---|", *rows, ""]
    return API_HEAD + "\n" + "\n".join(parts).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="The references in docs.")
    parser.add_argument("--check", action="store_true", help="only say whether they are up to date")
    check = parser.parse_args().check
    for name, made in (("cli.md", cli_page()), ("api.md", api_page())):
        path = DOCS / name
        if not check:
            path.write_text(made, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != made:
            sys.exit(f"{path} is not up to date: run python scripts/reference.py")


if __name__ == "__main__":
    main()
