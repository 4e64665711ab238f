"""Find what a YAML names: channels, and functions that measure objects."""

from collections.abc import Sequence

from idr_assets.imaging.objects.more_measurements import Measurement
from idr_assets.imaging.segmentation.named_function import import_callable
from idr_assets.imaging.segmentation.recipe import find_version


def import_measurement(path: str) -> Measurement:
    """Import a function of a user that measures objects; `ValueError` if it is none."""
    function = import_callable(path)
    if not getattr(function, "is_measurement", False):
        message = (
            f"{path} is not declared as a measurement; write `@measurement` above it, which is in "
            "`idr_assets.imaging.objects`"
        )
        raise ValueError(message)
    return Measurement(path, function, find_version(function))


def find_channels(channels: Sequence[int | str], names: Sequence[str], shape: Sequence[int] | None) -> list[int]:
    """Return the indices of channels that are given by index or name; `ValueError` unless each is one, once.

    Nothing is read when definitions load, so names are those of the YAML: `names`, by index.
    """
    count = shape[1] if shape else max([len(names), *(it + 1 for it in channels if isinstance(it, int))])
    for name in [it for it in channels if isinstance(it, str)]:
        if names.count(name) != 1:
            message = (
                f"{name!r} is not the name of one channel in `channel_names`, which are {', '.join(names) or 'none'}; "
                "write its index, or name all channels there"
            )
            raise ValueError(message)
    found = [names.index(it) if isinstance(it, str) else it for it in channels]
    if not all(0 <= index < count for index in found) or len(set(found)) < len(found) or len(names) > count:
        listed = f"0 to {count - 1}{f' ({", ".join(names)})' if len(names) == count else ''}"
        message = f"the image has channels {listed}; name each wanted one once, not {', '.join(map(str, channels))}"
        raise ValueError(message)
    return found
