"""How numbers are attached to a model, and how that is written to a file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from modgap._errors import FileError, InputError, UnknownName

from ._parse import DEFAULT_POLICY
from ._policy import Policy
from .codec import Codec

Mode = Literal["replace", "add"]
Positions = Literal["each", "last"]
Projection = Literal["linear", "pad"]
Read = Literal["linear", "slice"]

VERSION = 1
DEFAULT_CODEC = Codec(10, 5)
"""Ten digits before the point and five after it; longer numbers stay text (our choice)."""


@dataclass(frozen=True)
class NumberSettings:
    """How numbers are attached to a model.

    Args:
        mode: ``"replace"``, one token per number, as published; ``"add"``, tokens stay and values are added.
        codec: features of the numbers.
        policy: what counts as a number.
        mark: text of the number token (*replace*).
        projection: of the features, see :class:`FourierNumberEmbedding`; *add* takes ``"linear"``.
        read: how the head reads a state, see :class:`NumberHead` (*replace*). ``"linear"``, because the last
            state of a model has other uses; ``"slice"`` is published.
        temperature: of the head, likewise; ``None`` is published.
        positions: which sub-tokens get a value (*add*): ``"each"`` gets the number so far, ``"last"`` is
            published and lets a model in training see where a number ends.
        number_weight: of the number loss beside the loss of the tokens, 0 or more.
        label_smoothing: of the number loss, 0 to below 1.

    Raises:
        InputError: values that are not accepted or do not fit together.
    """

    mode: Mode = "replace"
    codec: Codec = DEFAULT_CODEC
    policy: Policy = DEFAULT_POLICY
    mark: str = "[NUM]"
    projection: Projection = "linear"
    read: Read = "linear"
    temperature: float | Literal["learned"] | None = "learned"
    positions: Positions = "each"
    number_weight: float = 1.0
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        for kind, given, accepted in (
            ("mode", self.mode, get_args(Mode)),
            ("positions", self.positions, get_args(Positions)),
            ("projection", self.projection, get_args(Projection)),
            ("read", self.read, get_args(Read)),
        ):
            if given not in accepted:
                raise UnknownName(kind, str(given), accepted)
        if self.mode == "add" and self.projection != "linear":
            raise InputError(
                "mode 'add' brings features to the model by a learned map: use projection='linear'"
            )
        if not self.mark.strip() or any(c.isdigit() for c in self.mark):
            raise InputError(f"mark {self.mark!r} cannot stand for a number: give a word without digits")
        chosen = self.temperature
        if isinstance(chosen, str) and chosen != "learned":
            raise UnknownName("temperature", chosen, ("learned", "None", "a positive number"))
        if chosen is not None and not isinstance(chosen, str) and not chosen > 0:
            raise InputError(f"temperature {chosen} is not positive: give a positive one, None or 'learned'")
        if not self.number_weight >= 0:
            raise InputError(f"number_weight {self.number_weight} is negative: give 0 or more")
        if not 0 <= self.label_smoothing < 1:
            raise InputError(f"label_smoothing {self.label_smoothing} is not from 0 to below 1")

    def as_json(self) -> dict[str, Any]:
        """Everything as JSON values; ``settings_from_json`` is the inverse."""
        out = asdict(self)
        if self.codec.periods is not None:
            out["codec"]["periods"] = [str(period) for period in self.codec.periods]
        return {"version": VERSION, **out}


def settings_from_json(value: Any, name: str) -> NumberSettings:
    """Settings from what a file holds.

    Args:
        value: from ``as_json``, after a round trip through JSON.
        name: of the file, for errors.

    Raises:
        FileError: a version, key or value that is not understood.
    """
    if not isinstance(value, dict) or value.get("version") != VERSION:
        version = value.get("version") if isinstance(value, dict) else None
        raise FileError(
            f"{name}: settings of version {version!r}, and this modgap reads version {VERSION}: "
            "save the model again with this version, or install the modgap that wrote it"
        )
    given = {key: entry for key, entry in value.items() if key != "version"}
    try:
        codec = _built(Codec, given.pop("codec"), ("periods", "extras"))
        policy = _built(Policy, given.pop("policy"), ("group_marks", "split", "units"))
        settings: NumberSettings = _built(NumberSettings, {**given, "codec": codec, "policy": policy})
        return settings
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileError(f"{name}: these are no settings of a number model: {error}") from error


def _built(kind: Any, given: dict[str, Any], tuples: tuple[str, ...] = ()) -> Any:
    """A dataclass from its fields; none may be missing, unknown or of another kind of type."""
    expected = {field.name: field for field in fields(kind)}
    if set(given) != set(expected):
        raise ValueError(f"{kind.__name__} has the fields {', '.join(expected)}")
    for name, entry in given.items():
        kept = type(expected[name].default)
        if kept is tuple:
            fits = isinstance(entry, list) and all(isinstance(part, str) for part in entry)
        else:
            fits = kept not in (int, bool, str) or name == "temperature" or isinstance(entry, kept)
        if not fits:
            raise ValueError(f"{name} of {kind.__name__} is {entry!r}")
    return kind(
        **{
            name: tuple(entry) if name in tuples and entry is not None else entry
            for name, entry in given.items()
        }
    )
