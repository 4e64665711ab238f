"""What MkDocs adds to the pages of this folder: tables from the code, and the pages that lie at the top of the project.

A comment such as `<!-- fields: SegmentedImage -->` in a page is replaced by a table; see `TABLES`. README, SECURITY,
CONTRIBUTING and CHANGELOG become pages of the site; a link to one of them works on the site and in the repository.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from posixpath import dirname, relpath
from typing import Any

from click.testing import CliRunner
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from idr_assets import DaskCluster, SegmentedImage, SegmentedPlate
from idr_assets.command_line import COMMANDS, main

ROOT = Path(__file__).parent.parent
PAGES = {
    "README.md": "index.md",
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Files at the top of the project, and the pages that they become."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie at the top of the project."""
    for name, page in PAGES.items():
        text = (ROOT / name).read_text()
        files.append(File.generated(config, page, content=re.sub(r"\]\(docs/", "](", text)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Fill in the tables, and lead links to the top of the project to the pages there."""
    folder = dirname(page.file.src_uri)

    def link(match: re.Match[str]) -> str:
        return f"]({relpath(PAGES[match[1]], folder or '.')}"

    linked = re.sub(rf"\]\((?:\.\./)*({'|'.join(map(re.escape, PAGES))})", link, markdown)
    filled = re.sub(r"<!-- (\w+): (\w+) -->", lambda match: TABLES[match[1]](match[2]), linked)
    # In code within a table GitHub wants `\|`, of which MkDocs would show the backslash.
    return re.sub(r"(?<!`)`[^`\n]+`(?!`)", lambda code: code[0].replace(r"\|", "|"), filled)


def fields(component: str) -> str:
    """Write tables of all fields that the YAML of a component takes: of its own, then of each nested model."""
    models = {"SegmentedImage": SegmentedImage.model, "SegmentedPlate": SegmentedPlate.model}
    model = (models | {"DaskCluster": DaskCluster.get_model_cls})[component]()
    schema = model.model_json_schema()
    known = schema.get("$defs", {})
    parts = [_table(schema, known)]
    parts += [f"### {_title(name)}\n\n{_table(each, known)}" for name, each in known.items() if "properties" in each]
    return "\n\n".join(parts)


def _title(model: str) -> str:
    return model.removesuffix("Fields")


def _table(schema: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    rows = []
    for name, field in schema["properties"].items():
        default = "**required**" if name in schema.get("required", ()) else _default(field.get("default"))
        named = known.get(field.get("$ref", "").rpartition("/")[2], {})
        meaning = field.get("description") or named.get("description", "")
        rows.append(f"| `{name}` | {in_words(field, known)} | {default} | {meaning.replace('|', '/')} |")
    return "\n".join(["| field | type | default | meaning |", "|---|---|---|---|", *rows])


def _default(default: object) -> str:
    return "" if default is None or default == {} else f"`{json.dumps(default)}`".replace('"', "")


def in_words(field: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    """Say in words which values a JSON schema takes; `known` are the models that it may name."""
    words = str(field.get("type", "any"))
    match field:
        case {"$ref": str(reference)}:
            words = _link(reference.rpartition("/")[2], known)
        case {"anyOf": options}:
            words = " or ".join(in_words(option, known) for option in options if option != {"type": "null"})
        case {"type": "array", "items": items}:
            count = f" of {field['maxItems']}" if "maxItems" in field else ""
            words = f"list{count}: {in_words(items, known)}"
        case {"patternProperties": patterns}:
            words = f"names, each with: {in_words(next(iter(patterns.values())), known)}"
        case {"enum": _} | {"const": _}:
            words = " or ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
        case {"type": [*kinds]}:
            words = " or ".join(map(str, kinds))
    return words.replace("object", "mapping") + _bound(field)


def _link(model: str, known: Mapping[str, Any]) -> str:
    if "properties" not in known[model]:
        return in_words(known[model], known)
    return f"[{_title(model)}](#{_title(model).lower()})"


def _bound(field: Mapping[str, Any]) -> str:
    if "exclusiveMinimum" in field:
        return f" above {field['exclusiveMinimum']}"
    return f", {field['minimum']} or more" if "minimum" in field else ""


def commands(_group: str) -> str:
    """Write what `idr-assets` and each of its commands say of themselves by `--help`."""
    texts = [(name, CliRunner().invoke(main, [*name, "--help"], prog_name="idr-assets").output) for name in _names()]
    return "\n\n".join(f"### {' '.join(['idr-assets', *name])}\n\n```text\n{text}```" for name, text in texts)


def _names() -> list[list[str]]:
    return [[], *([name] for name in COMMANDS)]


def targets(_makefile: str) -> str:
    """Write the targets of the Makefile with their explanations."""
    found = re.findall(r"^([a-z-]+):.*## (.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    rows = [f"| `make {name}` | {what} |" for name, what in found]
    return "\n".join(["| command | what it does |", "|---|---|", *rows])


TABLES = {"fields": fields, "commands": commands, "targets": targets}
"""What replaces a comment, by its first word; the second word is handed on."""
