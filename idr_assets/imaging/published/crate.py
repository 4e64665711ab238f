"""The RO-Crate of a published image: what it was made from, by which runs and recipes, as other tools read it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from platform import python_version
from typing import Any

from rocrate.model import ContextEntity, Dataset, Entity, File
from rocrate.rocrate import ROCrate

from idr_assets.imaging.output.files import read_ends, write_file
from idr_assets.imaging.output.nodes import read_attributes
from idr_assets.imaging.published.attributes import FORMAT
from idr_assets.imaging.published.tables import name_tables

CRATE, RECIPES = "ro-crate-metadata.json", "recipes.json"

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}

WORKFLOW = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"

UNKNOWN = {
    "name": "not stated",
    "description": "The licence of the source image is not stated here; ask its owner before you reuse this image.",
}


@dataclass(frozen=True)
class About:
    """The name of an image; its licence, an address or SPDX identifier; and what to cite: a DOI, an address or text."""

    name: str
    license: str | None = None
    citation: str | None = None


def write_crate(url: str, about: About, labels: Sequence[str], levels: Sequence[str]) -> None:
    """Describe the published image at `url` by what its attributes say, and write its recipes beside that."""
    (document,) = read_ends(url, [FORMAT.group], 0)
    own = read_attributes(document or b"")["idr_assets"]
    recipes = {"image": about.name, "recipes": own["recipes"]}
    content = describe_crate(about, labels, levels, own)
    bodies = {RECIPES: recipes, CRATE: content}
    for (name, body), stored in zip(bodies.items(), read_ends(url, [*bodies], 0), strict=True):
        if (encoded := json.dumps(body, indent=2, ensure_ascii=False).encode()) != stored:
            write_file(f"{url}/{name}", encoded)


def describe_crate(
    about: About, labels: Sequence[str], levels: Sequence[str], own: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the document of the crate.

    `levels` are the paths of arrays of pixels, and `own` the attributes of the published image below `idr_assets`.
    """
    crate = ROCrate(version="1.2")
    root = crate.root_dataset
    rights = _rights(crate, about)
    sources = [
        _add_source(crate, f"#source-{number}", about.name, *it, rights)
        for number, it in enumerate(sorted(_sources(own["recipes"])), start=1)
    ]
    parts = [
        crate.add(Dataset(crate, dest_path=f"{path}/", properties=it)) for path, it in _parts(labels, levels).items()
    ]
    workflow = _add_workflow(crate, own["recipes"])
    actions = [_add_run(crate, run, own["timepoints"]) for run in _runs(own["timepoints"])]
    for action in actions:
        action["instrument"], action["result"] = workflow, parts
        action["object"] = _one_or_all(sources)
    ends = [each["ended"] for each in own["timepoints"].values() if "ended" in each]
    kinds = "CreativeWork", "Profile"
    properties = {
        "name": f"{about.name}, published",
        "description": f"Pixels and labels of planes of {about.name}: sharded OME-Zarr with smaller levels and tables.",
        "datePublished": max(ends, default="1970-01-01"),
        **({"license": _add(crate, "#license", "CreativeWork", **UNKNOWN)} if "license" not in rights else {}),
        **rights,
        "conformsTo": [_add(crate, at, *kinds, name=name, version=at[-3:]) for at, name in PROFILES.items()],
        "isBasedOn": _one_or_all(sources),
        "mainEntity": workflow,
        "mentions": _one_or_all(actions),
    }
    for name, value in properties.items():
        root[name] = value
    content: dict[str, Any] = crate.metadata.generate()
    return content


def _add(crate: ROCrate, at: str, *kinds: str, **properties: Any) -> Entity:  # noqa: ANN401  JSON, and entities
    return crate.add(ContextEntity(crate, at, {"@type": _one_or_all(kinds), **properties}))


def _one_or_all(values: Sequence[Any]) -> Any:  # noqa: ANN401  RO-Crate wants no list of one
    return values[0] if len(values) == 1 else [*values]


def _sources(recipes: Mapping[str, Any]) -> set[tuple[str, str]]:
    each = [recipe["source"] for recipe in recipes.values()]
    return {(source["url"], source["level"]) for source in each}


def _rights(crate: ROCrate, about: About) -> dict[str, Any]:
    """Return what is known of licence and citation, of the source as of the published image."""
    found = {"license": _add_license(crate, about.license)} if about.license else {}
    return found | ({"citation": _add_citation(crate, about.citation)} if about.citation else {})


def _add_source(  # noqa: PLR0913, PLR0917
    crate: ROCrate, at: str, image: str, url: str, level: str, rights: Mapping[str, Any]
) -> Entity:
    """Add a source by its address; one on this machine has a name alone."""
    place = {"url": url} if "://" in url else {}
    return _add(crate, at, "Dataset", name=f"{image}, level {level} of {url}", **place, **rights)


def _add_license(crate: ROCrate, given: str) -> Entity:
    at = given if "://" in given else f"https://spdx.org/licenses/{given}"
    return _add(crate, at, "CreativeWork", name=given, description="Licence of the source image and of this copy")


def _add_citation(crate: ROCrate, given: str) -> Entity | str:
    at = f"https://doi.org/{given}" if re.match(r"10\.\d+/", given) else given
    return _add(crate, at, "ScholarlyArticle", name=given) if "://" in at else given


def _parts(labels: Sequence[str], levels: Sequence[str]) -> dict[str, dict[str, str]]:
    parts = {level: {"name": f"pixels, level {level}", "description": "Intensities"} for level in levels}
    parts |= {f"labels/{name}": {"name": f"labels {name}", "description": "Objects, int32"} for name in labels}
    for name, (objects, counts) in name_tables(labels).items():
        parts[f"tables/{objects}"] = {"name": objects, "description": f"Objects of the labels {name}, in Parquet"}
        parts[f"tables/{counts}"] = {"name": counts, "description": "Number of objects of each plane, in Parquet"}
    return parts


def _add_workflow(crate: ROCrate, recipes: Mapping[str, Any]) -> Entity:
    packages = {f"{name} {at}" for recipe in recipes.values() for name, at in recipe["versions"].items()}
    packages |= {f"{name} {version(name)}" for name in ("idr_assets", "zarr")}
    python = {"name": "Python", "url": "https://www.python.org/", "version": python_version()}
    language = _add(crate, "#python", "ComputerLanguage", **python)
    kinds = ["File", "SoftwareSourceCode", "ComputationalWorkflow"]
    about = {"name": "segment planes", "description": "Functions, their versions and parameters", "@type": kinds}
    workflow = File(crate, dest_path=RECIPES, properties=about)
    workflow["encodingFormat"], workflow["programmingLanguage"] = "application/json", language
    workflow["softwareRequirements"], workflow["version"] = sorted(packages), version("idr_assets")
    workflow["conformsTo"] = _add(crate, WORKFLOW, "CreativeWork", "Profile", name="Bioschemas ComputationalWorkflow")
    return crate.add(workflow)


def _runs(timepoints: Mapping[str, Any]) -> list[str]:
    return sorted({each["run"] for each in timepoints.values() if "run" in each})


def _add_run(crate: ROCrate, run: str, timepoints: Mapping[str, Any]) -> Entity:
    own = {t: each for t, each in timepoints.items() if each.get("run") == run}
    return _add(
        crate,
        f"#run-{run}",
        "CreateAction",
        name=f"Dagster's run {run}",
        description=f"Published the timepoints {', '.join(own)}",
        startTime=min(each["started"] for each in own.values()),
        endTime=max(each["ended"] for each in own.values()),
        actionStatus="http://schema.org/CompletedActionStatus",
    )
