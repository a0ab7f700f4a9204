"""A mean difference whose controls match the anchors: words of the same class at the same place.

The published mean difference compares an anchor with all other tokens of its sentence, so it also holds what
sets a preposition apart from a noun, or the fifth word from the first. Here each anchor is compared with
words of its class, at the nearest place in a sentence that there is, in the sentences of every concept.
Classes come from short lists, enough for the plain sentences of ``concepts/``; what is in none is a noun.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import torch

from modgap._errors import InputError

from ._concepts import Concept, concept_names, load_concept
from ._text_states import TextModel, text_states, token_of

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

_LISTS = {
    "determiner": "a an the some several many few both no one two three four five six seven eight nine "
    "ten eleven twelve more fewer",
    "preposition": "above below under over behind beside near inside outside on between against among "
    "around beyond opposite at from in of through to without than",
    "verb": "does has is are runs run walks walk jumps sleeps sleep sits sit stands stand swims "
    "swim eats drinks plays play sings sing waits wait falls climbs climb holds hold "
    "carries throws catches running swimming jumping singing flies fly grows hangs hides "
    "leans leaves lie lies rolled sail sails shine stops cannot",
    "adjective": "red green blue yellow purple orange black white small large striped solid heavy old "
    "new bright dark wooden soft cold broken tall larger smaller taller shorter longer "
    "wider heavier lighter older newer faster slower brighter darker cheaper better open "
    "light long short closer farther nearer closest farthest nearest close far next",
}
_CLASS = {word: name for name, words in _LISTS.items() for word in words.split()}


def word_class(word: str) -> str:
    """``determiner`` (numbers too), ``preposition``, ``verb``, ``adjective`` or ``noun``."""
    return _CLASS.get(word.lower(), "noun")


def matched_directions(
    model: TextModel, concept: Concept, *, off_by_one: bool = False
) -> tuple[Float[Tensor, "block d_model"], dict[str, int | float]]:
    """Mean over anchors of the anchor's state less the mean state of its controls.

    Args:
        model: the language model.
        concept: its sentences; controls are also taken from those that come with modgap.
        off_by_one: take the input of a block instead of its output.

    Returns:
        directions; facts: anchors with a control, and how many places off these stand on average.

    Raises:
        InputError: fewer than two anchors are one token and have a control.
    """
    others = [load_concept(name) for name in concept_names() if name != concept.name]
    sentences = [entry for one in (concept, *others) for entry in one.sentences]
    read = text_states(model, [sentence for _, sentence in sentences])
    own = {anchor.lower() for anchor, _ in concept.sentences}
    anchors: list[tuple[str, int, int, int]] = []  # class, place in words, sentence, token
    controls: list[tuple[str, int, int, int]] = []
    for number, (anchor, sentence) in enumerate(sentences):
        for place, word in enumerate(re.finditer(r"[\w'-]+", sentence)):
            token = token_of(read, number, word.start(), word.end())
            if token is None:
                continue
            entry = (word_class(word.group()), place, number, token)
            if number < len(concept.sentences) and word.group() == anchor:
                anchors.append(entry)
            elif word.group().lower() not in own:
                controls.append(entry)
    states = torch.cat([read.states[:1], read.states[:-1]]) if off_by_one else read.states
    differences, distances = [], []
    for kind, place, number, token in anchors:
        off = {(n, t): abs(p - place) for k, p, n, t in controls if k == kind}
        if not off:
            continue
        nearest = min(off.values())
        rows, columns = zip(*(at for at, distance in off.items() if distance == nearest), strict=True)
        mean = states[:, list(rows), list(columns)].mean(dim=1)
        differences.append(states[:, number, token] - mean)
        distances.append(nearest)
    if len(differences) < 2:
        raise InputError(
            f"concept {concept.name!r}: {len(differences)} of {len(concept.sentences)} anchors are one token "
            f"of {model.name} and have a control of their class; use method 'meanshift'"
        )
    facts = {"matched": len(differences), "places_off": sum(distances) / len(distances)}
    return torch.stack(differences).mean(dim=0), facts
