"""``modgap fone VERB ...``: numbers as single tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from modgap.fone import Codec
    from modgap.fone.codec import Features

    _Table = tuple[tuple[str, ...], list[tuple[str, ...]]]

app = typer.Typer(
    help="Numbers as single tokens with an exact Fourier embedding (FoNE).",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def _fone() -> None:
    # With a callback, a single verb stays a verb: `modgap fone encode`, not `modgap fone`.
    pass


# Negative numbers look like options: what is no option counts as a number, and is refused if it is none.
@app.command("encode", context_settings={"ignore_unknown_options": True})
def encode_numbers(
    numbers: Annotated[list[str], typer.Argument(help="Such as 12.5 -3 1,234.56 3.14e-2.")],
    *,
    integer_places: Annotated[
        int | None, typer.Option(help="Digits before the point. Default: as many as are needed.")
    ] = None,
    decimal_places: Annotated[
        int | None, typer.Option(help="Digits after the point. Default: as many as are needed.")
    ] = None,
    features: Annotated[
        str, typer.Option(help="continuous phases, digits (digit angles) or both.")
    ] = "continuous",
    period: Annotated[
        list[str] | None, typer.Option(help="One period of the phases; repeat it. Default: powers of ten.")
    ] = None,
    group_places: Annotated[
        int | None, typer.Option(help="Periods start again every so many places. Default: never.")
    ] = None,
    floating: Annotated[
        bool, typer.Option("--floating", help="Significant digits and a power of ten, for any magnitude.")
    ] = False,
) -> None:
    """Show the Fourier features of numbers, and the numbers read back from them."""
    from modgap.cli._table import print_rows
    from modgap.fone import decode, encode

    encoding = encode(
        numbers,
        integer_places=integer_places,
        decimal_places=decimal_places,
        features=features,
        periods=tuple(period) if period else None,
        group_places=group_places,
        floating=floating,
    )
    codec = encoding.codec
    typer.echo(f"places {codec.places}, columns {codec.width}: {', '.join(codec.columns)}")
    for given, decoded, row in zip(numbers, decode(encoding), encoding.features, strict=True):
        typer.echo(f"\n{given}  read back as  {decoded}")
        for columns, rows in _tables(codec, row):
            print_rows(columns, rows)


def _tables(codec: Codec, row: Features) -> list[_Table]:
    """Columns and rows of the tables of one number."""
    places = [_power(i - codec.decimal_places) for i in range(codec.places)]
    digits = [str(d) for d in codec.decode_digits(row[None])[0]]
    periods = [
        str(p)
        for p in codec.periods or map(_power, range(1 - codec.decimal_places, codec.integer_places + 1))
    ]
    phases = _pairs(codec, row, "phases")
    angles = _pairs(codec, row, "digits")
    tables: list[_Table] = []
    if codec.periods is not None and codec.features != "digits":
        listed: list[tuple[str, ...]] = [
            (period, *pair) for period, pair in zip(periods, phases, strict=True)
        ]
        tables.append((("period", "cos", "sin"), listed))
        phases = []
    by_place = [
        (place, digit, *((periods[i], *phases[i]) if phases else ()), *(angles[i] if angles else ()))
        for i, (place, digit) in enumerate(zip(places, digits, strict=True))
    ]
    of_phases = ("period", "cos", "sin") if phases else ()
    of_digits = ("digit cos", "digit sin") if angles else ()
    tables.append((("place", "digit", *of_phases, *of_digits), by_place))
    others = [name for name in codec.columns if name not in ("phases", "digits")]
    tables.append((("also", "values"), [(n, _values(row[codec.columns[n]])) for n in others]))
    return tables


def _values(row: Features) -> str:
    """Numbers in a line, whole ones short."""
    return " ".join(f"{x:.0f}" if x == round(x) else f"{x:+.6f}" for x in row.tolist())


def _pairs(codec: Codec, row: Features, name: str) -> list[tuple[str, str]]:
    """The pairs of a group of columns as text, none if the codec has no such columns."""
    if name not in codec.columns:
        return []
    values = row[codec.columns[name]]
    return [(f"{x:+.6f}", f"{y:+.6f}") for x, y in zip(values[0::2], values[1::2], strict=True)]


def _power(exponent: int) -> str:
    """A power of ten as people write it, short."""
    if -6 <= exponent <= 6:
        return "1" + "0" * exponent if exponent >= 0 else "0." + "0" * (-exponent - 1) + "1"
    return f"1e{exponent}"
