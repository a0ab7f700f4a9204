"""The pieces a prompt is made of: text, image, audio, video.

A piece of media is its encoded bytes, exactly as they are sent to a model, stored in a run folder and
shown in a report. Bytes from outside are untrusted: they are decoded only through :meth:`Image.to_pil`,
which refuses what is not a picture of reasonable size.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

import PIL.Image

from modgap._errors import FileError, UnknownName

Modality = Literal["text", "image", "audio", "video"]
MODALITIES: tuple[Modality, ...] = ("text", "image", "audio", "video")

MAX_PIXELS = 64_000_000
"""Largest picture that is decoded, in pixels (our choice: 8000 × 8000, 192 MB as RGB)."""

_EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/gif": "gif",
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
    "audio/flac": "flac",
    "video/mp4": "mp4",
    "video/webm": "webm",
}
_PIL_FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}


@dataclass(frozen=True)
class Text:
    """A piece of text."""

    text: str
    modality: ClassVar[Modality] = "text"


@dataclass(frozen=True)
class _Media:
    data: bytes = field(repr=False)
    mime: str

    def __post_init__(self) -> None:
        if self.mime not in _EXTENSIONS:
            raise UnknownName("media type", self.mime, _EXTENSIONS)

    @cached_property
    def sha256(self) -> str:
        """Hash of the encoded bytes, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def file_name(self) -> str:
        """``<sha256>.<extension>``, the name of this piece in a ``media`` folder."""
        return f"{self.sha256}.{_EXTENSIONS[self.mime]}"


@dataclass(frozen=True)
class Image(_Media):
    """An encoded picture (PNG, JPEG, WebP or GIF)."""

    modality: ClassVar[Modality] = "image"

    @classmethod
    def from_pil(cls, picture: PIL.Image.Image) -> Image:
        """Encode as PNG, fast rather than small: drawings compress well at any level."""
        buffer = io.BytesIO()
        picture.save(buffer, format="PNG", compress_level=1)
        return cls(buffer.getvalue(), "image/png")

    @classmethod
    def from_bytes(cls, data: bytes, source: str = "image") -> Image:
        """Check that ``data`` is an encoded picture and keep the bytes as they are.

        Args:
            data: the encoded bytes, untrusted.
            source: what to call it in an error, usually a path.

        Raises:
            FileError: if it is not a PNG, JPEG, WebP or GIF of at most ``MAX_PIXELS`` pixels.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", PIL.Image.DecompressionBombWarning)
                with PIL.Image.open(io.BytesIO(data), formats=list(_PIL_FORMATS)) as opened:
                    width, height = opened.size
                    mime = _PIL_FORMATS[opened.format or ""]
        except (OSError, SyntaxError, ValueError, KeyError, PIL.Image.DecompressionBombError) as error:
            raise FileError(f"{source}: not a readable picture; expected PNG, JPEG, WebP or GIF") from error
        if width * height > MAX_PIXELS:
            raise FileError(f"{source}: {width} × {height} pixels is more than the limit of {MAX_PIXELS:,}")
        return cls(data, mime)

    def to_pil(self) -> PIL.Image.Image:
        """Decode to an RGB picture.

        Raises:
            FileError: if the bytes are not a complete picture of at most ``MAX_PIXELS`` pixels.
        """
        checked = Image.from_bytes(self.data)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", PIL.Image.DecompressionBombWarning)
                with PIL.Image.open(io.BytesIO(checked.data), formats=list(_PIL_FORMATS)) as opened:
                    return opened.convert("RGB")
        except (OSError, SyntaxError, ValueError) as error:
            raise FileError("image: the file is damaged or cut off; write it again") from error


@dataclass(frozen=True)
class Audio(_Media):
    """Encoded sound (WAV, MP3 or FLAC)."""

    modality: ClassVar[Modality] = "audio"


@dataclass(frozen=True)
class Video(_Media):
    """An encoded film (MP4 or WebM)."""

    modality: ClassVar[Modality] = "video"


Part = Text | Image | Audio | Video


def read_part(path: Path, modality: Modality) -> Part:
    """Read one media file.

    Args:
        path: the file.
        modality: image, audio or video.

    Returns:
        The piece, with its bytes unchanged.

    Raises:
        FileError: if the file is missing, or is not of that modality.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileError(
            f"{path}: cannot be read ({error.strerror}); expected a file of {modality}"
        ) from error
    if modality == "image":
        return Image.from_bytes(data, str(path))
    kinds: dict[str, type[Audio | Video]] = {"audio": Audio, "video": Video}
    for mime, extension in _EXTENSIONS.items():
        if mime.startswith(modality) and path.suffix.lower() == f".{extension}":
            return kinds[modality](data, mime)
    expected = ", ".join(e for m, e in _EXTENSIONS.items() if m.startswith(modality))
    raise FileError(f"{path}: not a file of {modality}; expected the extension {expected}")
