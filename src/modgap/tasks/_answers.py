"""How a reply to each IsoBench task is read, by the short name of the task.

    read_parity("f(-x) = -f(x), so the function is odd.")            # Answer("odd", "answer")
    read_letter("The magnets attract.", ("attract", "repel"))        # Answer("A", "answer")

Canonical values: even, odd, neither; convex, concave; decimal integers for breakpoints and maxflow; yes, no
for connectivity and isomorphism; white, black, draw; a move in UCI for puzzle; the letter of an option for
chemistry and physics. Nothing but the reply is needed, and the domain of numbers is open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ._claims import essential, read_claims
from ._counts import BREAKPOINTS, MAXIMUM_FLOW
from ._fold import fold
from ._graph_words import CONNECTED_TO, CONNECTIVITY, ISOMORPHISM
from ._letters import Letters, begins_with_a_letter
from ._moves import Move
from ._parse import read_choice
from ._problem import Answer
from ._statements import explicit_statements, phrased_statements
from ._winner import WHOEVER_MOVES, WINNER
from ._words import CONVEXITY, PARITY

_MOVE_NUMBER = re.compile(
    r"\b\d{1,3}\.{1,3}[^\S\n]?(?=[KQRBNPO]?[a-h]?[1-8]?x?-?[a-h][1-8])|(?<=[1-8+#])!{1,2}"
)
"""``12.`` before a move and ``!?`` behind it, neither of which ends a sentence."""

SHORT = 60
"""Characters up to which a reply that says nothing else may name an option by its letter: "It is (B)"."""


def read_parity(reply: str) -> Answer:
    """``even``, ``odd`` or ``neither``."""
    return read_claims(reply, PARITY)


def read_convexity(reply: str) -> Answer:
    """``convex`` or ``concave``; "concave up" is convex."""
    return read_claims(reply, CONVEXITY)


def read_breakpoints(reply: str) -> Answer:
    """The number of breakpoints in decimal digits, any number."""
    return read_claims(reply, BREAKPOINTS)


def read_maxflow(reply: str) -> Answer:
    """The value of the maximum flow in decimal digits, any number."""
    return read_claims(reply, MAXIMUM_FLOW)


def read_connectivity(reply: str) -> Answer:
    """``yes`` if the two nodes are said to be connected, else ``no``."""
    found = read_claims(reply, CONNECTIVITY)
    # All of a reply may say of two nodes what within an argument would only say that an edge is there.
    if found.status == "unparsed" and CONNECTED_TO.fullmatch(essential(fold(reply))[:SHORT]):
        return Answer("yes", "answer")
    return found


def read_isomorphism(reply: str) -> Answer:
    """``yes`` if the graphs are said to be isomorphic, else ``no``."""
    return read_claims(reply, ISOMORPHISM)


def read_winner(reply: str) -> Answer:
    """``white``, ``black`` or ``draw``; a side that is said to stand better counts as the winner."""
    if WHOEVER_MOVES.search(fold(reply[-2000:])):
        return Answer(None, "unparsed")
    return read_claims(reply, WINNER)


def read_move(reply: str) -> Answer:
    """The first move of the answer in UCI, such as ``e2e4`` or ``e7e8q``; both squares must be there."""
    return read_claims(_MOVE_NUMBER.sub("", reply), Move())


def read_letter(reply: str, options: Sequence[str] = ()) -> Answer:
    """The letter of an option, ``A`` for the first.

    Args:
        reply: untrusted text of any length.
        options: those of the item, as they were shown or would have been; without them only letters are read.

    Returns:
        The letter of the option that the reply names or tells in other words. A letter beyond the options
        is returned as it stands.
    """
    kind = Letters.of(tuple(options))
    found = read_claims(reply, kind)
    if found.status != "unparsed" or not options:
        return found
    text = essential(fold(reply))
    if len(text) <= SHORT:
        open_answer = kind.statement(text)
        if open_answer.value is not None:
            return Answer(open_answer.value, "answer")
    only = kind.only_option(text)
    return found if only is None else Answer(only, "answer")


def as_option(found: Answer, options: Sequence[str]) -> Answer:
    """The option that a letter stands for, in place of the letter; any other answer stays what it is."""
    if found.value is None or found.value in options or len(found.value) != 1:
        return found
    place = ord(found.value) - ord("A")
    return replace(found, value=options[place]) if 0 <= place < len(options) else found


def _alone(read: Callable[[str], Answer]) -> Callable[[str, Sequence[str]], Answer]:
    """A reader that needs no options; where they are given, a reply may state the letter of one instead.

    The place among the options comes before what a letter might abbreviate: "B" is the second option.
    """

    def either(reply: str, options: Sequence[str]) -> Answer:
        if options:
            said = _last_statement(reply)
            lettered = read_choice(said, options) if begins_with_a_letter(said) else None
            if lettered is not None and lettered.value in options:
                return lettered
        found = read(reply)
        if found.status == "unparsed" and options and len(text := essential(fold(reply))) <= SHORT:
            return read_choice(text, options)
        return found

    return either


def _last_statement(reply: str) -> str:
    """What stands behind the last ``Answer:`` or its like, or all of a reply of one line without any."""
    text = essential(fold(reply))
    stated = [*explicit_statements(text), *phrased_statements(text)]
    if stated:
        return max(stated, key=lambda statement: statement.start).text
    return "" if "\n" in text else text


READERS: Mapping[str, Callable[[str, Sequence[str]], Answer]] = {
    "parity": _alone(read_parity),
    "convexity": _alone(read_convexity),
    "breakpoints": _alone(read_breakpoints),
    "connectivity": _alone(read_connectivity),
    "maxflow": _alone(read_maxflow),
    "isomorphism": _alone(read_isomorphism),
    "chemistry": read_letter,
    "physics": read_letter,
    "winner": _alone(read_winner),
    "puzzle": _alone(read_move),
}
"""Short name of a task → ``read(reply, options)``."""
