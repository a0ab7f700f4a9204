"""Templates to HTML. All text is escaped unless a template of ours made it; scripts and styles are named by
hash.

Everything a report shows may come from outside: replies, questions, captions, names of tasks and files. So
jinja2 escapes every value, no attribute holds code or style, data in a script element cannot end it, and a
content security policy lets only our own script and style run and nothing be fetched.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup, escape

LIGHT = {
    "paper": "#ffffff",
    "raised": "#ffffff",
    "ink": "#000000",
    "soft": "#444444",
    "faint": "#777777",
    "rule": "#cccccc",
    "grid": "#e2e2e2",
    "hover": "#f4f4f4",
    "text": "#2a5fa8",
    "text-wash": "#2a5fa833",
    "image": "#b8540c",
    "image-wash": "#b8540c33",
    "audio": "#1f7a5c",
    "audio-wash": "#1f7a5c33",
    "video": "#8a3f8f",
    "video-wash": "#8a3f8f33",
    "right": "#1d7245",
    "wrong": "#b3261e",
    "warn": "#8a5a00",
}
"""Colours on paper."""

DARK = {
    "paper": "#14161a",
    "raised": "#1b1e24",
    "ink": "#e8e9eb",
    "soft": "#a2a9b4",
    "faint": "#6f7682",
    "rule": "#2c3038",
    "grid": "#24282f",
    "hover": "#1d2026",
    "text": "#82b1f0",
    "text-wash": "#82b1f040",
    "image": "#f0a05c",
    "image-wash": "#f0a05c40",
    "audio": "#62c9a2",
    "audio-wash": "#62c9a240",
    "video": "#d494d9",
    "video-wash": "#d494d940",
    "right": "#6fcf97",
    "wrong": "#ff8a80",
    "warn": "#e6b450",
    "focus": "#82b1f0",
}


def _variables(colors: dict[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in colors.items())


@cache
def environment() -> jinja2.Environment:
    """The jinja2 environment of the reports."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("modgap.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        across=across,
        count=count,
        kappa=kappa,
        p_value=p_value,
        percent=percent,
        points=points,
        script_json=script_json,
        sentence=sentence,
    )
    return made


def render(template: str, *, pictures: str, forms: str = "'none'", **values: Any) -> str:
    """Render a page.

    Args:
        template: file name in ``templates``.
        pictures: where pictures, sound and film may come from, as a source list of the security policy.
        forms: where forms may lead, likewise.
        values: for the template.

    Returns:
        The page.
    """
    style = _source("style.css")
    for name, colors in (("dark", DARK), ("light", LIGHT)):
        style = style.replace(f"{{{{ {name} }}}}", _variables(colors))
    script = _source("report.js")
    policy = (
        f"default-src 'none'; img-src {pictures}; media-src {pictures}; style-src {_hash(style)}; "
        f"script-src {_hash(script)}; base-uri 'none'; form-action {forms}"
    )
    page = environment().get_template(template)
    return page.render(style=Markup(style), script=Markup(script), policy=policy, **values)


@cache
def script_hash() -> str:
    """The script of the pages, as a source of the security policy."""
    return _hash(_source("report.js"))


def _source(name: str) -> str:
    return (files("modgap.report") / "templates" / name).read_text("utf-8")


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def script_json(value: Any) -> Markup:
    """JSON that is safe inside a script element: it cannot close it or open a comment.

    Args:
        value: anything that JSON can hold.

    Returns:
        The same JSON, with ``<``, ``>``, ``&`` and the line separators written as escapes.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def percent(fraction: float | None, digits: int = 1) -> str:
    """A fraction as ``96.3 %`` with a no-break space; a dash where there is none."""
    return "–" if fraction is None else f"{100 * fraction:.{digits}f}\u00a0%"


def points(value: float, *, plus: bool = False) -> str:
    """Points with one decimal, a true minus sign, and never −0.0."""
    text = f"{value:+.1f}" if plus else f"{value:.1f}"
    return "0.0" if float(text) == 0 else text.replace("-", "−")


def p_value(value: float) -> str:
    """A p-value as it is read: three decimals, or ``< 0.001``."""
    return "<\u00a00.001" if value < 0.001 else f"{value:.3f}"


def count(value: float) -> str:
    """A number of problems: whole where it is, else with one decimal."""
    return f"{value:,.0f}" if abs(value - round(value)) < 1e-9 else f"{value:,.1f}"


def across(fraction: float) -> str:
    """A place on a horizontal axis of 0 to 1, for an SVG attribute."""
    return f"{100 * min(1.0, max(0.0, fraction)):.2f}%"


def kappa(value: float) -> str:
    """Two decimals with a true minus sign."""
    return f"{value:.2f}".replace("-", "−")


def sentence(text: str) -> Markup:
    """A verdict with its brackets set back, and no line break before a unit or around an equals sign."""
    joined = text.replace(" %", "\u00a0%").replace(" = ", "\u00a0=\u00a0")
    pieces = re.split(r"(\([^()]*\))", joined)
    aside = Markup('<span class="aside">{}</span>')
    # Splitting at a captured pattern puts what matched at the odd places.
    return Markup("").join(aside.format(p) if i % 2 else escape(p) for i, p in enumerate(pieces))
