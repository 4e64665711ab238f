"""Write how many there are of something, and which."""

from collections.abc import Iterable, Sequence


def write_count(number: int, noun: str) -> str:
    """Write a number with its noun: `1 plane`, `4 planes`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def name_ranges(ranges: Iterable[Sequence[int]]) -> str:
    """Write ranges, each given by its first and last index, such as `3, 5 to 7`."""
    return ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in ranges)
