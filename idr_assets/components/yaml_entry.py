"""The place where a project describes an image or a list: remove it, or change the name in it."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from idr_assets.components.image_table import ImageTable, read_table
from idr_assets.imaging.errors import ImageError


@dataclass(frozen=True)
class Entry:
    """The folder of a YAML below `defs`; `row` says that it is that of a list, which has the image among others."""

    name: str
    defs: Path
    folder: Path
    row: bool

    @property
    def place(self) -> str:
        """What is removed, for a person."""
        return f"the entry of {self.name} in {self._file}" if self.row else f"{self.folder} and all that is in it"

    def remove(self) -> None:
        """Remove the folder, or the entry."""
        if not self.row:
            shutil.rmtree(self.folder)
        elif table := self._table:
            table.rows = [row for row in table.rows if row.name != self.name]
            table.write()
        else:
            lines = self._yaml.read_text().splitlines(keepends=True)
            items = self._items
            at = next(at for at, (name, _) in enumerate(items) if name.value == self.name)
            first, after = items[at][1].start_mark.line, [item.start_mark.line for _, item in items[at + 1 :]]
            last = items[at][1].end_mark.line + bool(items[at][1].flow_style)
            del lines[first : (after or [last])[0]]
            self._yaml.write_text("".join(lines))

    def rename(self, new: str) -> None:
        """Give the image or list another name."""
        if not self.row:
            self.folder.rename(self.folder.with_name(new))
        elif table := self._table:
            table.rows = [
                replace(row, cells={**row.cells, "name": new}) if row.name == self.name else row for row in table.rows
            ]
            table.write()
        else:
            text = self._yaml.read_text()
            mark = next(name for name, _ in self._items if name.value == self.name)
            self._yaml.write_text(text[: mark.start_mark.index] + new + text[mark.end_mark.index :])

    def check_others(self) -> None:
        """Raise `ImageError` if a list would be left without any image."""
        if self.row and len(self._table.rows if self._table else self._items) == 1:
            message = (
                f"{self.name} is the only image of {self.folder.name}, and a list without images does not load, so "
                f"nothing was done. Delete the list: idr-assets delete {self.folder.name}"
            )
            raise ImageError(message)

    def check_rights(self) -> None:
        """Raise `ImageError` if this process may not change the place."""
        places = [self.folder, self._file] if self.row else [self.folder.parent, self.folder]
        if refused := [place for place in places if not os.access(place, os.W_OK)]:
            message = f"{refused[0]} may not be changed, so nothing was done. Correct its rights."
            raise ImageError(message)

    @property
    def _yaml(self) -> Path:
        return next(path for path in (self.folder / "defs.yaml", self.folder / "defs.yml") if path.exists())

    @property
    def _file(self) -> Path:
        return self._table.path if self._table else self._yaml

    @property
    def _table(self) -> ImageTable | None:
        images = yaml.safe_load(self._yaml.read_text())["attributes"]["images"]
        return read_table(self.folder / images) if isinstance(images, str) else None

    @property
    def _items(self) -> list[tuple[Any, Any]]:
        """The names and the entries of the images that stand in the YAML itself, as nodes with their places."""
        images = _value(_value(yaml.compose(self._yaml.read_text()), "attributes"), "images")
        return [(_value(item, "name"), item) for item in images.value]


def find_entry(defs: Path, name: str, list_name: str | None) -> Entry:
    """Find where an image is described; `list_name` is that of its list, or None."""
    wanted = list_name or name
    folder = next(path.parent for path in find_yaml(defs) if path.parent.name == wanted)
    return Entry(name, defs, folder, row=wanted != name)


def find_yaml(defs: Path) -> Iterator[Path]:
    """Find all YAML files of components."""
    return (path for path in sorted(defs.rglob("*")) if path.name in {"defs.yaml", "defs.yml"})


def _value(node: Any, key: str) -> Any:  # noqa: ANN401  nodes of PyYAML
    return next(value for name, value in node.value if name.value == key)
