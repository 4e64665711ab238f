"""The CSV or TSV file of a list of images: read it, and write it again with more cells."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from idr_assets.components.image_rows import Row


@dataclass
class ImageTable:
    """A file with a row for each image."""

    path: Path
    separator: str
    head: list[str]
    rows: list[Row]

    def write(self) -> None:
        """Write the file, as a whole or not at all."""
        text = io.StringIO()
        writer = csv.DictWriter(text, self.head, restval="", delimiter=self.separator, lineterminator="\n")
        writer.writeheader()
        writer.writerows(row.cells for row in self.rows)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_name(f"{self.path.name}.new")
        new.write_text(text.getvalue(), "utf-8")
        new.replace(self.path)


def read_table(path: Path) -> ImageTable:
    """Read a CSV or TSV file; raise `ValueError` if it cannot be read, or its first line names no columns."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read ({error}), so the list has no images. Write a CSV or TSV file in UTF-8."
        raise ValueError(message) from error
    first = text.partition("\n")[0]
    separator = max("\t;,", key=first.count)
    lines = csv.reader(text.splitlines(keepends=True), delimiter=separator)
    head = [name.strip() for name in next(lines, [])]
    if "name" not in head or "" in head or len(set(head)) < len(head):
        message = f"{path}:1 names the columns {head}. Write `name`, `url` and others, each once."
        raise ValueError(message)
    line, rows = lines.line_num, []
    for cells in lines:
        place, line = f"{path}:{line + 1}", lines.line_num
        if any(cell.strip() for cell in cells):
            given = {name: cell.strip() for name, cell in zip(head, cells, strict=False) if cell.strip()}
            rows.append(Row(place, given, excess=max(0, len(cells) - len(head))))
    return ImageTable(path, separator, head, rows)
