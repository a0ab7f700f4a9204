"""Problems in parquet, in the columns that the ``datasets`` library shows and reads.

One row is one problem. The fields of :class:`Problem` are columns (``difficulty`` as JSON), and so is every
representation: text as a string, media as a struct of ``bytes`` and ``path``, declared as an image, audio or
video feature in the schema. The schema also says which columns are representations; in a file written
elsewhere these are the media features, and the columns named as in the short form of :mod:`._files`.

pyarrow is imported when a file is read or written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from modgap._errors import FileError, InputError, MissingExtra
from modgap.media import MODALITIES, Audio, Image, Modality, Part, Text, Video

from ._files import FIELDS, Fields, build, check_name, check_new, describe_error
from ._media_files import check_parts, cut, media_part, modality_of
from ._problem import Problem, Representation

_FEATURES: dict[Modality, str] = {"image": "Image", "audio": "Audio", "video": "Video"}
_ROWS = 100  # in a row group: pictures are read in small pieces
_AUDIO = {b"RIFF": "audio/wav", b"ID3": "audio/mpeg", b"\xff\xfb": "audio/mpeg", b"fLaC": "audio/flac"}


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtra("parquet", "data") from error
    return pyarrow


class ParquetWriter:
    """Writes problems to one file, a row group at a time.

    Args:
        path: the file.
        representations: name → modality, the columns.
        notes: kept in the schema as they are.

    Raises:
        MissingExtra: if pyarrow is not installed.
        InputError: if a representation has the name of a field.
    """

    def __init__(self, path: Path, representations: Mapping[str, Modality], notes: Mapping[str, Any]) -> None:
        self._pa = pa = _pyarrow()
        clash = sorted(set(representations) & set(FIELDS))
        if clash:
            raise InputError(
                f"representations {', '.join(clash)} have names of fields; parquet cannot hold both"
            )
        self._representations = dict(representations)
        string, media = pa.string(), pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        types = {"options": pa.list_(string), "chance": pa.float64(), "version": pa.int32()}
        columns = [(name, types.get(name, string)) for name in FIELDS]
        columns += [(name, string if m == "text" else media) for name, m in representations.items()]
        metadata = {
            "huggingface": json.dumps({"info": {"features": _features(representations)}}),
            "modgap": json.dumps({"representations": self._representations, **notes}),
        }
        schema = pa.schema(columns, metadata=metadata)
        self._path = path
        self._rows: list[dict[str, Any]] = []
        self._schema = schema
        try:
            self._writer = pa.parquet.ParquetWriter(str(path), schema, compression="zstd")
        except OSError as error:
            raise FileError(f"{path}: cannot be written ({error})") from error

    def write(self, problem: Problem) -> None:
        """Add one problem.

        Raises:
            InputError: if a representation has more than one piece of media.
        """
        row: dict[str, Any] = {name: getattr(problem, name) for name in FIELDS}
        row["options"] = list(problem.options)
        row["difficulty"] = json.dumps(dict(problem.difficulty))
        for r in problem.representations:
            if self._representations.get(r.name) != r.modality:
                raise InputError(
                    f"representation {r.name!r} ({r.modality}) of {problem.problem_id} has no column; "
                    f"the columns are {', '.join(self._representations)}"
                )
            row[r.name] = _cell(r, problem)
        self._rows.append(row)
        if len(self._rows) >= _ROWS:
            self._flush()

    def close(self) -> None:
        """Write what is left and the footer."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            try:
                self._writer.write_table(self._pa.Table.from_pylist(self._rows, schema=self._schema))
            except OSError as error:
                raise FileError(f"{self._path}: cannot be written ({error})") from error
            self._rows = []


def _cell(r: Representation, problem: Problem) -> Any:
    if r.modality == "text":
        return "".join(part.text for part in r.parts if isinstance(part, Text))
    if len(r.parts) != 1 or isinstance(r.parts[0], Text):
        raise InputError(
            f"representation {r.name!r} of {problem.problem_id} has several parts; parquet holds one piece "
            "of media in a column; write it with parquet=False"
        )
    return {"bytes": r.parts[0].data, "path": r.parts[0].file_name}


def _features(representations: Mapping[str, Modality]) -> dict[str, Any]:
    text = {"dtype": "string", "_type": "Value"}
    other = {
        "options": {"feature": text, "_type": "Sequence"},
        "chance": {"dtype": "float64", "_type": "Value"},
        "version": {"dtype": "int32", "_type": "Value"},
    }
    return {name: other.get(name, text) for name in FIELDS} | {
        name: text if m == "text" else {"_type": _FEATURES[m]} for name, m in representations.items()
    }


def scan_parquet(path: Path) -> tuple[tuple[str, ...], dict[str, Modality]]:
    """Tasks and representations of a file, without reading media.

    Raises:
        FileError: if it is not such a file.
        MissingExtra: if pyarrow is not installed.
    """
    file = _open(path)
    tasks = {f"{path.stem}/all": None}
    if "task" in file.schema_arrow.names:
        try:
            column = file.read(columns=["task"]).column("task").to_pylist()
        except (_pyarrow().ArrowException, OSError) as error:
            raise FileError(f"{path}: damaged ({error}); write it again") from error
        tasks = {str(task) if task else f"{path.stem}/all": None for task in column}
    return tuple(tasks), _representations(file, path)


def read_parquet(path: Path) -> Iterator[Problem]:
    """Read a file row by row.

    Raises:
        FileError: at the first row that is not a problem.
        MissingExtra: if pyarrow is not installed.
    """
    file = _open(path)
    representations = _representations(file, path)
    columns = [name for name in file.schema_arrow.names if name in FIELDS or name in representations]
    seen: dict[str, int] = {}
    for number, row in parquet_rows(path, columns):
        where = f"{path}, row {number}"
        problem = _problem(row, representations, path, where, number)
        check_new(problem.problem_id, number, seen, where)
        yield problem


def parquet_rows(path: Path, columns: list[str] | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows of any parquet file with their numbers, from 1.

    Args:
        path: the file, untrusted.
        columns: only these; all if ``None``.

    Raises:
        FileError: if it is damaged or not parquet.
        MissingExtra: if pyarrow is not installed.
    """
    pa = _pyarrow()
    number = 0
    try:
        file = pa.parquet.ParquetFile(str(path))
        for batch in file.iter_batches(batch_size=_ROWS, columns=columns):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except (pa.ArrowException, OSError, UnicodeError) as error:
        raise FileError(
            f"{path}, after row {number}: not readable parquet, or damaged ({error}); write or get it again"
        ) from error


def _open(path: Path) -> Any:
    pa = _pyarrow()
    try:
        return pa.parquet.ParquetFile(str(path))
    except (pa.ArrowException, OSError) as error:
        raise FileError(f"{path}: not a readable parquet file ({error}); expected one of problems") from error


def _representations(file: Any, path: Path) -> dict[str, Modality]:
    """Which columns are representations: those the schema names, else by feature and by name."""
    names = list(file.schema_arrow.names)
    for name in names:
        check_name(name, (*FIELDS, *MODALITIES), str(path), skip=modality_of(name) is not None)
    found: dict[str, Modality] = {}
    noted = _noted(file, b"modgap").get("representations")
    features = _noted(file, b"huggingface").get("info")
    features = features.get("features") if isinstance(features, dict) else None
    media = {feature: modality for modality, feature in _FEATURES.items()}
    for name in (n for n in names if n not in FIELDS):
        said = noted.get(name) if isinstance(noted, dict) else None
        feature = features.get(name) if isinstance(features, dict) else None
        kind = feature.get("_type") if isinstance(feature, dict) else None
        modality = said if said in MODALITIES else media.get(str(kind)) or modality_of(name)
        if modality is not None:
            found[name] = modality
    missing = [name for name in ("question", "answer") if name not in names]
    if missing or not found:
        what = " and ".join(
            [*missing, *([] if found else ["a representation (text, image, audio or video)"])]
        )
        raise FileError(
            f"{path}: columns {cut(names)} lack {what}; expected question, answer and representations"
        )
    return found


def _noted(file: Any, key: bytes) -> dict[str, Any]:
    try:
        read = json.loads((file.schema_arrow.metadata or {}).get(key, b"{}"))
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _problem(
    row: dict[str, Any], representations: Mapping[str, Modality], path: Path, where: str, number: int
) -> Problem:
    values = {name: row[name] for name in FIELDS if row.get(name) is not None}
    try:
        if isinstance(values.get("difficulty"), str):
            values["difficulty"] = msgspec.json.decode(values["difficulty"])
        fields = msgspec.convert(values, Fields)
    except (msgspec.ValidationError, msgspec.DecodeError, RecursionError) as error:
        raise FileError(f"{where}: {describe_error(error)}") from error
    made = [
        check_parts(
            Representation(name, modality, (_part(row[name], name, modality, path.parent, where),)), where
        )
        for name, modality in representations.items()
        if row[name] is not None
    ]
    return build(fields, made, where, number=number, stem=path.stem)


def _part(value: Any, name: str, modality: Modality, folder: Path, where: str) -> Part:
    if modality == "text" and isinstance(value, str):
        return Text(value)
    if modality != "text":
        if isinstance(value, str):
            return media_part(value, modality, folder, where)
        data = value.get("bytes") if isinstance(value, dict) else value
        if isinstance(data, bytes):
            return _encoded(data, modality, f"{where}, column {name!r}")
        if isinstance(value, dict) and isinstance(value.get("path"), str):
            return media_part(value["path"], modality, folder, where)
    raise FileError(f"{where}: column {name!r} is a {type(value).__name__}; expected {modality}")


def _encoded(data: bytes, modality: Modality, where: str) -> Part:
    """A piece of media from its bytes, recognised by how they begin."""
    if modality == "image":
        return Image.from_bytes(data, where)
    if modality == "audio":
        for start, mime in _AUDIO.items():
            if data.startswith(start):
                return Audio(data, mime)
        raise FileError(f"{where}: not a known kind of audio; expected WAV, MP3 or FLAC")
    if data[4:8] == b"ftyp":
        return Video(data, "video/mp4")
    if data.startswith(b"\x1aE\xdf\xa3"):
        return Video(data, "video/webm")
    raise FileError(f"{where}: not a known kind of video; expected MP4 or WebM")
