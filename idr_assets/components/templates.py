"""Templates in YAML: the environment is all that they may ask for."""

import re
from collections.abc import Iterator
from itertools import chain

import dagster as dg

QUOTED = r"""(?:'[^'\\\n]*'|"[^"\\\n]*")"""
ALLOWED = re.compile(
    r"\{\{\s*env(?:\.[A-Za-z]\w*|\(\s*" + QUOTED + r"\s*(?:,\s*" + QUOTED + r"\s*)?\))\s*\}\}", re.ASCII
)
"""`{{ env.NAME }}` and `{{ env('NAME', 'default') }}`; what stands in quotes is text for Jinja as well."""

RUNNING = re.compile(r"\{[{%#]")
"""How whatever Jinja does not take for text begins."""


def check_template(text: str, context: dg.ResolutionContext) -> None:
    """Raise `ValueError` for any other template: Dagster fills in templates by Jinja, whose expressions run code."""
    _check(text, ".".join(map(str, context.path)))


def check_post_processing(context: dg.ComponentLoadContext) -> None:
    """Check `post_processing`, which Dagster takes beside `attributes` and fills in once the component is loaded."""
    file = getattr(context.component_decl, "component_file_model", None)
    for text in _texts(file and file.post_processing):
        _check(text, "post_processing")


def _check(text: str, place: str) -> None:
    if RUNNING.search(ALLOWED.sub("", text)):
        message = (
            f"{text} in {place} is a template that could run code, and is not filled in; "
            "for a variable of the environment write {{ env.NAME }} or {{ env('NAME', 'default') }}"
        )
        raise ValueError(message)


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            yield from chain.from_iterable(map(_texts, chain.from_iterable(value.items())))
        case list():
            yield from chain.from_iterable(map(_texts, value))
