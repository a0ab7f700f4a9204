"""Finds the verbs and turns errors into one line."""

from __future__ import annotations

import importlib
import keyword
import os
import pkgutil
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from modgap._errors import ModgapError, UnknownName


def verbs() -> tuple[str, ...]:
    """Names of all verbs, in alphabetical order; nothing is imported."""
    here = [str(Path(__file__).parent)]
    return tuple(sorted(m.name for m in pkgutil.iter_modules(here) if not m.name.startswith("_")))


class _Verbs(TyperGroup):
    """A group whose commands are the files of this folder; only the one that is called is imported."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [verb.rstrip("_").replace("_", "-") for verb in verbs()]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        verb = cmd_name.replace("-", "_")
        if keyword.iskeyword(verb):  # `import` is import_.py
            verb += "_"
        if verb not in verbs():
            raise UnknownName("verb", cmd_name, self.list_commands(ctx))
        module = importlib.import_module(f"modgap.cli.{verb}")
        own = getattr(module, "app", None)
        if own is None:
            own = typer.Typer(add_completion=False)
            own.command(cmd_name)(getattr(module, verb))
        return typer.main.get_command(own)

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # a reader that left is noticed here, not while Python shuts down
            return result
        except ModgapError as error:
            _complain(str(error))
            raise typer.Exit(2) from error
        except KeyboardInterrupt as error:
            _complain("stopped")
            raise typer.Exit(130) from error
        except BrokenPipeError as error:
            # The reader of our output, `head` say, has left; that is no error. Python would complain when it
            # flushes the stream at its end, so the stream now leads nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from error


def _complain(message: str) -> None:
    typer.echo(f"modgap: {' '.join(message.split())}", err=True)


def _show_version(wanted: bool) -> None:
    if wanted:
        import modgap

        typer.echo(f"modgap {modgap.__version__}")
        raise typer.Exit


app = typer.Typer(cls=_Verbs, no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def _modgap(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Measure, locate and close the modality gap of multimodal language models."""


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets a question mark, not a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    typer.main.get_command(app)(prog_name="modgap")
