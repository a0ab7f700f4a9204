"""Plain English for the text stage: short templated sentences over a few hundred words.

    python recipes/bundled_english.py      # prints some

They give words of space, number, attribute, kind, depth, distance, action, comparison and negation ordinary
contexts, so that a sentence of ordinary English is not noise to the model and each such word is one token.
Sentences are grammatical and make some sense (cups stand on tables, not tables on cups), so that there is
something to learn about the words.
"""

from __future__ import annotations

# ruff: noqa: SIM905  word lists are easier to read as text
import numpy as np

ANIMALS = (
    "cat dog horse cow sheep goat pig rabbit mouse fox wolf bear lion tiger zebra giraffe elephant "
    "monkey bird duck chicken owl eagle fish whale shark frog snake turtle bee ant spider butterfly"
).split()
PEOPLE = (
    "man woman boy girl child baby farmer doctor teacher nurse driver sailor soldier painter cook "
    "waiter singer dancer player student friend king queen"
).split()
SMALL = (
    "cup plate bowl spoon fork knife bottle glass book pen pencil letter key coin ring watch phone "
    "lamp candle clock ball toy doll hat shoe sock glove scarf bag box basket apple orange banana "
    "lemon pear cherry tomato potato carrot onion bread cake cheese egg"
).split()
BIG = (
    "table chair desk bed sofa shelf door window house barn church tower bridge car truck bus train "
    "boat ship plane bicycle tree bush rock hill river lake road fence wall garden field"
).split()
PLACES = "kitchen garden park street school office forest village city market station harbor".split()

COLORS = "red green blue yellow orange purple cyan black white brown gray pink golden silver".split()
SIZES = "small medium large tiny huge big little short tall long wide narrow".split()
MATERIALS = "wooden metal plastic stone paper leather cotton silk iron clay".split()
LOOKS = (
    "striped solid outlined round square flat shiny dull smooth rough bright dark clean dirty wet "
    "dry soft hard old new empty full broken heavy light hot cold"
).split()
SHAPES = "circle square triangle diamond star cross".split()

SPACE = (
    "above below under over behind beside near inside outside on between against among around beyond opposite"
).split()
SIDES = "left right top bottom front back".split()
NUMBERS = "two three four five six seven eight nine ten eleven twelve".split()
AMOUNTS = "several many few some both no".split()
MORE = {
    "larger": "smaller",
    "taller": "shorter",
    "longer": "wider",
    "heavier": "lighter",
    "older": "newer",
    "faster": "slower",
    "brighter": "darker",
    "cheaper": "better",
}
ACTIONS = {
    "runs": "running",
    "walks": "walking",
    "jumps": "jumping",
    "sleeps": "sleeping",
    "sits": "sitting",
    "stands": "standing",
    "swims": "swimming",
    "eats": "eating",
    "drinks": "drinking",
    "plays": "playing",
    "sings": "singing",
    "waits": "waiting",
    "falls": "falling",
    "climbs": "climbing",
}
HANDLES = {
    "holds": "holding",
    "carries": "carrying",
    "throws": "throwing",
    "catches": "catching",
    "pushes": "pushing",
    "pulls": "pulling",
    "opens": "opening",
    "paints": "painting",
    "washes": "washing",
    "reads": "reading",
    "kicks": "kicking",
    "drops": "dropping",
}


def vocabulary() -> list[str]:
    """Every content word of the sentences, each once."""
    lists = (
        ANIMALS,
        PEOPLE,
        SMALL,
        BIG,
        PLACES,
        COLORS,
        SIZES,
        MATERIALS,
        LOOKS,
        SHAPES,
        SPACE,
        SIDES,
        NUMBERS,
    )
    pairs = (AMOUNTS, *(group for pair in (MORE, ACTIONS, HANDLES) for group in (pair, pair.values())))
    return list(dict.fromkeys(word for group in (*lists, *pairs) for word in group))


def english(rng: np.random.Generator) -> str:
    """One sentence; only the generator's uniform numbers are used."""

    def one(words: list[str] | tuple[str, ...] | dict[str, str]) -> str:
        pool = list(words)
        return pool[int(rng.random() * len(pool))]

    def thing() -> str:
        noun = one((one(SMALL), one(SMALL), one(BIG), one(SHAPES)))
        if rng.random() < 0.5:
            return noun
        return f"{one((one(COLORS), one(COLORS), one(SIZES), one(MATERIALS), one(LOOKS)))} {noun}"

    def someone() -> str:
        noun = one((one(ANIMALS), one(PEOPLE)))
        return (
            noun
            if rng.random() < 0.6
            else f"{one((one(COLORS), one(SIZES), 'old', 'young', 'happy', 'sad'))} {noun}"
        )

    def many(noun: str) -> str:
        irregular = {"man": "men", "woman": "women", "child": "children", "mouse": "mice", "knife": "knives"}
        irregular |= {
            "sheep": "sheep",
            "fish": "fish",
            "baby": "babies",
            "wolf": "wolves",
            "butterfly": "butterflies",
        }
        irregular |= {"cherry": "cherries", "shelf": "shelves"}
        if noun in irregular:
            return irregular[noun]
        return noun + ("es" if noun.endswith(("s", "sh", "ch", "x", "o")) else "s")

    def a(phrase: str) -> str:
        return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"

    act, handle, more = one(ACTIONS), one(HANDLES), one(MORE)
    less = MORE[more]
    more = more if rng.random() < 0.5 else less
    pick = rng.random() * 22
    forms = (
        lambda: f"the {one(SMALL)} is {one(('on', 'under', 'beside', 'near', 'behind'))} the {one(BIG)}.",
        lambda: f"the {thing()} is {one(SPACE[:9])} the {thing()}.",
        lambda: f"the {thing()} is to the {one(SIDES[:2])} of the {thing()}.",
        lambda: f"{a(thing())} is at the {one(SIDES[2:4])} {one(SIDES[:2])}.",
        lambda: f"the {someone()} stands {one(SPACE)} the {one(BIG)}.",
        lambda: (
            f"there are {one(NUMBERS)} {many(one(SMALL))} on the {one(('table', 'desk', 'shelf', 'bed'))}."
        ),
        lambda: f"there are {one(AMOUNTS[:4])} {many(one(ANIMALS))} in the {one(PLACES)}.",
        lambda: f"{one(NUMBERS)} {many(one(PEOPLE))} and one {one(ANIMALS)} are in the {one(PLACES)}.",
        lambda: f"the {one((*SMALL, *BIG))} is {one(COLORS)}.",
        lambda: f"the {one((*SMALL, *BIG))} is {one(SIZES)} and {one(LOOKS)}.",
        lambda: f"she has {a(one(COLORS))} {one(SMALL)} and {a(one(MATERIALS))} {one(SMALL)}.",
        lambda: f"this is {a(someone())} in the {one(PLACES)}.",
        lambda: f"{a(one(ANIMALS))} is an animal, {a(one(SMALL))} is not.",
        lambda: f"the {someone()} {act} {one(('in', 'near', 'behind'))} the {one(PLACES)}.",
        lambda: f"the {someone()} is {ACTIONS[act]} {one(('beside', 'under', 'near'))} the {one(BIG)}.",
        lambda: f"the {one(PEOPLE)} {handle} the {one(SMALL)}.",
        lambda: f"the {one(PEOPLE)} is {HANDLES[handle]} {a(thing())}.",
        lambda: f"the {thing()} is {more} than the {thing()}.",
        lambda: f"the {one(BIG)} is {one(('nearer', 'closer', 'farther'))} than the {one(BIG)}.",
        lambda: (
            f"the {one(BIG)} is {one(('near', 'far', 'close', 'distant'))}, the {one(BIG)} is "
            f"{one(('deep in the background', 'in the foreground', 'far away', 'close by'))}."
        ),
        lambda: (
            f"there is no {one(SMALL)} {one(('on', 'in', 'under'))} the "
            f"{one(('box', 'bag', 'table', 'bed'))}."
        ),
        lambda: (
            f"the {someone()} {one(('does not', 'never', 'cannot'))} "
            f"{one(('run', 'sleep', 'eat', 'sing', 'wait'))} {one(('without', 'with'))} {a(one(SMALL))}."
        ),
    )
    sentence = forms[int(pick)]()
    return sentence[0].upper() + sentence[1:]


if __name__ == "__main__":
    generator = np.random.default_rng(0)
    for _ in range(30):
        print(english(generator))
