"""Write how many there are of something."""


def write_count(number: int, noun: str) -> str:
    """Write a number with its noun: `1 plane`, `4 planes`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
