"""Keys of chunks in the store that holds their array."""


def key_below(path: str, key: str) -> str:
    """Join the path of an array and the key of a chunk; an array of several folders has no path of its own."""
    return f"{path}/{key}" if path else key
