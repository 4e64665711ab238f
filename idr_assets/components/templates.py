"""Templates in YAML, which may ask for environment variables only, and the places that errors name."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

import dagster as dg
from pydantic import ValidationError
from pydantic_core import InitErrorDetails

QUOTED = r"""(?:'[^'\\\n]*'|"[^"\\\n]*")"""
ALLOWED = re.compile(
    r"\{\{\s*env(?:\.[A-Za-z]\w*|\(\s*" + QUOTED + r"\s*(?:,\s*" + QUOTED + r"\s*)?\))\s*\}\}", re.ASCII
)
"""`{{ env.NAME }}` and `{{ env('NAME', 'default') }}`; what is quoted is text for Jinja too."""

RUNNING = re.compile(r"\{[{%#]")
"""How everything starts that Jinja does not treat as text."""


def fill_in(value: Any, context: dg.ResolutionContext) -> Any:  # noqa: ANN401  any value that YAML may hold
    """Fill in the templates of a value and keep all else: Dagster would turn the text "4" into a number."""
    match value:
        case dict():
            return {name: fill_in(item, context.at_path(name)) for name, item in value.items()}
        case list():
            return [fill_in(item, context.at_path(index)) for index, item in enumerate(value)]
        case str() if "{{" in value:
            check_template(value, context)
            filled = context.resolve_value(value)
            if filled is None:
                message = f"{value} in {name_place(context)} has no value; set this environment variable"
                raise ValueError(message)
            return filled
    return value


def locate(error: ValidationError, context: dg.ResolutionContext) -> ValidationError:
    """Add field, file and line to an error about filled-in values, as Dagster does for the YAML itself."""
    lines = [
        InitErrorDetails(
            type=line["type"], loc=(name_place(context, *line["loc"]),), input=line["input"], ctx=line.get("ctx", {})
        )
        for line in error.errors()
    ]
    return ValidationError.from_exception_data(error.title, lines, hide_input=True)


def name_place(context: dg.ResolutionContext, *field: str | int) -> str:
    """Name a field with file and line."""
    path, file = [*context.path, *field], context.source_position_tree
    position = f" at {file.lookup_closest_and_path(path, None)[0]}" if file else ""
    return ".".join(map(str, path)) + position


def check_template(text: str, context: dg.ResolutionContext) -> None:
    """Raise `ValueError` for any other template: Dagster uses Jinja, whose expressions can run code."""
    _check(text, ".".join(map(str, context.path)))


def check_post_processing(context: dg.ComponentLoadContext) -> None:
    """Check `post_processing`, which Dagster fills in after the component is loaded."""
    file = getattr(context.component_decl, "component_file_model", None)
    for text in _texts(file and file.post_processing):
        _check(text, "post_processing")


def _check(text: str, place: str) -> None:
    if RUNNING.search(ALLOWED.sub("", text)):
        message = (
            f"{text} in {place} is a template that could run code, and is not filled in; "
            "for an environment variable write {{ env.NAME }} or {{ env('NAME', 'default') }}"
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
