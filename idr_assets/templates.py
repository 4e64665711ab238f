"""Templates in YAML: the environment is all that they may ask for."""

import re

import dagster as dg

QUOTED = r"""(?:'[^'\\\n]*'|"[^"\\\n]*")"""
ALLOWED = re.compile(
    r"\{\{\s*env(?:\.[A-Za-z]\w*|\(\s*" + QUOTED + r"\s*(?:,\s*" + QUOTED + r"\s*)?\))\s*\}\}", re.ASCII
)
"""`{{ env.NAME }}` and `{{ env('NAME', 'default') }}`; what stands in quotes is text for Jinja as well."""


def check_template(text: str, context: dg.ResolutionContext) -> None:
    """Raise `ValueError` for any other template: Dagster fills in templates by Jinja, whose expressions run code."""
    if re.search(r"\{[{%#]", ALLOWED.sub("", text)):
        message = (
            f"{text} in {'.'.join(map(str, context.path))} is a template that could run code, and is not filled in; "
            "for a variable of the environment write {{ env.NAME }} or {{ env('NAME', 'default') }}"
        )
        raise ValueError(message)
