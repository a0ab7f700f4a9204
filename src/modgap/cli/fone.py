"""``modgap fone VERB ...``: numbers as single tokens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modgap.cli._fone_attach import attach_numbers
from modgap.cli._fone_lab import add_verbs

if TYPE_CHECKING:
    from modgap.fone import Codec, Modules, NumberVectors, Spectrum
    from modgap.fone.codec import Features

    _Table = tuple[tuple[str, ...], list[tuple[str, ...]]]

_MOST_ROWS = 12  # of a table of periods; the rest is in the file

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


@app.command("spectrum")
def show_spectrum(
    model: Annotated[
        str,
        typer.Argument(help="Model folder, number model folder, hub id, bundled or bundled/text_backbone."),
    ],
    *,
    layer: Annotated[
        int | None,
        typer.Option(
            help="States after this block, 0 for before the first, not embeddings; for tokenizers of digits."
        ),
    ] = None,
    numbers: Annotated[int, typer.Option("--numbers", "-n", help="Most numbers, from 0.")] = 1000,
    level: Annotated[
        float, typer.Option(help="Chance of one or more false periods in the whole spectrum.")
    ] = 0.01,
    permutations: Annotated[int, typer.Option(help="How many times numbers are shuffled.")] = 199,
    prompts: Annotated[
        int,
        typer.Option(
            help="Ask so many sums, to see what attention and MLP of each block write. Default: none."
        ),
    ] = 0,
    template: Annotated[
        str, typer.Option(help="How sums are asked; the answer is the next token.")
    ] = "{a}+{b}=",
    seed: Annotated[int, typer.Option(help="Of everything that is shuffled or drawn.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder of spectrum.json and the pictures. Default: spectrum-<model>.")
    ] = None,
    picture: Annotated[str, typer.Option(help="png, svg or none.")] = "png",
) -> None:
    """Which periods a model uses for numbers, and whether it can tell them apart modulo 2, 5 and 10."""
    import numpy as np

    from modgap._errors import UnknownName
    from modgap.fone import measure_modules, measure_spectrum, number_vectors

    if picture not in ("png", "svg", "none"):
        raise UnknownName("picture", picture, ("png", "svg", "none"))
    found = number_vectors(model, layer=layer, most=numbers)
    spectrum = measure_spectrum(
        found.vectors, np.random.default_rng(seed), level=level, permutations=permutations
    )
    folder = out or Path(f"spectrum-{Path(model).name}")
    _print_spectrum(spectrum, found)
    content = {"model": model, "source": found.source, "note": found.note, "seed": seed}
    _write_json(folder / "spectrum.json", content | spectrum.as_json())
    if picture != "none":
        from modgap.fone._plot import plot_spectrum

        plot_spectrum(spectrum, folder / f"spectrum.{picture}", found.source)
    if prompts:
        modules = measure_modules(
            model, np.random.default_rng(seed), template=template, prompts=prompts, most=numbers
        )
        _print_effects(modules)
        _write_json(folder / "modules.json", {"model": model, "seed": seed} | modules.as_json())
        if picture != "none":
            from modgap.fone._plot import plot_modules

            plot_modules(modules, folder / f"modules.{picture}", Path(model).name)
    typer.echo(f"spectrum: {folder}")


app.command("attach")(attach_numbers)
add_verbs(app)


def _print_spectrum(spectrum: Spectrum, found: NumberVectors) -> None:
    from modgap.cli._table import print_rows

    typer.echo(f"{found.source}: numbers 0 to {spectrum.numbers - 1}, {spectrum.width} columns")
    if found.note:
        typer.echo(f"note: {found.note}")
    print_rows(
        ("period", "k", "norm", "over its neighbours", "p"),
        [
            (f"{c.period:.4g}", str(c.k), f"{c.norm:.3g}", f"{c.ratio:.3g} ×", f"{c.p:.3f}")
            for c in spectrum.outliers[:_MOST_ROWS]
        ],
    )
    if len(spectrum.outliers) > _MOST_ROWS:
        typer.echo(f"and {len(spectrum.outliers) - _MOST_ROWS} more in spectrum.json")
    print_rows(
        ("modulo", "linear probe", "chance", "shuffled labels", "p"),
        [
            (str(p.modulus), *(f"{100 * x:.1f} %" for x in (p.accuracy, p.chance, p.shuffled)), f"{p.p:.2f}")
            for p in spectrum.probes
        ],
    )
    typer.echo(spectrum.verdict())


def _print_effects(modules: Modules) -> None:
    from modgap.cli._table import print_rows

    typer.echo(f"\n{modules.prompts} sums “{modules.template}”, answers 0 to {modules.numbers - 1}")
    rows = []
    for effect in modules.effects:
        control = "–"
        if effect.control is not None and effect.control_low is not None:
            control = f"{100 * effect.control:.1f} % (least {100 * effect.control_low:.1f} %)"
        of = "" if effect.band == "none" else effect.where
        rows.append(
            (
                effect.band,
                of,
                str(effect.components),
                f"{100 * effect.accuracy:.1f} %",
                f"{effect.error:g}",
                control,
            )
        )
    print_rows(("band taken out", "of", "components", "right", "median error", "random bands right"), rows)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    import json

    from modgap._errors import FileError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise FileError(f"{path.parent}: cannot be written: {error}") from error


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
