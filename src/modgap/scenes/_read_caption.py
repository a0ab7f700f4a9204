"""Any caption held against a scene: what each of its words states, and whether it is true.

    reading = read_caption(text, scene)
    for word in reading.words:
        print(text[word.start : word.end], word.fact, word.holds)

The text may be anything, such as what a small model wrote. A sentence is read if a caption could have it in
this form, and left unread otherwise. Of what :func:`write_caption` wrote, the words are the spans, and all
hold.

Which object a wrong word is about is a matter of interpretation. The rule is to find few words false:

- Sentences that introduce an object ("There is a small solid red star at the top.") are assigned to the
  objects all at once, each to another one, so that the fewest words are false, those on "its plate" right
  after included. If there are more such sentences than objects, no word holds of those left over.
- A name ("the red star") stands for an object of which the fewest words of the name are false; of several,
  for one that makes most of the rest of the sentence true.
- What is left open goes to the object that is listed first in the scene.

Counts and absences need no interpretation. A number is true or false. The words of a counted description
hold if anything answers to the description; if nothing does, which of them is to blame cannot be told, and
all are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from modgap._errors import InputError

from ._check import check_scene
from ._facts import Fact, fact_holds
from ._grammar import Claim, read_sentence, sentence_spans
from ._scene import Scene
from ._text import check_length

MOST_OBJECTS = 10
"""Most objects of a scene against which captions are read; the time doubles with each (our choice: sampled
scenes have up to 8)."""


@dataclass(frozen=True, slots=True)
class ReadWord:
    """A piece of a caption that states something; mostly one word.

    Args:
        start: first character, 0-based.
        end: one past the last character.
        fact: what it states of the scene, or ``None`` if it speaks of an object or a plate that is not there.
        holds: whether it is true; never without a fact.
    """

    start: int
    end: int
    fact: Fact | None
    holds: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What a caption states.

    Args:
        words: all that states something, in order; they do not overlap.
        unread: start and end (as for words) of each sentence that fits no form, in order. Every character
            outside these is blank or part of a sentence that was read.
    """

    words: tuple[ReadWord, ...]
    unread: tuple[tuple[int, int], ...]

    @property
    def word_error_rate(self) -> float | None:
        """Fraction of ``words`` that are false, 0 to 1; ``None`` if there are none."""
        return sum(not word.holds for word in self.words) / len(self.words) if self.words else None


def read_caption(text: str, scene: Scene) -> Reading:
    """Read a caption against a scene.

    A sentence about "its plate" is read where it follows the introduction of an object or another of its
    kind; elsewhere nobody knows whose plate is meant, and it is left unread.

    Args:
        text: untrusted, up to 100,000 characters.
        scene: what it should be about, with up to ``MOST_OBJECTS`` objects.

    Returns:
        Its words and what could not be read. The same text and scene give the same reading everywhere.

    Raises:
        FileError: if the text is too long.
        InputError: if the scene is not valid or has too many objects.
    """
    check_length(text, "caption")
    check_scene(scene)
    if len(scene.objects) > MOST_OBJECTS:
        raise InputError(
            f"a scene of {len(scene.objects)} objects is too large to read captions of; "
            f"give up to {MOST_OBJECTS} objects"
        )
    judge = _Judge(scene)
    words: list[ReadWord] = []
    unread: list[tuple[int, int]] = []
    introductions: list[list[Claim]] = []
    its_is_clear = False
    for start, end in sentence_spans(text):
        sentence = read_sentence(text, start, end)
        if sentence is None or (sentence.role == "its" and not its_is_clear):
            unread.append((start, end))
            its_is_clear = False
            continue
        its_is_clear = sentence.role in ("introduction", "its")
        if sentence.role == "introduction":
            introductions.append([*sentence.names[0], *sentence.claims])
        elif sentence.role == "its":
            introductions[-1] += sentence.claims
        elif sentence.role == "names":
            words += judge.named(sentence.names, sentence.claims)
        else:
            words += judge.words(sentence.claims)
    words += judge.introduced(introductions)
    return Reading(tuple(sorted(words, key=lambda word: word.start)), tuple(unread))


class _Judge:
    """Finds the objects that claims are about, and says what is true of them."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._indices = range(len(scene.objects))

    def words(self, claims: Iterable[Claim], *about: int) -> list[ReadWord]:
        """Claims about the scene, about an object, or about a subject and an object."""
        facts = [(claim, self._fact(claim, *about)) for claim in claims]
        return [ReadWord(claim.start, claim.end, fact, self._holds(fact)) for claim, fact in facts]

    def named(self, names: Sequence[Sequence[Claim]], claims: Sequence[Claim]) -> list[ReadWord]:
        """A sentence about one or two objects that it calls by name."""
        if not self._indices:
            return _about_nothing([*(claim for name in names for claim in name), *claims])

        def unlikely(about: tuple[int, ...]) -> tuple[int, bool, tuple[int, ...]]:
            return self._errors(claims, *about), len(set(about)) < len(about), about

        about = min(product(*map(self._answering, names)), key=unlikely)
        found = self.words(claims, *about)
        for name, index in zip(names, about, strict=True):
            found += self.words(name, index)
        return found

    def introduced(self, introductions: Sequence[Sequence[Claim]]) -> list[ReadWord]:
        """All introductions of a caption."""
        errors = [[self._errors(claims, index) for index in self._indices] for claims in introductions]
        found: list[ReadWord] = []
        for claims, index in zip(introductions, _assign(errors, [*map(len, introductions)]), strict=True):
            found += _about_nothing(claims) if index is None else self.words(claims, index)
        return found

    def _answering(self, name: Sequence[Claim]) -> list[int]:
        """The objects of which the fewest words of a name are false."""
        errors = [self._errors(name, index) for index in self._indices]
        fewest = min(errors)
        return [index for index in self._indices if errors[index] == fewest]

    def _errors(self, claims: Iterable[Claim], *about: int) -> int:
        return sum(not self._holds(self._fact(claim, *about)) for claim in claims)

    def _holds(self, fact: Fact | None) -> bool:
        return fact is not None and fact_holds(self._scene, fact)

    def _fact(self, claim: Claim, *about: int) -> Fact | None:
        subject, other = (*about, None, None)[:2]
        if claim.kind == "existence" and subject is not None:
            # "Its plate": plates elsewhere do not make it true.
            return Fact(claim.kind, claim.value) if self._scene.objects[subject].word else None
        return Fact(claim.kind, claim.value, subject, other, claim.of)


def _about_nothing(claims: Iterable[Claim]) -> list[ReadWord]:
    return [ReadWord(claim.start, claim.end, None, False) for claim in claims]


def _assign(errors: Sequence[Sequence[int]], sizes: Sequence[int]) -> list[int | None]:
    """Give introductions objects, no object twice, so that the fewest words are false.

    Args:
        errors: false words of each introduction (row) for each object (column).
        sizes: all words of each introduction, which are false if it gets no object.

    Returns:
        The object of each introduction, or ``None``. Of several best assignments, the one that gives the
        first introduction the earliest object, then the second, and so on; nothing comes after every
        object.
    """
    n = len(errors[0]) if errors else 0
    before = np.arange(1 << n)[:, np.newaxis]  # a set of objects is a number, one bit for each
    after = before | 1 << np.arange(n)
    is_free = after != before
    # fewest[k][s]: false words of the last k introductions when the objects of the set s are taken.
    fewest = [np.zeros(1 << n, dtype=np.int32)]
    for row, size in zip(reversed(errors), reversed(sizes), strict=True):
        none = fewest[-1] + size
        given = np.where(is_free, fewest[-1][after] + np.asarray(row, dtype=np.int32), none[:, np.newaxis])
        fewest.append(np.minimum(none, given.min(axis=1, initial=np.iinfo(np.int32).max)))
    taken = 0
    found: list[int | None] = []
    for k, row in enumerate(errors):
        best, rest = fewest[len(errors) - k][taken], fewest[len(errors) - k - 1]
        free = (i for i in range(n) if not taken >> i & 1)
        index = next((i for i in free if rest[taken | 1 << i] + row[i] == best), None)
        found.append(index)
        taken |= 0 if index is None else 1 << index
    return found
