"""The units of an axis: what OME-NGFF calls them, however an image spells them, and how long they are."""

from collections.abc import Mapping

from scipy import constants

_PREFIXES = (
    *("yocto", "zepto", "atto", "femto", "pico", "nano", "micro", "milli", "centi", "deci"),
    *("hecto", "kilo", "mega", "giga", "tera", "peta", "exa", "zetta", "yotta"),
)
_METRES = {
    "meter": 1.0,
    **{f"{prefix}meter": getattr(constants, prefix) for prefix in _PREFIXES},
    **{name: getattr(constants, name) for name in ("angstrom", "foot", "inch", "mile", "parsec", "yard")},
}
MICROMETRES: Mapping[str, float] = {name: metres * constants.mega for name, metres in _METRES.items()}
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


def named_unit(axis: str, spelled: str) -> str | None:
    """Give OME-NGFF's name of a unit of an axis; None where it lists none such for it, as of pixels."""
    # A word may have capitals and a plural; in an abbreviation they would make another unit, as Mm of mm.
    word = spelled.lower().removesuffix("s").replace("metre", "meter").replace("micron", "micrometer")
    unit = _ABBREVIATIONS.get(spelled, word)
    return unit if unit in _LISTED.get(axis, ()) else None
