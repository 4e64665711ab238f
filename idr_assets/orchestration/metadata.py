"""Metadata values that several assets show in the Dagster UI."""

from base64 import b64encode

import dagster as dg


def picture(encoded: bytes, kind: str = "png") -> dg.MarkdownMetadataValue:
    """Show an encoded picture inline."""
    return dg.MetadataValue.md(f"![](data:image/{kind};base64,{b64encode(encoded).decode()})")
