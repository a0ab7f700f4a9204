r"""Reading the answer from a reply.

    read_choice("... **Answer:** left", ("left", "right", "above", "below"))   # Answer("left", "answer")

What is read, in this order; the first level that finds something decides:

1. explicit statements: ``Answer: x`` (also ``Final answer: x``, ``"answer": "x"``, ``<answer>x</answer>``,
   with the value on the same line or the next) and ``\boxed{x}``. The last one counts.
2. phrases: ``the answer is x``, ``I choose x``. The last one counts.
3. a last or first line that is nothing but an answer, or a reply that opens with one ("Yes. There is ...").
4. a conclusion ("therefore ..."), the last sentence, or a short whole reply, if it mentions exactly one
   option and does not negate it.

The domain is open: a short explicit value that is no option is returned as it stands (and is then wrong),
never moved to the nearest option. Statements that disagree give status ``conflicting`` with the last value.
A hedge ("left or right") is ``unparsed``, a reply that declines ("cannot determine") is ``abstain``. A letter
counts as an index into the options, ``(B)`` for the second, unless some option is itself a single letter.

Only the first and last 100,000 characters of a reply are looked at; time is linear in its length.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ._fold import fold
from ._problem import Answer
from ._readers import HEDGE, Choices, Integers, Read, Reader, Texts, trim
from ._statements import MAX_STATEMENT, SENTENCE_END, explicit_statements, phrased_statements

_SHORT_REPLY = 60  # words; a longer reply is not searched as a whole
_SHORT_LINE = 8  # words; a longer line is prose, not an answer
_SHORT_SENTENCE = 20  # words; a longer last sentence of a long reply argues rather than states
_SHORT_OPENING = 4  # words; "White wins." opens with an answer

_CONCLUSION = re.compile(
    r"(?:^|[\s,;])(?:therefore|thus|hence|in conclusion|conclusion:|in summary|so)[,:]? ", re.I
)
_SUPPOSES = re.compile(r"(?:if|suppose|unless)\b", re.I)
_GIVES = re.compile(r"(?:\b(?:is|are|equals|total)|=)\W*\w+(?: \w+)?\W*$", re.I)
_LABEL = re.compile(r"[A-Za-z][A-Za-z ]{0,40}[:=] *(?=\S)")


def read_choice(reply: str, options: Sequence[str]) -> Answer:
    """Read one of the options, or whatever else the reply states.

    Args:
        reply: untrusted text of any length.
        options: the choices as shown to the model, in that order.

    Returns:
        The option exactly as given, or another text if the reply explicitly states one.
    """
    return _read(reply, Choices.of(tuple(options)))


def read_integer(reply: str) -> Answer:
    """Read a whole number, in digits or as a word from zero to twenty.

    Args:
        reply: untrusted text of any length.

    Returns:
        The number in decimal digits without leading zeros or separators, ``-`` in front if negative. A
        number that is not whole is returned as it stands.
    """
    return _read(reply, Integers())


def read_text(reply: str) -> Answer:
    """Read a free text: the explicit statement, or the whole reply if it is one short line.

    Args:
        reply: untrusted text of any length.

    Returns:
        The text with folded characters and single spaces, without quotes around it or a final full stop.
    """
    return _read(reply, Texts())


def _read(reply: str, reader: Reader) -> Answer:
    text = fold(reply)
    stated = (reader.explicit(statement.text) for statement in explicit_statements(text))
    explicit = [found for found in stated if found.status != "nothing"]
    phrased = (reader.explicit(statement.text) for statement in phrased_statements(text))
    phrases = [found for found in phrased if found.status in ("answer", "abstain")]
    for level in (explicit, phrases, _lines(text, reader)):
        if level:
            values = {found.value for found in (*explicit, *phrases, *level) if found.value is not None}
            return _settle(level[-1], disagree=len(values) > 1)
    if isinstance(reader, Texts):
        return _short_reply(text)
    return _settle(_sentences(text, reader), disagree=False)


def _settle(found: Read, *, disagree: bool) -> Answer:
    if found.value is None:
        return Answer(None, "abstain" if found.status == "abstain" else "unparsed")
    return Answer(found.value, "conflicting" if disagree or found.status == "conflicting" else "answer")


def _lines(text: str, reader: Reader) -> list[Read]:
    """The first and the last line, where they are nothing but an answer or open with one."""
    stripped = text.strip()
    if not stripped:
        return []
    first, _, more = stripped.partition("\n")
    first = first[:MAX_STATEMENT]
    sentence = SENTENCE_END.split(first, maxsplit=1)[0]
    opening = _bare(sentence, reader) or _bare(first, reader)
    if opening is None and len(sentence.split()) <= _SHORT_OPENING and not sentence.endswith("?"):
        opening = reader.inside(sentence) if not reader.numeric else None
    last = more[-MAX_STATEMENT:].rsplit("\n", 1)[-1].strip()
    closing = None
    if last and len(last.split()) <= _SHORT_LINE:
        # "All other edges: 0": behind a label, a last number is any number.
        closing = reader.bare(last) if reader.numeric else _bare(last, reader)
    return [found for found in (opening, closing) if found is not None and found.value is not None]


def _bare(line: str, reader: Reader) -> Read | None:
    """A line that is an answer, also after a label ("Direction: left")."""
    found = reader.bare(line)
    if found.value is None:
        label = _LABEL.match(line)
        found = reader.bare(line[label.end() :]) if label else found
    return found if found.value is not None else None


def _sentences(text: str, reader: Reader) -> Read:
    """The conclusion and the last sentence if they name one answer, else all of a short reply."""
    stripped = text.strip()
    tail = stripped[-1000:]
    sentences = [s.strip() for s in SENTENCE_END.split(tail) if s and any(c.isalnum() for c in s)]
    if not sentences:
        return HEDGE
    last = sentences[-1]
    opening = SENTENCE_END.split(stripped[:MAX_STATEMENT], maxsplit=1)[0]
    short = len(tail) == len(stripped) and len(tail.split()) <= _SHORT_REPLY
    if reader.abstains(tail if short else last) or reader.abstains(opening):
        return Read(None, "abstain")
    end = tail[-MAX_STATEMENT:]
    said = [
        SENTENCE_END.split(end[match.end() :].strip(), maxsplit=1)[0]
        for match in list(_CONCLUSION.finditer(end))[-1:]
    ]
    # "It adds up, so the function is odd.": the end of the last sentence says what all of it means.
    concluded = bool(said) and last.endswith(said[0])
    if short:
        said += [] if concluded else [last]
    elif (
        reader.numeric
    ):  # in a long reply the last number is any number, unless the sentence ends by giving it
        said += [last] if _GIVES.search(last) else []
    elif len(last.split()) <= _SHORT_SENTENCE:
        said += [opening] if concluded else [opening, last]
    reads = [reader.inside(s) for s in said if _states(s)]
    if short and all(found.status == "nothing" for found in reads):
        reads = [reader.inside(" ".join(filter(_states, sentences)))]
    values = {found.value for found in reads if found.value is not None}
    stated = reads[-1] if reads and (short or reads[-1].value is not None) else HEDGE
    # Sentences that name different answers settle nothing: unlike explicit statements they may be reasoning.
    return Read(values.pop()) if len(values) == 1 and stated.status != "unparsed" else HEDGE


def _states(sentence: str) -> bool:
    """Whether a sentence states something, and does not ask or suppose it."""
    return not sentence.endswith("?") and not _SUPPOSES.match(sentence)


def _short_reply(text: str) -> Answer:
    stripped = text.strip()
    if not stripped:
        return Answer(None, "unparsed")
    if Texts().abstains(stripped[:MAX_STATEMENT]):
        return Answer(None, "abstain")
    if "\n" in stripped or len(stripped.split()) > 2 * _SHORT_LINE or not trim(stripped):
        return Answer(None, "unparsed")
    return Answer(trim(stripped), "answer")
