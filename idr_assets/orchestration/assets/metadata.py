"""Metadata values that several assets show in the Dagster UI."""

import re
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import dagster as dg

from idr_assets.imaging.output.provenance import read_provenance
from idr_assets.orchestration.image import Image

MOST_NAMED = 20
"""Planes that are named at most; the others are counted."""


PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
"""What Markdown may take for markup, all of ASCII's; CommonMark takes any of it literally behind a backslash."""


def markdown(text: str) -> str:
    """Write plain text so that Markdown shows it as it is, without links, pictures or HTML; its lines stay lines.

    The UI shows descriptions of assets, of their checks and of what these found as Markdown; other texts, such as those
    of metadata, failures, logs and skipped ticks, as they are.
    """
    lines = (line.strip() for line in text.strip().splitlines())  # indented, a line would be code
    return "\\\n".join(PUNCTUATION.sub(r"\\\g<0>", line) for line in lines)


def address(url: str) -> dg.MetadataValue[Any]:
    """Show an address: as a link where a browser opens it as a page, else to be copied."""
    is_page = url.startswith(("http://", "https://"))
    return dg.MetadataValue.url(url) if is_page else dg.MetadataValue.path(url)


def picture(encoded: bytes, kind: str = "png") -> dg.MarkdownMetadataValue:
    """Show an encoded picture inline."""
    return dg.MetadataValue.md(f"![](data:image/{kind};base64,{b64encode(encoded).decode()})")


def listed(names: Sequence[str]) -> str:
    """Write names one a line, the first of many, and how many more there are."""
    more = [f"and {len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    return "\n".join([*names[:MOST_NAMED], *more])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> dg.MarkdownMetadataValue:
    """Show a table of plain texts, in Markdown."""
    cells = [[markdown(" ".join(cell.split())) for cell in line] for line in (head, *rows)]
    lines = [cells[0], ["---"] * len(head), *cells[1:]]
    return dg.MetadataValue.md("\n".join(f"| {' | '.join(line)} |" for line in lines))


def provenance(image: Image) -> dict[str, str]:
    """Report how the stored planes came to be, which the YAML may no longer say: each source and recipe there was."""
    records = read_provenance(image.labels_url, image.label_group)
    sources = {f"{record.url}, level {record.level}" for record in records}
    recipes = {f"{record.function} {record.parameters}" for record in records}
    told = {"image": sorted(sources), "segmentation": sorted(recipes)}
    return {f"{name}s so far" if len(found) > 1 else name: "; ".join(found) for name, found in told.items() if found}
