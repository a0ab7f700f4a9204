"""``modgap measure``: one model, one suite, one run folder.

    run = modgap.measure("bundled", "scenes", n=200)
    pandas.DataFrame(run.rows())

Doing it again does nothing: what is in the run folder is not asked again, and what failed is.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modgap._errors import InputError, UnknownName
from modgap.evaluate import strategies
from modgap.evaluate._config import Dial, MeasureConfig, plain
from modgap.evaluate._fingerprint import KeyMaker, digest, folder_name
from modgap.evaluate._prompts import PROMPT_VERSION
from modgap.evaluate._run import ModelInfo, Run, RunInfo, SuiteInfo
from modgap.evaluate._runner import Listener, Silence, run_problems
from modgap.evaluate._writer import RunWriter, now
from modgap.media import MODALITIES, Modality
from modgap.models import Model, load_model

if TYPE_CHECKING:
    from modgap.tasks import Suite

DEFAULT_N = 100
"""Problems of each task where a suite has no end (our choice: about ±10 points for each task)."""

_PACKAGES = ("modgap", "numpy", "pillow", "torch", "transformers", "tokenizers", "peft")
"""Packages that can change a picture or a reply; their versions are kept in ``run.json``."""


def measure(
    model: str | Model = "bundled",
    suite: str | Suite = "scenes",
    *,
    n: int | None = None,
    seed: int = 0,
    modalities: Sequence[str] = (),
    representations: Sequence[str] = (),
    tasks: Sequence[str] = (),
    set: Mapping[str, Dial] | None = None,
    strategy: str | Sequence[str] = "direct",
    samples: int = 1,
    temperature: float = 0.0,
    top_p: float = 1.0,
    max_tokens: int = 512,
    wording: str = "plain",
    answer: str | None = None,
    batch_size: int | None = None,
    adapter: str | None = None,
    dtype: str | None = None,
    device_map: str | None = None,
    load_in_4bit: bool | None = None,
    revision: str | None = None,
    trust_remote_code: bool | None = None,
    url: str | None = None,
    key_env: str | None = None,
    concurrency: int | None = None,
    budget: int | None = None,
    vector: str | None = None,
    block: int | None = None,
    strength: float | None = None,
    positions: str | None = None,
    phase: str | None = None,
    option: Mapping[str, Dial] | None = None,
    engine: str = "local",
    workers: int | None = None,
    gpus_per_worker: float | None = None,
    name: str = "",
    out: str | Path = "runs",
    listener: Listener | None = None,
) -> Run:
    """Ask a model every problem of a suite in every representation, and keep the records.

    All arguments but the last are described at :class:`MeasureConfig`. A model or a suite may also be given
    as an object; the options of the model are then its own affair and are not accepted here.

    Args:
        listener: told of progress; ``None`` measures in silence.

    Returns:
        The run, complete but for samples whose outcome is ``error``.

    Raises:
        InputError: if an argument is not accepted.
        ModelError: if the model cannot be loaded or cannot go on; what is done is kept.
        RunError: if the run folder is in use, holds another configuration, or cannot be written.
    """
    config = MeasureConfig(
        model=model if isinstance(model, str) else model.name,
        suite=suite if isinstance(suite, str) else suite.name,
        n=n,
        seed=seed,
        modalities=_names("modalities", modalities),
        representations=_names("representations", representations),
        tasks=_names("tasks", tasks),
        set=dict(set or {}),
        strategy=strategy if isinstance(strategy, str) else ",".join(strategy),
        samples=samples,
        temperature=temperature,
        top_p=top_p,
        max_tokens=max_tokens,
        wording=wording,
        answer=answer,
        batch_size=batch_size,
        adapter=adapter,
        dtype=dtype,
        device_map=device_map,
        load_in_4bit=load_in_4bit,
        revision=revision,
        trust_remote_code=trust_remote_code,
        url=url,
        key_env=key_env,
        concurrency=concurrency,
        budget=budget,
        vector=vector,
        block=block,
        strength=strength,
        positions=positions,
        phase=phase,
        option=dict(option or {}),
        engine=engine,
        workers=workers,
        gpus_per_worker=gpus_per_worker,
        name=name,
        out=str(out),
    )
    return run_config(
        config,
        model=None if isinstance(model, str) else model,
        suite=None if isinstance(suite, str) else suite,
        listener=listener,
    )


def run_config(
    config: MeasureConfig,
    *,
    model: Model | None = None,
    suite: Suite | None = None,
    listener: Listener | None = None,
) -> Run:
    """:func:`measure`, from a configuration.

    Args:
        config: what to measure.
        model: used instead of loading ``config.model``.
        suite: used instead of loading ``config.suite``.
        listener: told of progress.
    """
    listener = listener or Silence()
    if model is not None and config.model_options():
        raise InputError(
            f"{', '.join(config.model_options())}: not accepted beside a model that is loaded already; "
            "load the model with them"
        )
    if model is not None and config.engine != "local":
        raise InputError(
            f"engine {config.engine!r} loads the model in every worker: give the name of a model, not one "
            "that is loaded already"
        )
    if suite is None:
        from modgap.tasks import load_suite

        suite = load_suite(config.suite, tasks=config.tasks or None, **config.set)
    # The suite is checked first: a model can take minutes to load.
    config = dataclasses.replace(config, n=_number(suite, config))
    asked = {*config.representations, *config.modalities}
    requested = {k: m for k, m in getattr(suite, "on_request", {}).items() if asked & {k, m}}
    wanted = choose_representations(suite.representations | requested, config)
    loaded = model if model is not None else _load(config, listener)
    try:
        return _run(config, loaded, suite, wanted, listener)
    finally:
        if model is None:
            loaded.close()


def _load(config: MeasureConfig, listener: Listener) -> Model:
    """The model of a configuration, where its engine puts it."""
    load = functools.partial(load_model, config.model, **config.model_options())
    if config.engine == "local":
        return load()
    from modgap.models._ray import RayModel

    return RayModel(load, workers=config.workers, gpus_per_worker=config.gpus_per_worker, say=listener.say)


def _run(
    config: MeasureConfig, model: Model, suite: Suite, wanted: dict[str, Modality], listener: Listener
) -> Run:
    shown = {name: modality for name, modality in wanted.items() if modality in model.modalities}
    if not shown:
        raise InputError(
            f"model {model.name} can be shown {_listed(model.modalities)}, and the representations asked for "
            f"are {', '.join(f'{name} ({modality})' for name, modality in wanted.items())}; "
            "choose others with --modalities or --representations, or another model"
        )
    ways = [strategies.load(name) for name in config.strategies()]
    _check_strategies(ways, shown)
    settings = suite.settings()
    fingerprint = plain(model.fingerprint())
    keys = KeyMaker(config, fingerprint)
    info = RunInfo(
        created=now(),
        config=plain(dataclasses.asdict(config)),
        suite=SuiteInfo(suite.name, tuple(suite.tasks), shown, plain(settings)),
        model=ModelInfo(model.name, tuple(m for m in MODALITIES if m in model.modalities), fingerprint),
        fingerprint=digest((keys.common, plain(settings), config.task_part())),
        prompt_version=PROMPT_VERSION,
        versions=versions(),
    )
    name = config.name or folder_name(model.name, suite.name, config, plain(settings))
    with RunWriter(Path(config.out) / name, info, listener.say) as writer:
        for left_out, modality in wanted.items():
            if left_out not in shown:
                writer.note(f"{left_out} is left out: model {model.name} cannot be shown {modality}")
        if config.samples > 1 and config.temperature == 0:
            writer.note(f"{config.samples} samples at temperature 0: a model without chance repeats itself")
        each = sum(len(shown) if way.name == "direct" else _unwritten(shown) for way in ways)
        total = None if config.n is None else config.n * len(suite.tasks) * each * config.samples
        listener.begin(total)
        try:
            run_problems(
                suite.problems(config.n, config.seed, tuple(shown)),
                model=model,
                parser=suite,
                strategies=ways,
                config=config,
                keys=keys,
                writer=writer,
                listener=listener,
            )
        finally:
            for note in getattr(model, "notes", ()):
                writer.note(note)
        writer.finish()
        return Run(writer.folder)


def _unwritten(shown: Mapping[str, Modality]) -> int:
    return sum(modality != "text" for modality in shown.values())


def _check_strategies(ways: Sequence[strategies.Strategy], shown: Mapping[str, Modality]) -> None:
    """Refuse a strategy that has nothing to work with among what is shown."""
    listed = ", ".join(f"{name} ({modality})" for name, modality in shown.items())
    for way in ways:
        if way.name != "direct" and not _unwritten(shown):
            raise InputError(
                f"strategy {way.name} is about what is shown, not written, and this run has {listed}; "
                "add a modality such as image to --modalities, or leave the strategy out"
            )
        if way.needs_text and _unwritten(shown) == len(shown):
            raise InputError(
                f"strategy {way.name} shows the problem in words too, and this run has {listed}; "
                "add text to --modalities"
            )


def _number(suite: Suite, config: MeasureConfig) -> int | None:
    """How many problems of each task: as told, or all where that is a number, or ``DEFAULT_N``."""
    if config.n is None:
        try:
            suite.problems(None, config.seed)  # checked when called; nothing is made before it is iterated
        except InputError:
            return DEFAULT_N
    return config.n


def choose_representations(offered: Mapping[str, Modality], config: MeasureConfig) -> dict[str, Modality]:
    """The representations asked for, in the order of the suite.

    Args:
        offered: name → modality of those the suite has.
        config: its ``modalities`` and ``representations`` choose among them.

    Raises:
        UnknownName: if one is named that the suite does not have.
        InputError: if nothing is left.
    """
    for name in config.representations:
        if name not in offered:
            raise UnknownName("representation", name, offered)
    chosen = {
        name: modality
        for name, modality in offered.items()
        if (not config.representations or name in config.representations)
        and (not config.modalities or modality in config.modalities)
    }
    if not chosen:
        raise InputError(
            f"suite {config.suite} has nothing to show for modalities {_listed(config.modalities)}"
            f" and representations {_listed(config.representations)}; "
            f"it has {', '.join(f'{name} ({modality})' for name, modality in offered.items())}"
        )
    return chosen


def versions() -> dict[str, str]:
    """Versions of Python and of the installed packages that can change a picture or a reply."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _listed(names: Sequence[str] | frozenset[Modality]) -> str:
    return ", ".join(sorted(names)) or "(any)"


def _names(label: str, given: Sequence[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        raise InputError(f"{label} {given!r} is a text; give a list of names, such as [{given!r}]")
    return tuple(given)
