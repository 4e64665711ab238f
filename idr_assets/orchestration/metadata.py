"""Metadata values that several assets show in the Dagster UI."""

from base64 import b64encode
from collections.abc import Sequence

import dagster as dg

MOST_NAMED = 20
"""Planes that are named at most; the others are counted."""


def picture(encoded: bytes, kind: str = "png") -> dg.MarkdownMetadataValue:
    """Show an encoded picture inline."""
    return dg.MetadataValue.md(f"![](data:image/{kind};base64,{b64encode(encoded).decode()})")


def listed(names: Sequence[str]) -> str:
    """Write names one a line, the first of many, and how many more there are."""
    more = [f"and {len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    return "\n".join([*names[:MOST_NAMED], *more])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> dg.MarkdownMetadataValue:
    """Show a table, in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return dg.MetadataValue.md("\n".join(f"| {' | '.join(line)} |" for line in lines))
