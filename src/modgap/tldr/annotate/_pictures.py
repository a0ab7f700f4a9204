"""Pictures that are safe to show: every one is decoded and encoded again, so a browser gets pixels only.

What is not a PNG, JPEG, WebP or GIF (SVG, HTML, a device, a path out of the folder) is refused.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import PIL.Image
import PIL.ImageOps

from modgap._errors import FileError
from modgap.media import MAX_PIXELS

MAX_SIDE = 1600
"""Longest side that is shown, in pixels (our choice: a wide screen)."""

_MAX_BYTES = 256 * 2**20
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")


def check_picture(folder: Path, name: str) -> Path:
    """Find a picture in a folder, reading only its head.

    Args:
        folder: where it must be.
        name: its path from there, with forward slashes; untrusted.

    Returns:
        Its path.

    Raises:
        FileError: if it leads out of the folder, or is no picture of at most ``MAX_PIXELS``.
    """
    shown = f"image {name[:80]!r}"
    if not name or "\\" in name or "\0" in name or Path(name).is_absolute():
        raise FileError(f"{shown} is not a path inside the folder, such as images/1.png")
    try:
        root = folder.resolve()
        path = (root / name).resolve()
        if not path.is_relative_to(root):
            raise FileError(f"{shown} leads out of the folder; copy the file into images/")
        if not path.is_file():
            raise FileError(f"{shown} is not a file in {folder}")
        if path.stat().st_size > _MAX_BYTES:
            raise FileError(f"{shown} is larger than {_MAX_BYTES:,} bytes")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with PIL.Image.open(path, formats=_FORMATS) as opened:
                _check_size(opened.size, shown)
    except FileError:
        raise
    except Exception as error:  # decoders raise anything when data is hostile
        raise FileError(f"{shown} is not a readable PNG, JPEG, WebP or GIF") from error
    return path


def encode_again(path: Path) -> tuple[bytes, str]:
    """Decode a picture and encode its pixels, upright, on white and at most ``MAX_SIDE`` wide and high.

    Args:
        path: of the picture; its content is untrusted.

    Returns:
        The bytes and their media type, ``image/png`` or, for photographs, ``image/jpeg``.

    Raises:
        FileError: if it is damaged or too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with PIL.Image.open(path, formats=_FORMATS) as opened:
                _check_size(opened.size, path.name)
                is_photograph = opened.format in ("JPEG", "WEBP")
                opened.draft("RGB", (MAX_SIDE, MAX_SIDE))  # a JPEG is decoded at a fraction of its size
                upright = PIL.ImageOps.exif_transpose(opened)
                clear = upright.has_transparency_data
                pixels = upright.convert("RGBA" if clear else "RGB")
        if clear:
            pixels = PIL.Image.alpha_composite(PIL.Image.new("RGBA", pixels.size, "white"), pixels)
        shown = PIL.Image.new("RGB", pixels.size)  # without text, profile or exif of the file
        shown.paste(pixels.convert("RGB"))
        shown.thumbnail((MAX_SIDE, MAX_SIDE))
        buffer = io.BytesIO()
        if is_photograph:
            shown.save(buffer, "JPEG", quality=92)
        else:
            shown.save(buffer, "PNG", compress_level=1)
    except FileError:
        raise
    except Exception as error:
        raise FileError(f"{path.name}: the picture is damaged; put back a whole one") from error
    return buffer.getvalue(), "image/jpeg" if is_photograph else "image/png"


def _check_size(size: tuple[int, int], shown: str) -> None:
    if size[0] * size[1] > MAX_PIXELS:
        raise FileError(f"{shown}: {size[0]} × {size[1]} pixels is more than the limit of {MAX_PIXELS:,}")
