"""Options scored from the log-probabilities a server sends along: exactly, or not at all.

A local model is made to begin its reply with the answer prefix, and an option's score is the log-probability
of the tokens after it. The protocol can neither force a beginning nor score a given text, but the reply asked
for *is* ``Answer: <option>``. Where a greedy reply begins with the prefix, the server's most likely tokens at
the next place are the numbers a local model would read there, if all of this holds:

- every option is among them, as one whole token (`` left``; a tokenizer that makes the space a token of its
  own is followed one token further);
- no option is the beginning of another (``1`` and ``12``), whose end would have to be scored too.

Anything else (several tokens, an option missing from the list, reasoning or bold type before the answer, no
log-probabilities at all) leaves the reply as the model wrote it, without scores. An option that is not on the
list has a score below all that are; that bound is not made a number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from modgap.models._query import Query, Reply

from ._settings import Settings

TOP = 20
"""Most likely tokens asked for at each place: the most that the OpenAI reference and vLLM's default allow."""

LEAST = -1000.0
"""No log-probability; servers write −9999 for one that they do not tell."""


def wants_scores(query: Query, settings: Settings) -> bool:
    """Whether log-probabilities are asked for."""
    return settings.answer == "options" and bool(query.options)


def scored_reply(choice: Any, query: Query) -> Reply | None:
    """The reply that names the most likely option.

    Args:
        choice: a choice of the response, untrusted.
        query: its options and answer prefix; at least one option.

    Returns:
        ``Answer: <option>`` with the score of every option, or ``None`` if they cannot be told exactly.
    """
    scores = _scores(_places(choice), query.answer_prefix, query.options)
    if scores is None:
        return None
    best = max(range(len(scores)), key=scores.__getitem__)
    return Reply(f"{query.answer_prefix} {query.options[best]}".strip(), option_scores=scores)


def _scores(places: Any, prefix: str, options: Sequence[str]) -> tuple[float, ...] | None:
    if any(one != other and other.startswith(one) for one in options for other in options):
        return None
    opening = f"{prefix} ".lstrip()
    said, after_prefix = "", 0.0
    for place in places:
        read = _read(place)
        if read is None:
            return None
        token, value, likely = read
        if said.startswith(prefix):  # the prefix stands, and perhaps the space after it
            rest = opening[len(said) :]
            found = [likely[rest + option] for option in options if rest + option in likely]
            if len(found) == len(options):
                return tuple(score + after_prefix for score in found)
            if found:
                return None  # options do begin here, but not all are listed
            after_prefix += value
        said = (said + token).lstrip()
        if not opening.startswith(said):
            return None
    return None


def _places(choice: Any) -> list[Any]:
    """What the server says of each token of the reply, in order."""
    found = choice.get("logprobs") if isinstance(choice, dict) else None
    places = found.get("content") if isinstance(found, dict) else None
    return places if isinstance(places, list) else []


def _read(place: Any) -> tuple[str, float, dict[str, float]] | None:
    """Token, its log-probability, and those of the most likely tokens at its place."""
    if not isinstance(place, dict) or not isinstance(place.get("top_logprobs"), list):
        return None
    own = _entry(place)
    if own is None:
        return None
    others = [entry for entry in map(_entry, place["top_logprobs"]) if entry is not None]
    counts = Counter(token for token, _ in others)
    # Tokens that read alike cannot be told apart, so none of them counts.
    return *own, {token: value for token, value in others if counts[token] == 1}


def _entry(entry: Any) -> tuple[str, float] | None:
    if not isinstance(entry, dict):
        return None
    token, value = entry.get("token"), entry.get("logprob")
    if not isinstance(token, str) or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return (token, float(value)) if LEAST < value <= 1e-3 else None  # rounding may lift a 0 a little
