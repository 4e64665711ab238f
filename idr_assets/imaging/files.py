"""Write small files anywhere that fsspec reaches."""

from uuid import uuid4

from fsspec.core import url_to_fs


def write_file(url: str, content: bytes) -> None:
    """Write a file whole or not at all: below another name first, then renamed."""
    filesystem, path = url_to_fs(url)
    partial = f"{path}.{uuid4().hex}.partial"
    filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
    filesystem.pipe_file(partial, content)
    filesystem.mv(partial, path)
