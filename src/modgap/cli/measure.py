"""``modgap measure``: ask a model a suite in every representation, and say where it loses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

_MODEL = "Options of the model"
_ASKING = "How it is asked"
_STEERING = "Steering"
_MACHINES = "Where the model runs"
_FOLDER = "Where it is kept"


def measure(
    *,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="bundled, random, oracle, replay:PATH, endpoint:NAME, folder or hub id. Default: bundled.",
        ),
    ] = None,
    suite: Annotated[
        str | None,
        typer.Option(
            "--suite",
            "-s",
            help="Name of a suite, file or folder of problems, or a published set as NAME:FOLDER. "
            "Default: scenes.",
        ),
    ] = None,
    n: Annotated[
        int | None, typer.Option("-n", help="Problems of each task. Default: 100, or all of a file.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of the problems and of the draw of replies. Default: 0.")
    ] = None,
    modalities: Annotated[str | None, typer.Option(help="Such as text,image. Default: all.")] = None,
    representations: Annotated[str | None, typer.Option(help="Such as list,image. Default: all.")] = None,
    tasks: Annotated[str | None, typer.Option(help="Such as count,relation. Default: all.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="DIAL=VALUE", help="A dial of the suite, such as level=hard; repeatable."
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="TOML file whose keys are these flags, with _ for -; flags given here win."),
    ] = None,
    strategy: Annotated[
        str | None,
        typer.Option(
            help="How a question is put; several as direct,isoscratchpad. Default: direct.",
            rich_help_panel=_ASKING,
        ),
    ] = None,
    samples: Annotated[
        int | None, typer.Option(help="Replies drawn for each question. Default: 1.", rich_help_panel=_ASKING)
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(help="0 is greedy. Default: 0.", rich_help_panel=_ASKING)
    ] = None,
    top_p: Annotated[
        float | None, typer.Option(help="Nucleus of the draw. Default: 1.", rich_help_panel=_ASKING)
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(help="Longest reply, in tokens. Default: 512.", rich_help_panel=_ASKING)
    ] = None,
    wording: Annotated[
        str | None, typer.Option(help="plain, polite or terse. Default: plain.", rich_help_panel=_ASKING)
    ] = None,
    answer: Annotated[
        str | None,
        typer.Option(help="auto, options (score them) or generate.", rich_help_panel=_ASKING),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Largest batch of a local model.", rich_help_panel=_MODEL)
    ] = None,
    adapter: Annotated[
        str | None, typer.Option(help="Folder or hub id of a PEFT adapter.", rich_help_panel=_MODEL)
    ] = None,
    dtype: Annotated[
        str | None, typer.Option(help="float32, bfloat16 or float16.", rich_help_panel=_MODEL)
    ] = None,
    device_map: Annotated[
        str | None, typer.Option(help="As in from_pretrained: auto, cpu, cuda:0 …", rich_help_panel=_MODEL)
    ] = None,
    load_in_4bit: Annotated[
        bool | None, typer.Option("--load-in-4bit", help="Needs bitsandbytes.", rich_help_panel=_MODEL)
    ] = None,
    revision: Annotated[
        str | None, typer.Option(help="Of a model on the hub.", rich_help_panel=_MODEL)
    ] = None,
    trust_remote_code: Annotated[
        bool | None,
        typer.Option("--trust-remote-code", help="Run code that comes with a model.", rich_help_panel=_MODEL),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Base address of an endpoint.", rich_help_panel=_MODEL)
    ] = None,
    key_env: Annotated[
        str | None, typer.Option(help="Environment variable with its key.", rich_help_panel=_MODEL)
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(help="Calls to an endpoint at a time.", rich_help_panel=_MODEL)
    ] = None,
    budget: Annotated[
        int | None, typer.Option(help="Most calls to an endpoint, repetitions too.", rich_help_panel=_MODEL)
    ] = None,
    vector: Annotated[
        str | None, typer.Option(help="Folder of a steering vector to add.", rich_help_panel=_STEERING)
    ] = None,
    block: Annotated[
        int | None, typer.Option(help="Whose output it is added to, from 0.", rich_help_panel=_STEERING)
    ] = None,
    strength: Annotated[
        float | None, typer.Option(help="What it is multiplied by. Default: 1.", rich_help_panel=_STEERING)
    ] = None,
    positions: Annotated[
        str | None,
        typer.Option(help="image, text, both or question. Default: image.", rich_help_panel=_STEERING),
    ] = None,
    phase: Annotated[
        str | None,
        typer.Option(help="prefill, decode or both. Default: prefill.", rich_help_panel=_STEERING),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="Any other option of it; repeatable.", rich_help_panel=_MODEL
        ),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            help="local (this process) or ray (workers, also on other machines). Default: local.",
            rich_help_panel=_MACHINES,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            help="Of ray. Default: one for each GPU, or for each machine without.", rich_help_panel=_MACHINES
        ),
    ] = None,
    gpus_per_worker: Annotated[
        float | None,
        typer.Option(help="Of ray; 0.5 shares one. Default: 1 if there is one.", rich_help_panel=_MACHINES),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Of the run folder. Default: <model>-<suite>-<hash>.", rich_help_panel=_FOLDER),
    ] = None,
    out: Annotated[
        str | None, typer.Option(help="Folder of run folders. Default: runs.", rich_help_panel=_FOLDER)
    ] = None,
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Write report.html.", rich_help_panel=_FOLDER)
    ] = True,
) -> None:
    """Ask a model every problem of a suite in every representation, and print the gaps.

    The same command goes on where an interrupted one stopped, and asks again what failed.
    """
    from modgap.cli._progress import Progress
    from modgap.cli._table import print_summary
    from modgap.cli._values import dials, listed
    from modgap.evaluate import MeasureConfig, read_config, run_config

    given: dict[str, Any] = {
        "model": model,
        "suite": suite,
        "n": n,
        "seed": seed,
        "modalities": listed(modalities),
        "representations": listed(representations),
        "tasks": listed(tasks),
        "set": dials(set_, "--set"),
        "strategy": strategy,
        "samples": samples,
        "temperature": temperature,
        "top_p": top_p,
        "max_tokens": max_tokens,
        "wording": wording,
        "answer": answer,
        "batch_size": batch_size,
        "adapter": adapter,
        "dtype": dtype,
        "device_map": device_map,
        "load_in_4bit": load_in_4bit,
        "revision": revision,
        "trust_remote_code": trust_remote_code,
        "url": url,
        "key_env": key_env,
        "concurrency": concurrency,
        "budget": budget,
        "vector": vector,
        "block": block,
        "strength": strength,
        "positions": positions,
        "phase": phase,
        "option": dials(option, "--option"),
        "engine": engine,
        "workers": workers,
        "gpus_per_worker": gpus_per_worker,
        "name": name,
        "out": out,
    }
    settings = read_config(config) if config else {}
    settings.update({field: value for field, value in given.items() if value is not None})
    resolved = MeasureConfig(**settings)
    with Progress() as progress:
        try:
            run = run_config(resolved, listener=progress)
        except KeyboardInterrupt:
            progress.close()
            typer.echo("modgap: stopped; the same command goes on from here", err=True)
            raise typer.Exit(130) from None
    print_summary(run)
    if report:
        from modgap.report import write_report

        typer.echo(f"report: {write_report(run.folder)}")
    else:
        typer.echo(f"run: {run.folder}")
