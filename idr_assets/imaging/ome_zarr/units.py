"""The units of an axis: their names in OME-NGFF, however an image spells them, and their lengths."""

import math
from collections.abc import Mapping

_PREFIXES: Mapping[str, float] = {
    "yocto": 1e-24,
    "zepto": 1e-21,
    "atto": 1e-18,
    "femto": 1e-15,
    "pico": 1e-12,
    "nano": 1e-9,
    "micro": 1e-6,
    "milli": 1e-3,
    "centi": 1e-2,
    "deci": 1e-1,
    "hecto": 1e2,
    "kilo": 1e3,
    "mega": 1e6,
    "giga": 1e9,
    "tera": 1e12,
    "peta": 1e15,
    "exa": 1e18,
    "zetta": 1e21,
    "yotta": 1e24,
}
# scipy.constants has these too, and takes every command a tenth of a second to import.
_METRES = {
    "meter": 1.0,
    "angstrom": 1e-10,
    "inch": 0.0254,
    "foot": 0.3048,
    "yard": 0.9144,
    "mile": 1609.344,
    "parsec": 149_597_870_700 * 648_000 / math.pi,  # IAU 2015, resolution B2
    **{f"{prefix}meter": factor for prefix, factor in _PREFIXES.items()},
}
MICROMETRES: Mapping[str, float] = {name: metres * 1e6 for name, metres in _METRES.items()}
"""Length of each unit of length that OME-NGFF lists, in micrometres."""

_ABBREVIATIONS: Mapping[str, str] = {
    **dict.fromkeys(("µm", "\N{GREEK SMALL LETTER MU}m", "um"), "micrometer"),
    **dict.fromkeys(("s", "sec"), "second"),
    "nm": "nanometer",
    "mm": "millimeter",
    "ms": "millisecond",
    "min": "minute",
    "inches": "inch",
    "feet": "foot",
}
_LISTED = {
    "t": {"day", "hour", "minute", "second", *(f"{prefix}second" for prefix in _PREFIXES)},
    **dict.fromkeys("zyx", MICROMETRES.keys()),
}


def name_unit(axis: str, spelled: str) -> str | None:
    """Give OME-NGFF's name of the unit of an axis; None where it lists no such unit for the axis, as for pixels."""
    # A word may have capitals and a plural; in an abbreviation they would make another unit, as Mm of mm.
    word = spelled.lower().removesuffix("s").replace("metre", "meter").replace("micron", "micrometer")
    unit = _ABBREVIATIONS.get(spelled, word)
    return unit if unit in _LISTED.get(axis, ()) else None
