"""Plain text as Markdown, read by a CommonMark parser: it stays the same text, and nothing else comes of it."""

import re
from itertools import groupby

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from idr_assets.orchestration.assets.metadata import CUT, address, markdown, table

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
PIECES = ["![](/graphql?query=mutation)", "[a](b)", "<img src=x>", "&amp;", "`", "*", "_", "\\", "\n", "\n\n", "    ",
          "\t", "1. ", "- ", "# ", "> ", "---", "===", "|", "~~~", "~~", "<https://x>", "[a]: /b", "a",
          "https://", "WWW.", "www", "evil.example", "//", ":", "@", "."]  # fmt: skip
TEXTS = st.text() | st.lists(st.sampled_from(PIECES)).map("".join)

PLAIN = {"paragraph_open", "paragraph_close", "inline", "text", "text_special", "hardbreak"}

LINKS = re.compile(r"https?://[-.\w]|www\.[-.\w]|[-.\w+]@[-\w]", re.IGNORECASE)
"""What remark-gfm, by which the UI renders Markdown, makes a link where it is in one node of text."""


def tokens(text: str) -> list[Token]:
    found = PARSER.parse(text)
    return [*found, *(child for token in found for child in token.children or [])]


def lines(text: str) -> list[str]:
    """Give the lines of a text without the blanks around them, which Markdown does not show."""
    return [line.strip().replace("\0", "\ufffd") for line in text.strip().splitlines()]


@given(TEXTS)
@example("![](/graphql?query=mutation{wipeAssets})")
@example("    <script>alert(1)</script>")
def test_text_stays_text(text: str) -> None:
    found = [token for token in tokens(markdown(text)) if (token.type, token.content) != ("html_inline", CUT)]
    assert {token.type for token in found} <= PLAIN
    shown = "".join("\n" if token.type == "hardbreak" else token.content for token in found if not token.children)
    assert shown.split("\n") == (lines(text) or [""])


@given(TEXTS)
@example("https://evil.example, WWW.evil.example and someone@evil.example")
def test_no_node_of_text_holds_an_address(text: str) -> None:
    nodes = groupby(tokens(markdown(text)), key=lambda token: token.type in {"text", "text_special"})
    assert not any(LINKS.search("".join(token.content for token in node)) for is_text, node in nodes if is_text)


@given(st.lists(TEXTS, min_size=2, max_size=2))
def test_cells_of_a_table_stay_cells(cells: list[str]) -> None:
    found = tokens(table(["a", "b"], [cells]).value or "")
    assert [token.type for token in found].count("td_open") == 2
    assert {token.content for token in found if token.type == "html_inline"} <= {CUT}
    assert not {token.type for token in found} & {"image", "link_open", "html_block", "code_inline"}


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://127.0.0.1/a", "UrlMetadataValue"),
        ("http://127.0.0.1/a", "UrlMetadataValue"),
        ("s3://bucket/a", "PathMetadataValue"),
        ("/graphql?query=mutation", "PathMetadataValue"),
        ("javascript:alert(1)", "PathMetadataValue"),
    ],
)
def test_only_pages_are_links(url: str, kind: str) -> None:
    assert type(address(url)).__name__ == kind
