"""What is read: words, captions.jsonl, pictures. All of it is hostile."""

from __future__ import annotations

import io
import os

import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modgap._errors import FileError
from modgap.media import Image
from modgap.tldr import Example, TypedSpan
from modgap.tldr.annotate import read_items, write_items
from modgap.tldr.annotate._pictures import check_picture, encode_again
from modgap.tldr.annotate._words import touched, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Three dogs, 3.5 m.", ["Three", "dogs", "3.5", "m"]),
        ("the dog's two-story house", ["the", "dog's", "two-story", "house"]),
        ('reads "sofa".', ["reads", "sofa"]),
        ("at 10:30 — 1,000 men", ["at", "10:30", "1,000", "men"]),
        ("a 👩‍👩‍👧 here", ["a", "👩‍👩‍👧", "here"]),
        ("三只狗。two", ["三", "只", "狗", "two"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("cafe\u0301 nai\u0308ve", ["cafe\u0301", "nai\u0308ve"]),
        ("... !?", []),
        ("**bold** _x_", ["bold", "_x_"]),
    ],
)
def test_words(text, expected):
    assert [text[start:end] for start, end in words(text)] == expected


@given(st.text(max_size=60))
def test_words_are_in_order_inside_the_text_and_hold_every_letter(text):
    found = words(text)
    end = 0
    for word in found:
        assert end <= word.start < word.end <= len(text)
        end = word.end
    covered = {at for word in found for at in range(*word)}
    assert all(at in covered for at, character in enumerate(text) if character.isalnum())


def test_touched_words():
    found = words("one two three")
    assert [*touched(found, 2, 5)] == [0, 1]
    assert [*touched(found, 3, 4)] == []


def test_items_are_read(make_folder):
    items = read_items(make_folder(4))
    assert [item.item_id for item in items] == ["c0", "c1", "c2", "c3"]
    assert items[0].flags[0].type == "counting" and items[0].known[0].end == 5
    assert items[1].flags == ()
    assert items[0].digest != items[2].digest


BAD = [
    ({"id": ""}, "id must be 1 to 200 printable characters"),
    ({"id": "a\x00"}, "id must be 1 to 200 printable characters"),
    ({"caption": "…"}, "caption has no words"),
    ({"caption": 3}, "Expected `str`, got `int` - at `$.caption`; expected JSON with id, image and caption"),
    ({"caption": "x" * 20_001}, "caption has 20,001 characters; give up to 20,000"),
    ({"spans": [{"start": 0, "end": 99}]}, "spans: 0 to 99 is not inside the 54 characters of the caption"),
    ({"known": [{"start": 5, "end": 5}]}, "known: 5 to 5 is not inside the 54 characters of the caption"),
    ({"known": [{"start": 5, "end": 6}]}, "known: 5 to 6 holds no word"),
    ({"spans": [{"start": 0, "end": 5}] * 501}, "spans has 501 entries; give up to 500"),
    ({"spans": [{"start": 0, "end": 5, "score": 7}]}, "spans: 0 to 5: score 7.0 is not between 0 and 1"),
    ({"spans": [{"start": 0, "end": 5, "type": "a\n"}]}, "type must be up to 40 printable characters"),
    ({"image": "../secret.png"}, "image '../secret.png' leads out of the folder; copy the file into images/"),
    ({"image": "/etc/passwd"}, "image '/etc/passwd' is not a path inside the folder, such as images/1.png"),
    ({"image": "images\\0.png"}, "is not a path inside the folder"),
    ({"image": "images/none.png"}, "image 'images/none.png' is not a file in"),
    ({"image": "images"}, "is not a file in"),
]


@pytest.mark.parametrize(("fields", "message"), BAD)
def test_mistakes_are_told_by_line(make_folder, line, fields, message):
    folder = make_folder([line(0), line(1) | fields])
    with pytest.raises(FileError) as error:
        read_items(folder)
    assert "captions.jsonl: line 2: " in str(error.value)
    assert message in str(error.value)


def test_all_mistakes_are_told_together(make_folder):
    folder = make_folder(1)
    path = folder / "captions.jsonl"
    path.write_text(path.read_text() + "\n" + path.read_text() + "{\n" * 6 + "[" * 100_000)
    with pytest.raises(FileError) as error:
        read_items(folder)
    assert "line 3: id 'c0' is also on line 1; every id may come once; line 4: " in str(error.value)
    assert str(error.value).endswith("; and 3 more")


def test_an_empty_or_missing_file(tmp_path, make_folder):
    with pytest.raises(FileError, match=r"cannot be read .*; give a folder with captions.jsonl and images/"):
        read_items(tmp_path / "nowhere")
    with pytest.raises(FileError, match="is empty; each line is JSON with id, image and caption"):
        read_items(make_folder([]))
    folder = make_folder(1)
    (folder / "captions.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(FileError, match="line 1: not UTF-8"):
        read_items(folder)


def test_links_out_of_the_folder_are_refused(make_folder, tmp_path):
    folder = make_folder(1)
    PIL.Image.new("RGB", (4, 4)).save(tmp_path / "outside.png")
    (folder / "images" / "link.png").symlink_to(tmp_path / "outside.png")
    with pytest.raises(FileError, match="leads out of the folder"):
        check_picture(folder, "images/link.png")
    (folder / "images" / "loop.png").symlink_to(folder / "images" / "loop.png")
    with pytest.raises(FileError, match="is not a"):
        check_picture(folder, "images/loop.png")
    os.mkfifo(folder / "images" / "pipe.png")
    with pytest.raises(FileError, match="is not a file"):
        check_picture(folder, "images/pipe.png")


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize("data", [SVG, b"<html><script>alert(1)</script></html>", b"", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_refused(make_folder, data):
    folder = make_folder(1)
    (folder / "images" / "0.png").write_bytes(data)
    with pytest.raises(
        FileError, match=r"line 1: image 'images/0.png' is not a readable PNG, JPEG, WebP or GIF"
    ):
        read_items(folder)


def test_pictures_lose_all_but_their_pixels(tmp_path):
    path = tmp_path / "a.png"
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("note", "<script>alert(1)</script>")
    picture = PIL.Image.new("RGBA", (3000, 10), (255, 0, 0, 0))
    picture.save(path, pnginfo=info)
    path.write_bytes(path.read_bytes() + b"<script>alert(2)</script>")
    data, mime = encode_again(path)
    assert mime == "image/png" and b"script" not in data
    shown = PIL.Image.open(io.BytesIO(data))
    assert shown.size == (1600, 5) and shown.getpixel((0, 0)) == (255, 255, 255)  # clear is white
    assert not shown.info


def test_photographs_stand_upright(tmp_path):
    picture = PIL.Image.new("RGB", (40, 20), "blue")
    exif = picture.getexif()
    exif[0x0112] = 6  # turned by a quarter
    picture.save(tmp_path / "a.jpg", exif=exif)
    data, mime = encode_again(tmp_path / "a.jpg")
    assert mime == "image/jpeg"
    assert PIL.Image.open(io.BytesIO(data)).size == (20, 40)


def test_a_damaged_picture_is_an_error(tmp_path):
    path = tmp_path / "a.png"
    picture = PIL.Image.effect_noise((64, 64), 50)
    picture.save(path)
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(FileError, match=r"a\.png: the picture is damaged; put back a whole one"):
        encode_again(path)


def test_a_folder_is_made_of_examples(tmp_path):
    image = Image.from_pil(PIL.Image.new("RGB", (8, 8)))
    spans = (TypedSpan(0, 5, "counting"), TypedSpan(6, 6, "small"), TypedSpan(11, 14, "agreement", 0.0))
    folder = tmp_path / "made"
    punctuation = (TypedSpan(5, 6, "corrected"), TypedSpan(15, 16, "corrected"))
    examples = [
        Example("a", "a", "", "Three dogs run.", spans, "made", image=image),
        Example("b", "b", "", "Three, two dogs.", punctuation, "made", image=image),
    ]
    assert write_items(examples, folder) == 2
    item, other = read_items(folder)
    # What holds no word becomes the word after it, or the last one; a span without weight is no error.
    assert [(known.start, known.end) for known in item.known] == [(0, 5), (6, 10)]
    assert [(known.start, known.end) for known in other.known] == [(7, 10), (11, 15)]
    assert item.flags == ()
    with pytest.raises(FileError, match="is there already; choose another folder"):
        write_items([], folder)
    with pytest.raises(FileError, match="example 'a' has no picture"):
        write_items([Example("a", "a", "", "Three.", (), "made")], tmp_path / "other")
