"""What to do about an output that is absent or damaged: the commands that mend it."""

from idr_assets.imaging.errors import AbsentOutputError, mask

ENDS = ".ome.zarr"


def image_of(url: str) -> str:
    """Return the name of the image whose output is at `url`; IMAGE where no command has put it."""
    name = url.rstrip("/").rpartition("/")[2]
    return name.removesuffix(ENDS) if name.endswith(ENDS) else "IMAGE"


def make_again(url: str, key: str, segmentation: str | None) -> str:
    """Return how a partition is made again: `resume` alone does not, for Dagster counts damaged planes as made."""
    image, option = image_of(url), f" -s {segmentation}" if segmentation else ""
    return f"Make it again: `idr-assets wipe {image} '{key}'{option}`, then `idr-assets resume {image}`."


def explain_absent(url: str, place: str) -> AbsentOutputError:
    """Return the error for the output at `url` of which nothing was stored at `place`."""
    return AbsentOutputError(
        f"No output at {place}: nothing was segmented yet. Materialize planes first: "
        f"`idr-assets resume {image_of(url)}`."
    )


def explain_remains(url: str, name: str, command: str) -> AbsentOutputError:
    """Return the error for an output that has label group `name`, but not all arrays; `command` mends it."""
    return AbsentOutputError(
        f"The output {mask(url)} is incomplete: it lacks pixels or labels {name!r}. The run that made it was killed, "
        f"or somebody removed them. Make what is missing: `{command.format(image_of(url))}`."
    )
