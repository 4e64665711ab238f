"""The units of an axis: what OME-NGFF calls them, however an image spells them, and how long they are."""

from collections.abc import Mapping

MICROMETRES = {
    "picometer": 1e-6,
    "angstrom": 1e-4,
    "nanometer": 1e-3,
    "micrometer": 1.0,
    "millimeter": 1e3,
    "centimeter": 1e4,
    "meter": 1e6,
}
"""Length of a unit in micrometres, for the units that a microscope's image may have."""

_ABBREVIATIONS: Mapping[str, str] = {
    **dict.fromkeys(("µm", "\N{GREEK SMALL LETTER MU}m", "um"), "micrometer"),
    **dict.fromkeys(("s", "sec"), "second"),
    "nm": "nanometer",
    "mm": "millimeter",
    "ms": "millisecond",
    "min": "minute",
}
_PREFIXES = (
    *("", "yocto", "zepto", "atto", "femto", "pico", "nano", "micro", "milli", "centi", "deci"),
    *("hecto", "kilo", "mega", "giga", "tera", "peta", "exa", "zetta", "yotta"),
)
_LENGTHS = {"angstrom", "foot", "inch", "mile", "parsec", "yard", *(f"{prefix}meter" for prefix in _PREFIXES)}
_LISTED = {
    "t": {"day", "hour", "minute", *(f"{prefix}second" for prefix in _PREFIXES)},
    **dict.fromkeys("zyx", _LENGTHS),
}


def named_unit(axis: str, spelled: str) -> str | None:
    """Give OME-NGFF's name of a unit of an axis; None where it lists none such for it, as of pixels."""
    # A word may have capitals and a plural; in an abbreviation they would make another unit, as Mm of mm.
    word = spelled.lower().removesuffix("s").replace("metre", "meter").replace("micron", "micrometer")
    unit = _ABBREVIATIONS.get(spelled, word)
    return unit if unit in _LISTED.get(axis, ()) else None
