"""Metadata values that several assets show in the Dagster UI."""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

import dagster as dg

from idr_assets.imaging.channels import Channel
from idr_assets.imaging.errors import mask_all
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.plate import Plate

MOST_NAMED = 20
"""Most planes that are named; the others are counted."""


PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
"""All punctuation of ASCII, which may be markup; in CommonMark, a backslash before it makes it literal."""

INSIDE_ADDRESS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)", re.IGNORECASE)
"""Where an address is cut, which GitHub's Markdown makes a link, backslashes or not, if it is in one piece of text."""

CUT = "<!---->"
"""An empty comment parts a text in two, and no renderer shows it."""


def markdown(text: str) -> str:
    """Escape plain text so that Markdown shows it literally, without links, pictures or HTML; line breaks are kept.

    The UI renders the descriptions of assets, checks and check results as Markdown. Other texts, such as metadata,
    failures, logs and skipped ticks, are shown literally.
    """
    lines = (line.strip() for line in text.strip().splitlines())  # indented, a line would be code
    return "\\\n".join(CUT.join(map(_escape, INSIDE_ADDRESS.split(line))) for line in lines)


def _escape(text: str) -> str:
    return PUNCTUATION.sub(r"\\\g<0>", text)


def address(url: str) -> dg.MetadataValue[Any]:
    """Show an address: as a link if a browser can open it, else as text to copy."""
    is_page = url.startswith(("http://", "https://"))
    return dg.MetadataValue.url(url) if is_page else dg.MetadataValue.path(url)


def gallery(page: str) -> dict[str, dg.MetadataValue[Any]]:
    """Link to a page of the gallery, without a port: right in every UI that `idr-assets` serves."""
    return {"gallery": dg.MetadataValue.url(f"/gallery/{page}")}


def picture(encoded: bytes, kind: str = "png") -> dg.MarkdownMetadataValue:
    """Show an encoded picture inline."""
    return dg.MetadataValue.md(f"![](data:image/{kind};base64,{b64encode(encoded).decode()})")


def list_names(names: Sequence[str]) -> str:
    """Write one name per line; of many, the first ones and how many more there are."""
    more = [f"and {len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    return "\n".join([*names[:MOST_NAMED], *more])


def describe_channels(image: Image, known: Sequence[Channel]) -> dict[int, Channel]:
    """Return channels that have a name or a colour, by index: as the YAML names them, else as the image does."""
    names = [channel.name for channel in known]
    names[: len(image.channel_names)] = image.channel_names
    each = enumerate(zip_longest(names, [channel.colour for channel in known]))
    return {c: Channel(*found) for c, found in each if c < image.shape[1] and any(found)}


def name_channels(image: Image, known: Sequence[Channel]) -> dict[str, str]:
    """Name the channels that are segmented, as metadata; nothing where they have no names."""
    described = describe_channels(image, known)
    names = {c: described[c].name for c in image.channels if c in described}
    listed = [f"c {c}: {name}" for c, name in names.items() if name]
    return {"channel names" if len(image.channels) > 1 else "channel name": ", ".join(listed)} if listed else {}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> dg.MarkdownMetadataValue:
    """Show plain texts as a table, in Markdown."""
    cells = [[markdown(" ".join(cell.split())) for cell in line] for line in (head, *rows)]
    lines = [cells[0], ["---"] * len(head), *cells[1:]]
    return dg.MetadataValue.md("\n".join(f"| {' | '.join(line)} |" for line in lines))


def describe_step(step: int) -> dict[str, str]:
    """Say of a figure of large planes which pixels it shows."""
    return {"pixels shown": f"1 of {step} along each side"} if step > 1 else {}


def shorten(value: object) -> str:
    """Write a value for a cell of a table: numbers in five digits, nothing for None."""
    return "" if value is None else f"{value:.5g}" if isinstance(value, float) else str(value)


def describe_inputs(inputs: Mapping[str, int]) -> str:
    """Say which channels a function gets as which of its arguments."""
    return f" of {', '.join(f'{name} = c {c}' for name, c in inputs.items())}" if inputs else ""


def provenance(image: Image) -> dict[str, str]:
    """Return every source and recipe of stored planes, which may differ from those in the YAML; of a plate, that."""
    if isinstance(image, Plate):
        return {"segmentation of the YAML": f"{image.recipe.path} {mask_all(dict(image.recipe.parameters))}"}
    from idr_assets.imaging.output.plane_records import read_present_provenance  # noqa: PLC0415  zarr, for a run only
    from idr_assets.imaging.output.provenance import read_provenance  # noqa: PLC0415  as above

    records = read_provenance(image.labels_url, image.label_group)
    if len(records) > 1:
        records = read_present_provenance(image.open_output())
    sources = {f"{record.url}, level {record.level}" for record in records}
    recipes = {f"{record.function} {record.parameters}{describe_inputs(record.inputs)}" for record in records}
    of_planes = {"image": sorted(sources), "segmentation": sorted(recipes)}
    return {
        f"{name}s so far" if len(texts) > 1 else name: "; ".join(texts) for name, texts in of_planes.items() if texts
    }
