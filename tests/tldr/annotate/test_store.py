"""The store: nothing is lost, undo works over restarts, arms are balanced and stay as they are."""

from __future__ import annotations

import sqlite3
from collections import Counter
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modgap._errors import FileError, InputError, UnknownName
from modgap.tldr.annotate import Mark, Store, read_items
from modgap.tldr.annotate._plan import check_arms, plan
from modgap.tldr.annotate._work import Conflict, Step, check_types

THREE, CAT = Mark(0, 5, "counting"), Mark(50, 53, "object", "horse")
keys = map(str, count())


def step(base: int, key: str | None = None, ms: int = 0, position: int = 0) -> Step:
    return Step("anna", position, base, key or next(keys), ms)


@pytest.fixture
def store(make_store):
    made = make_store(8)
    made.enrol("anna")
    return made


def test_marks_are_kept(store, make_store):
    head = store.edit(step(0, ms=1500), (THREE,))
    head = store.edit(step(head, ms=2500), (THREE, CAT))
    store.finish(step(head, ms=4000))
    store.spend("anna", 0, 9000)
    store.spend("anna", 0, 10)  # time never goes back
    store.finish(step(head, ms=9500))
    again = make_store(store.path.parent)
    work = again.work("anna", 0)
    assert work == store.work("anna", 0)
    assert (work.marks, work.done, work.head) == ((THREE, CAT), True, 2)
    assert (work.active_ms, work.first_ms) == (9500, 4000)
    assert again.history(work) == ([(), (THREE,)], [])
    assert not again.work("anna", 1).done
    assert again.work("anna", 8) is None


def test_undo_and_redo_over_a_restart(store, make_store):
    for base, marks in enumerate([(THREE,), (THREE, CAT), (CAT,)]):
        assert store.edit(step(base), marks) == base + 1
    assert store.undo(step(3)) == 2
    assert store.undo(step(2)) == 1
    again = make_store(store.path.parent)
    work = again.work("anna", 0)
    assert work.marks == (THREE,)
    assert again.history(work) == ([()], [(CAT,), (THREE, CAT)])
    assert again.redo(step(1)) == 2
    assert again.edit(step(2), ()) == 4  # a new change after an undo: the old future is kept, but not led to
    assert again.redo(step(4)) == 4
    assert again.history(again.work("anna", 0)) == ([(), (THREE,), (THREE, CAT)], [])
    for base, expected in ((4, 2), (2, 1), (1, 0), (0, 0)):
        assert again.undo(step(base)) == expected


def test_a_change_that_is_sent_again_changes_nothing(store):
    assert store.edit(step(0, "a"), (THREE,)) == 1
    assert store.edit(step(0, "a"), (THREE,)) == 1
    assert store.edit(step(1, "b"), (CAT,)) == 2
    assert store.undo(step(2, "c")) == 1
    assert store.undo(step(2, "c")) == 1
    assert store.redo(step(1, "d")) == 2
    assert store.redo(step(1, "d")) == 2
    assert store.work("anna", 0).marks == (CAT,)


def test_a_correction_is_one_step_however_many_letters(store):
    store.edit(step(0), (THREE,))
    for truth in ("t", "tw", "two"):
        assert (
            store.edit(step(1 if truth == "t" else 2, "typing"), (Mark(0, 5, "counting", truth),), amend=True)
            == 2
        )
    assert store.work("anna", 0).marks[0].truth == "two"
    assert store.undo(step(2)) == 1
    assert store.work("anna", 0).marks == (THREE,)


def test_another_tab_is_a_conflict(store):
    store.edit(step(0), (THREE,))
    for change in (store.undo, store.redo, store.finish, lambda s: store.edit(s, ())):
        with pytest.raises(Conflict):
            change(step(0))
    assert store.work("anna", 0).marks == (THREE,)


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        ((Mark(0, 5, "wrong"),), "type 'wrong' is not one of attribute, "),
        ((Mark(4, 9, "other"), Mark(0, 5, "other")), "mark 0 to 5 overlaps another or leaves the caption"),
        ((Mark(0, 99, "other"),), "mark 0 to 99 overlaps another or leaves the caption"),
        ((Mark(5, 5, "other"),), "mark 5 to 5 overlaps"),
        ((Mark(-1, 5, "other"),), "mark -1 to 5 overlaps"),
        ((Mark(0, 5, "other", "x" * 201),), "a correction has 201 characters; give up to 200"),
        ((THREE,) * 501, "501 marks on one caption; make up to 500"),
    ],
)
def test_marks_that_cannot_be(store, marks, message):
    with pytest.raises(InputError, match=message):
        store.edit(step(0), marks)
    assert store.work("anna", 0).head == 0


def test_a_caption_that_is_not_there(store):
    with pytest.raises(InputError, match="there is no caption 100; go back to the first page"):
        store.edit(step(0, position=99), ())


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from("abur"), max_size=12))
def test_undo_is_a_list_with_a_place_in_it(tmp_path_factory, moves):
    """The store against the plainest model there is: past states, the present one, future states."""
    folder = tmp_path_factory.mktemp("model")
    items = _items(folder)
    store = Store(folder, items)
    store.enrol("anna")
    past, now, future, head = [], (), [], 0
    for move in moves:
        if move == "u":
            head = store.undo(step(head))
            if past:
                future.append(now)
                now = past.pop()
        elif move == "r":
            head = store.redo(step(head))
            if future:
                past.append(now)
                now = future.pop()
        else:
            past, now, future = [*past, now], ((THREE,) if move == "a" else (CAT,)), []
            head = store.edit(step(head), now)
        work = store.work("anna", 0)
        assert (work.marks, work.head) == (now, head)
        assert store.history(work) == (past, future)
    store.close()


def _items(folder):
    import PIL.Image

    PIL.Image.new("RGB", (4, 4)).save(folder / "a.png")
    text = (
        '{"id": "a", "image": "a.png", "caption": "Three brown dogs run on a red carpet, left of one cat."}\n'
    )
    (folder / "captions.jsonl").write_text(text)
    return read_items(folder)


def test_arms_are_balanced_in_every_kind_and_all_along(make_folder):
    items = read_items(make_folder(80))
    dealt = plan(items, "anna", 0, "random")
    assert sorted(item for item, _ in dealt) == sorted(item.item_id for item in items)
    kinds = {item.item_id: bool(item.flags) for item in items}
    assert Counter((kinds[item], shown) for item, shown in dealt) == dict.fromkeys(
        [(a, b) for a in (True, False) for b in (True, False)], 20
    )
    for stop in range(8, 80):
        shown = sum(shown for _, shown in dealt[:stop])
        assert abs(2 * shown - stop) <= 6
    assert plan(items, "anna", 0, "random") == dealt
    assert plan(items, "ben", 0, "random") != dealt
    assert plan(items, "anna", 1, "random") != dealt
    assert {shown for _, shown in plan(items, "anna", 0, "with")} == {True}
    assert {shown for _, shown in plan(items, "anna", 0, "without")} == {False}
    assert plan([], "anna", 0, "random") == []


def test_every_caption_is_as_often_in_either_arm(make_folder):
    items = read_items(make_folder(6))
    shown = Counter(
        item for number in range(400) for item, shown in plan(items, f"p{number}", 0, "random") if shown
    )
    # 400 fair coins: 200 ± 40 is four standard deviations.
    assert all(160 <= shown[item.item_id] <= 240 for item in items)


def test_captions_that_are_added_later_are_dealt_at_the_end(make_folder, make_store):
    store = make_store(4)
    store.enrol("anna")
    before = [(work.item_id, work.with_flags) for work in store.all_work("anna")]
    more = make_store(make_folder(8))
    after = [(work.item_id, work.with_flags) for work in more.all_work("anna")]
    assert after[:4] == before and len(after) == 8
    assert [work.position for work in more.all_work("anna")] == [*range(8)]


def test_what_was_annotated_must_stay_as_it_is(store, make_folder, make_store, line):
    store.edit(step(0), (THREE,))
    name = store.work("anna", 0).item_id
    lines = [line(number) for number in range(8)]
    with pytest.raises(FileError, match=f"caption '{name}' was annotated and is gone; put its line back"):
        make_store(make_folder([row for row in lines if row["id"] != name]))
    changed = [row | {"caption": "Other words stand here now, as many as before it, yes."} for row in lines]
    with pytest.raises(FileError, match=f"caption '{name}' was changed after it was annotated; restore"):
        make_store(
            make_folder([new if new["id"] == name else old for old, new in zip(lines, changed, strict=True)])
        )
    # What nobody has touched may change and go.
    rest = [new if new["id"] != name else old for old, new in zip(lines, changed, strict=True)]
    assert len(make_store(make_folder(rest[:7] if rest[7]["id"] != name else rest[1:])).all_work("anna")) == 7


def test_settings_stay_as_they_were(store, make_store):
    folder = store.path.parent
    make_store(folder, seed=0, arms="random")
    with pytest.raises(InputError, match="seed '1': these annotations were begun with '0'; leave it out"):
        make_store(folder, seed=1)
    with pytest.raises(InputError, match="arms 'with': these annotations were begun with 'random'"):
        make_store(folder, arms="with")
    with pytest.raises(InputError, match="types 'a,b': these annotations were begun with 'attribute,"):
        make_store(folder, types=["a", "b"])


def test_types_and_arms_are_checked():
    assert check_types(["a b", "c"]) == ("a b", "c")
    for wrong in ([], ["a", "a"], [str(n) for n in range(21)]):
        with pytest.raises(InputError, match="give 1 to 20 different ones"):
            check_types(wrong)
    for wrong in ("", "a,b", "x" * 41, "a\n"):
        with pytest.raises(InputError, match="give up to 40 printable characters without a comma"):
            check_types([wrong])
    with pytest.raises(
        UnknownName, match="flags 'wiht' is not one of random, with, without; did you mean 'with'"
    ):
        check_arms("wiht")


def test_files_that_are_something_else(make_folder, make_store):
    folder = make_folder(2)
    path = folder / "annotations.sqlite"
    with pytest.raises(FileError, match="is not there; nobody has annotated in"):
        make_store(folder, must_exist=True)
    path.write_bytes(b"not a database, but long enough to be taken for one by its size" * 20)
    with pytest.raises(FileError, match=r"annotations\.sqlite: cannot be used .*; restore it from a copy"):
        make_store(folder)
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE t (a)")
    other.close()
    with pytest.raises(FileError, match="is not a file of annotations of version 1; move it away"):
        make_store(folder)
