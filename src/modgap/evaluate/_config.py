"""Everything one measurement is told, in one frozen value.

A field is a flag of ``modgap measure``, a key of a TOML file given to ``--config`` and an argument of
``modgap.measure``, under the same name everywhere.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from modgap._errors import FileError, InputError, UnknownName
from modgap.evaluate import strategies
from modgap.evaluate._prompts import WORDINGS
from modgap.media import MODALITIES
from modgap.models import JSON, Sampling

Dial = str | int | float | bool

OPERATIONAL = frozenset(
    {
        "name",
        "out",
        "batch_size",
        "concurrency",
        "budget",
        "device_map",
        "key_env",
        "option",
        "engine",
        "workers",
        "gpus_per_worker",
    }
)
"""Fields that change where and how fast a measurement runs, not what comes out of it, or that a model answers
for in its fingerprint. A run may be resumed with other values of these."""

ENGINES = ("local", "ray")
"""Where the model runs: in this process, or in workers of its own on one machine or many."""

_MODEL_OPTIONS = (
    "answer",
    "batch_size",
    "adapter",
    "dtype",
    "device_map",
    "load_in_4bit",
    "revision",
    "trust_remote_code",
    "url",
    "key_env",
    "concurrency",
    "budget",
    "vector",
    "block",
    "strength",
    "positions",
    "phase",
)


@dataclass(frozen=True, kw_only=True)
class MeasureConfig:
    """What to measure, and how.

    Args:
        model: ``bundled``, ``random``, ``oracle``, ``replay:PATH``, ``endpoint:NAME``, a folder or a hub id.
        suite: name of a suite, or a JSONL or parquet file, or a folder, of problems.
        n: problems of each task; ``None`` is all of a file, and 100 where problems are drawn.
        seed: of the problems, and of the draw of the replies.
        modalities: the ones to show; empty means all the suite has.
        representations: the ones to show; empty means all of these modalities.
        tasks: the ones to ask, full or short names; empty means all of the suite.
        set: dials of the suite by name, such as ``{"level": "hard"}``.
        strategy: how a question is put; several, separated by commas, are asked in one run.
        samples: replies drawn for each question.
        temperature: 0 is greedy.
        top_p: nucleus, above 0 to 1.
        max_tokens: longest reply, in tokens of the model.
        wording: of the instruction.
        answer: ``options`` scores the options, ``generate`` writes a reply, ``auto`` leaves it to the model.
        batch_size: largest batch of a local model.
        adapter: folder or hub id of a PEFT adapter.
        dtype: of the weights of a local model.
        device_map: as in ``from_pretrained``.
        load_in_4bit: load the weights of a local model in 4 bits.
        revision: of a model on the hub.
        trust_remote_code: run code that comes with a model.
        url: base address of an endpoint.
        key_env: environment variable that holds the key of an endpoint.
        concurrency: calls to an endpoint at a time.
        budget: most calls to an endpoint, repetitions included; the rest is an error, asked by the next run.
        vector: folder of a steering vector that is added to a local model; then also ``block``.
        block: whose output it is added to, 0-based.
        strength: what it is multiplied by; 1 if not given.
        positions: where it is added: ``image``, ``text``, ``both`` or ``question``.
        phase: ``prefill``, ``decode`` or ``both``.
        option: further options of the model by name, such as ``{"timeout": 30}``.
        engine: ``local`` loads the model in this process, ``ray`` in each of several workers.
        workers: of the engine ``ray``; ``None`` is one for each GPU, or for each machine where there is none.
        gpus_per_worker: of the engine ``ray``, below 1 to share one; ``None`` is 1, or 0 where there is none.
        name: of the run folder; empty for ``<model>-<suite>-<hash of the task configuration>``.
        out: folder that holds run folders.
    """

    model: str = "bundled"
    suite: str = "scenes"
    n: int | None = None
    seed: int = 0
    modalities: tuple[str, ...] = ()
    representations: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    set: Mapping[str, Dial] = field(default_factory=dict)
    strategy: str = "direct"
    samples: int = 1
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 512
    wording: str = "plain"
    answer: str | None = None
    batch_size: int | None = None
    adapter: str | None = None
    dtype: str | None = None
    device_map: str | None = None
    load_in_4bit: bool | None = None
    revision: str | None = None
    trust_remote_code: bool | None = None
    url: str | None = None
    key_env: str | None = None
    concurrency: int | None = None
    budget: int | None = None
    vector: str | None = None
    block: int | None = None
    strength: float | None = None
    positions: str | None = None
    phase: str | None = None
    option: Mapping[str, Dial] = field(default_factory=dict)
    engine: str = "local"
    workers: int | None = None
    gpus_per_worker: float | None = None
    name: str = ""
    out: str = "runs"

    def __post_init__(self) -> None:
        problems = list(_problems(self))
        if problems:
            raise InputError("; ".join(problems))

    def strategies(self) -> tuple[str, ...]:
        """Names of the strategies, in the order given."""
        return tuple(name.strip() for name in self.strategy.split(","))

    def sampling(self) -> Sampling:
        """How replies are drawn; the seed is that of sample 0."""
        return Sampling(self.temperature, self.top_p, self.max_tokens, self.seed)

    def model_options(self) -> dict[str, Any]:
        """The options for ``load_model`` that were given, by name."""
        given = {name: getattr(self, name) for name in _MODEL_OPTIONS}
        return {**self.option, **{name: value for name, value in given.items() if value is not None}}

    def model_part(self) -> dict[str, JSON]:
        """The options of the model that were given and can change a reply."""
        given = {name: getattr(self, name) for name in _MODEL_OPTIONS if name not in OPERATIONAL}
        part: dict[str, JSON] = plain({name: value for name, value in given.items() if value is not None})
        return part

    def task_part(self) -> dict[str, JSON]:
        """What decides which questions are put and how, without the model; ready for JSON.

        The suite's own settings belong to it, but are the suite's to tell.
        """
        others = {"model", "suite", *OPERATIONAL, *_MODEL_OPTIONS} - {"answer"}
        part: dict[str, JSON] = plain({k: v for k, v in dataclasses.asdict(self).items() if k not in others})
        return part


def _problems(config: MeasureConfig) -> list[str]:
    """Everything that is wrong with a configuration, so that one try shows it all."""
    wrong: list[str] = []
    for label, minimum in (
        ("n", 1),
        ("samples", 1),
        ("max_tokens", 1),
        ("batch_size", 1),
        ("concurrency", 1),
        ("budget", 1),
        ("workers", 1),
    ):
        value = getattr(config, label)
        if value is not None and value < minimum:
            wrong.append(f"{label} {value} is too small; give {minimum} or more")
    if config.seed < 0:
        wrong.append(f"seed {config.seed} is negative; give 0 or more")
    if not 0 <= config.temperature <= 100:
        wrong.append(f"temperature {config.temperature} is not between 0 and 100; 0 is greedy")
    if not 0 < config.top_p <= 1:
        wrong.append(f"top_p {config.top_p} is not above 0 and at most 1")
    gpus = config.gpus_per_worker
    if gpus is not None and not (0 <= gpus <= 1 or (1 < gpus < 1000 and gpus == int(gpus))):
        wrong.append(
            f"gpus_per_worker {gpus} is neither a part of one GPU, 0 to 1, nor a whole number of GPUs"
        )
    if config.engine == "local":
        wrong.extend(
            f"{label} is for the engine 'ray'; add --engine ray, or leave it out"
            for label in ("workers", "gpus_per_worker")
            if getattr(config, label) is not None
        )
    if len(set(config.strategies())) < len(config.strategies()):
        wrong.append(f"strategy {config.strategy!r} names one twice; give each once")
    twice = sorted(set(config.option) & {f.name for f in dataclasses.fields(config)})
    if twice:
        wrong.append(f"option {', '.join(twice)}: has a name of its own; give it there")
    if any(c in config.name for c in "/\\\0") or config.name in (".", ".."):
        wrong.append(
            f"name {config.name!r} is not a plain folder name; give the folder it lies in with --out"
        )
    choices: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
        ("modality", config.modalities, MODALITIES),
        ("strategy", config.strategies(), strategies.names()),
        ("wording", (config.wording,), WORDINGS),
        ("engine", (config.engine,), ENGINES),
        ("answer", (config.answer,) if config.answer else (), ("auto", "options", "generate")),
    )
    for kind, given, accepted in choices:
        wrong.extend(str(UnknownName(kind, name, accepted)) for name in given if name not in accepted)
    return wrong


def plain(value: Any) -> Any:
    """The same value as it comes back from a JSON file (tuples become lists)."""
    return msgspec.json.decode(msgspec.json.encode(value))


def read_config(path: Path) -> dict[str, Any]:
    """Read the settings in a TOML file whose keys are fields of :class:`MeasureConfig`.

    Args:
        path: the file.

    Returns:
        The fields that it sets.

    Raises:
        FileError: if it is missing, is not TOML, or holds a key or type that is not accepted.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror}); expected a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileError(f"{path}: not a TOML file ({error})") from error
    accepted = tuple(f.name for f in dataclasses.fields(MeasureConfig))
    for key in content:
        if key not in accepted:
            raise FileError(f"{path}: {UnknownName('key', key, accepted)}")
    try:
        checked = msgspec.convert(content, MeasureConfig)
    except (msgspec.ValidationError, InputError) as error:
        raise FileError(f"{path}: {error}") from error
    return {key: getattr(checked, key) for key in content}
