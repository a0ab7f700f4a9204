"""Everything annotators do, in one SQLite file that a killed server leaves whole.

Each change is a row of ``revisions`` that points to the one before it, on the disk before the browser is told
that it is saved. Undo moves the head to the parent, so it works after a restart too, and no mark that was
ever made is deleted. Several servers and a report may use the file at the same time.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from modgap._errors import FileError, InputError

from ._items import Item
from ._plan import Arms, plan
from ._work import Conflict, Marks, Step, Work, check_marks, default_types

STORE = "annotations.sqlite"
MAX_STEPS = 200
"""Most steps of undo that a page is sent."""

_VERSION = 1
_APPLICATION = 0x6D6F6467  # "modg"
_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE items (item TEXT PRIMARY KEY, digest TEXT NOT NULL) STRICT;
CREATE TABLE work (
  annotator TEXT NOT NULL, item TEXT NOT NULL, position INTEGER NOT NULL, flags INTEGER NOT NULL,
  head INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0,
  active_ms INTEGER NOT NULL DEFAULT 0, first_ms INTEGER, last_key TEXT NOT NULL DEFAULT '', changed REAL,
  PRIMARY KEY (annotator, item), UNIQUE (annotator, position)) STRICT;
CREATE TABLE revisions (
  annotator TEXT NOT NULL, item TEXT NOT NULL, number INTEGER NOT NULL, parent INTEGER NOT NULL, redo INTEGER,
  marks TEXT NOT NULL, active_ms INTEGER NOT NULL, written REAL NOT NULL,
  PRIMARY KEY (annotator, item, number)) STRICT;
"""


class _At(NamedTuple):
    item_id: str
    head: int
    is_new: bool


class Store:
    """Opens, or makes, the file of a folder.

    Args:
        folder: the folder to annotate.
        items: what it holds.
        seed: of arms and order; counts only when the file is made.
        types: kinds of errors to choose from; the same.
        arms: which captions show their flags; the same.
        must_exist: whether a missing file is an error.

    Attributes:
        items: by id.
        types: kinds of errors to choose from.
        secret: random, kept in the file, so that a browser stays signed in over a restart.

    Raises:
        FileError: if it cannot be opened, is something else, or annotated captions were changed or removed.
        InputError: if another seed, other types or other arms were asked for than the file was made with.
    """

    def __init__(
        self,
        folder: Path,
        items: Sequence[Item],
        *,
        seed: int | None = None,
        types: Sequence[str] | None = None,
        arms: Arms | None = None,
        must_exist: bool = False,
    ) -> None:
        self.path = folder / STORE
        self.items = {item.item_id: item for item in items}
        self._lock = threading.Lock()
        if must_exist and not self.path.is_file():
            raise FileError(f"{self.path}: is not there; nobody has annotated in {folder} yet")
        asked = {
            "seed": (None if seed is None else str(seed), "0"),
            "types": (None if types is None else ",".join(types), ",".join(default_types())),
            "arms": (arms, "random"),
        }
        try:
            # Autocommit: `_writing` says where a transaction begins and ends.
            self._db = sqlite3.connect(self.path, timeout=10, isolation_level=None, check_same_thread=False)
            try:
                self._prepare()
                self._settle(asked)
                self._check_items()
                for annotator in self.annotators():
                    self.enrol(annotator)  # captions may have been added
            except BaseException:
                self._db.close()
                raise
        except sqlite3.Error as error:
            raise FileError(f"{self.path}: cannot be used ({error}); restore it from a copy") from error

    def _prepare(self) -> None:
        self._db.execute("PRAGMA trusted_schema = OFF")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")  # a commit is on the disk, not only with the system
        with self._writing():
            version = self._value("PRAGMA user_version")
            if version == 0 and not self._value("SELECT count(*) FROM sqlite_master"):
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA application_id = {_APPLICATION}")
                self._db.execute(f"PRAGMA user_version = {_VERSION}")
            elif (version, self._value("PRAGMA application_id")) != (_VERSION, _APPLICATION):
                raise FileError(
                    f"{self.path}: is not a file of annotations of version {_VERSION}; move it away"
                )

    def _settle(self, asked: dict[str, tuple[str | None, str]]) -> None:
        """Keep settings when the file is made, and refuse others later: arms must not change on the way."""
        with self._writing():
            kept = dict(self._db.execute("SELECT name, value FROM meta"))
            for name, (value, default) in asked.items():
                if name not in kept:
                    kept[name] = default if value is None else value
                elif value is not None and kept[name] != value:
                    raise InputError(
                        f"{name} {value!r}: these annotations were begun with {kept[name]!r}; "
                        f"leave it out, or begin anew without {self.path}"
                    )
            kept.setdefault("secret", secrets.token_hex(32))
            self._db.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", kept.items())
        self._seed, self._arms = int(kept["seed"]), kept["arms"]
        self.types = tuple(kept["types"].split(","))
        self.secret = bytes.fromhex(kept["secret"])

    def _check_items(self) -> None:
        with self._writing():
            kept = dict(self._db.execute("SELECT item, digest FROM items"))
            begun = {item for (item,) in self._db.execute("SELECT DISTINCT item FROM work WHERE changed > 0")}
            for item_id in sorted(begun):
                item = self.items.get(item_id)
                if item is None:
                    raise FileError(f"caption {item_id!r} was annotated and is gone; put its line back")
                if item.digest != kept.get(item_id):
                    raise FileError(
                        f"caption {item_id!r} was changed after it was annotated; "
                        "restore its line, or give the new one a new id"
                    )
            self._db.executemany(
                "INSERT OR REPLACE INTO items VALUES (?, ?)",
                [(item.item_id, item.digest) for item in self.items.values()],
            )

    def close(self) -> None:
        """Close the file. Closing twice is allowed."""
        with self._lock:
            self._db.close()

    def annotators(self) -> list[str]:
        """Names of all annotators, in alphabetical order."""
        with self._lock:
            return [name for (name,) in self._db.execute("SELECT DISTINCT annotator FROM work ORDER BY 1")]

    def enrol(self, annotator: str) -> None:
        """Give an annotator an order and an arm for every caption that has none yet."""
        with self._writing():
            rows = self._db.execute("SELECT item FROM work WHERE annotator = ?", (annotator,))
            have = {item for (item,) in rows}
            new = [item for item in self.items.values() if item.item_id not in have]
            planned = plan(new, annotator, self._seed, self._arms, len(have))
            self._db.executemany(
                "INSERT INTO work (annotator, item, position, flags) VALUES (?, ?, ?, ?)",
                [(annotator, item, len(have) + at, flags) for at, (item, flags) in enumerate(planned)],
            )

    def all_work(self, annotator: str | None = None) -> list[Work]:
        """All captions of an annotator, or of all, in their order, without those that are no longer there."""
        where = "" if annotator is None else "WHERE work.annotator = ?"
        with self._lock:
            rows = self._db.execute(
                f"{_SELECT} {where} ORDER BY work.annotator, work.position",
                () if annotator is None else (annotator,),
            ).fetchall()
        return [work for work in map(_work, rows) if work.item_id in self.items]

    def work(self, annotator: str, position: int) -> Work | None:
        """The caption at a position, or ``None``."""
        if not 0 <= position < 2**31:  # SQLite refuses much larger numbers
            return None
        with self._lock:
            row = self._db.execute(
                f"{_SELECT} WHERE work.annotator = ? AND work.position = ?", (annotator, position)
            ).fetchone()
        found = None if row is None else _work(row)
        return found if found is not None and found.item_id in self.items else None

    def history(self, work: Work) -> tuple[list[Marks], list[Marks]]:
        """States that undo leads back to, oldest first, and those that redo leads to, the next one last."""
        with self._lock:
            rows = {
                number: (parent, redo, marks)
                for number, parent, redo, marks in self._db.execute(
                    "SELECT number, parent, redo, marks FROM revisions WHERE annotator = ? AND item = ?",
                    (work.annotator, work.item_id),
                )
            }
        past: list[Marks] = []
        at = work.head
        while at in rows and rows[at][0] != at and len(past) < MAX_STEPS:
            at = rows[at][0]
            past.append(_read(rows[at][2]))
        future: list[Marks] = []
        following = rows[work.head][1] if work.head in rows else None
        while following in rows and len(future) < MAX_STEPS:
            future.append(_read(rows[following][2]))
            following = rows[following][1]
        return past[::-1], future[::-1]

    def edit(self, step: Step, marks: Marks, *, amend: bool = False) -> int:
        """Save marks as a new revision.

        Args:
            step: who changes what.
            marks: all marks of the caption.
            amend: whether a change with the key of the last one continues it, as one more letter of a
                correction does; undo then takes back both.

        Returns:
            The number of the present revision.

        Raises:
            Conflict: if ``step.base`` is not the present revision.
            InputError: if marks overlap, leave the caption, are too many or of an unknown type.
        """
        with self._stepping(step) as at:
            check_marks(marks, self.items[at.item_id], self.types)
            text = msgspec.json.encode(marks).decode()
            place = (step.annotator, at.item_id)
            if not at.is_new:
                if amend:
                    self._db.execute(f"UPDATE revisions SET marks = ? {_AT}", (text, *place, at.head))
                return at.head
            self._db.execute(f"UPDATE revisions SET redo = NULL {_AT}", (*place, at.head))
            number = 1 + self._value(
                "SELECT max(number) FROM revisions WHERE annotator = ? AND item = ?", place
            )
            self._db.execute(
                "INSERT INTO revisions VALUES (?, ?, ?, ?, NULL, ?, ?, ?)",
                (*place, number, at.head, text, step.active_ms, time.time()),
            )
            self._touch(place, step.active_ms, head=number)
            return int(number)

    def undo(self, step: Step) -> int:
        """Go back to the state before, if there is one, and return the number of its revision.

        Raises:
            Conflict: if ``step.base`` is not the present revision.
        """
        return self._move(step, "parent")

    def redo(self, step: Step) -> int:
        """Take the last undo back, if there was one, and return the number of the present revision.

        Raises:
            Conflict: if ``step.base`` is not the present revision.
        """
        return self._move(step, "redo")

    def _move(self, step: Step, way: str) -> int:
        with self._stepping(step) as at:
            place = (step.annotator, at.item_id)
            target = self._value(f"SELECT {way} FROM revisions {_AT}", (*place, at.head))
            if not at.is_new or target is None or target == at.head:
                return at.head
            if way == "parent":
                self._db.execute(f"UPDATE revisions SET redo = ? {_AT}", (at.head, *place, target))
            self._touch(place, step.active_ms, head=target)
            return int(target)

    def finish(self, step: Step) -> int:
        """Say that a caption is done, and return the number of the present revision.

        Raises:
            Conflict: if ``step.base`` is not the present revision.
        """
        with self._stepping(step) as at:
            place = (step.annotator, at.item_id)
            self._touch(place, step.active_ms, done=1)
            self._db.execute(
                "UPDATE work SET first_ms = coalesce(first_ms, active_ms) WHERE annotator = ? AND item = ?",
                place,
            )
            return at.head

    def spend(self, annotator: str, position: int, active_ms: int) -> None:
        """Note the time spent with a caption so far, in milliseconds; it never goes back."""
        with self._writing():
            item_id, _, _ = self._present(annotator, position)
            self._touch((annotator, item_id), active_ms)

    @contextlib.contextmanager
    def _stepping(self, step: Step) -> Iterator[_At]:
        with self._writing():
            item_id, head, last_key = self._present(step.annotator, step.position)
            is_new = step.key != last_key
            if is_new and step.base != head:
                raise Conflict
            place = (step.annotator, item_id)
            # Revision 0, nothing marked, is what the first undo leads to.
            self._db.execute(
                "INSERT OR IGNORE INTO revisions VALUES (?, ?, 0, 0, NULL, '[]', 0, ?)", (*place, time.time())
            )
            self._db.execute(
                "UPDATE work SET last_key = ? WHERE annotator = ? AND item = ?", (step.key, *place)
            )
            yield _At(item_id, head, is_new)

    def _present(self, annotator: str, position: int) -> tuple[str, int, str]:
        row = self._db.execute(
            "SELECT item, head, last_key FROM work WHERE annotator = ? AND position = ?",
            (annotator, position),
        ).fetchone()
        if row is None or row[0] not in self.items:
            raise InputError(f"there is no caption {position + 1}; go back to the first page")
        return row[0], row[1], row[2]

    def _touch(
        self, place: tuple[str, str], active_ms: int, *, head: int | None = None, done: int | None = None
    ) -> None:
        self._db.execute(
            "UPDATE work SET head = coalesce(?, head), done = coalesce(?, done), "
            "active_ms = max(active_ms, ?), changed = ? WHERE annotator = ? AND item = ?",
            (head, done, active_ms, time.time(), *place),
        )

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _value(self, query: str, values: Sequence[object] = ()) -> Any:
        return self._db.execute(query, values).fetchone()[0]


_AT = "WHERE annotator = ? AND item = ? AND number = ?"
_SELECT = """
SELECT work.annotator, work.item, work.position, work.flags, work.head, revisions.marks, work.done,
  work.active_ms, work.first_ms
FROM work LEFT JOIN revisions
  ON revisions.annotator = work.annotator AND revisions.item = work.item AND revisions.number = work.head
"""


def _work(row: tuple[str, str, int, int, int, str | None, int, int, int | None]) -> Work:
    annotator, item, position, flags, head, marks, done, active, first = row
    return Work(annotator, item, position, bool(flags), head, _read(marks or "[]"), bool(done), active, first)


def _read(marks: str) -> Marks:
    return msgspec.json.decode(marks, type=Marks)
