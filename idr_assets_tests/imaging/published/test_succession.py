"""A published image of another shape takes the place of an older one: at any moment one of the two is there, whole."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import s3fs

from idr_assets.imaging.output.files import write_file
from idr_assets.imaging.planes import Block
from idr_assets.imaging.published.layout import Layout
from idr_assets.imaging.published.succession import FIRST, HANDED_OVER, ROOT, choose_address, fits, succeed, take_place
from idr_assets_tests.support.forked import exit_codes, fork
from idr_assets_tests.support.object_store import default_store

OLD, NEW = (
    Layout(window, window, (20, 30), np.dtype("u2"))
    for window in (Block(range(3, 5), (0, 1), z) for z in (range(2), range(3)))
)


def write(url: str, layout: Layout, *timepoints: int) -> dict[str, bytes]:
    """Write an image of some timepoints, and one that is incomplete."""
    known = {str(t): {"made_from": str(t)} for t in timepoints} | {"9": {"incomplete": True}}
    own = {"published": {}, "timepoints": known}
    first = {
        "node_type": "array",
        "shape": [len(layout.extent.t)],
        "attributes": {"idr_assets": {"layout": layout.mark}},
    }
    files = {ROOT: {"node_type": "group", "attributes": {"idr_assets": own}}, FIRST: first}
    bodies = {name: json.dumps(each).encode() for name, each in files.items()}
    bodies |= {f"0/c/{t}/{len(layout.extent.z)}": b"shard" for t in timepoints}
    for name, body in bodies.items():
        write_file(f"{url}/{name}", body)
    return bodies


def read(root: Path) -> dict[str, bytes]:
    return {str(it.relative_to(root)): it.read_bytes() for it in root.rglob("*") if it.is_file()}


def test_the_new_one_waits_for_the_timepoints_of_the_old_one(tmp_path: Path) -> None:
    url, new, said = str(tmp_path / "image"), str(tmp_path / "next"), list[str]()
    assert choose_address(url, new, OLD) == url
    old = write(url, OLD, 3, 4)
    assert (choose_address(url, new, OLD), choose_address(url, new, NEW)) == (url, new)
    write(new, NEW, 4)
    assert succeed(url, new, [3, 4], said.append) == new
    assert "one is " + new + ", until that has these timepoints too: 3. Publish them." in said[0]
    assert read(Path(url)) == old
    assert choose_address(url, new, OLD) == url  # the YAML is as it was before
    assert not Path(new).exists()
    made = write(new, NEW, 4)
    assert succeed(url, new, [4], said.append) == url  # the window lacks the other timepoint now
    assert read(tmp_path) == {f"image/{name}": body for name, body in made.items()}


@pytest.mark.parametrize(
    ("stored", "wanted", "fit"), [((3, 5), (3, 6), True), ((3, 6), (3, 5), False), ((2, 5), (3, 5), False)]
)
def test_an_image_may_become_longer(stored: tuple[int, int], wanted: tuple[int, int], fit: bool) -> None:  # noqa: FBT001
    before, after = (
        Layout(it, it, (20, 30), np.dtype("u2")) for it in (Block(range(*t), (0,), range(2)) for t in (stored, wanted))
    )
    document: dict[str, Any] = {"node_type": "array", "shape": [len(before.extent.t)]}
    document["attributes"] = {"idr_assets": {"layout": before.mark}}
    assert fits(json.dumps(document).encode(), after) is fit
    assert not fits(b"{", after)


def replace_and_die(url: str, new: str, number: int) -> None:
    """Replace an image, but end this process before it renames or removes for the nth time."""
    seen = 0

    def end(event: str, _: tuple[Any, ...]) -> None:
        nonlocal seen
        if event not in {"os.rename", "shutil.rmtree"}:
            return
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(end)
    take_place(url, new)


def test_a_run_that_is_killed_leaves_one_of_the_two_and_the_next_one_ends_it(tmp_path: Path) -> None:
    codes = []
    for number in range(1, 5):
        folder = tmp_path / str(number)
        url, new = str(folder / "image"), str(folder / "next")
        old, made = write(url, OLD, 3, 4), write(new, NEW, 3, 4)
        codes += exit_codes(fork(replace_and_die, url, new, number))
        found = read(Path(url))
        assert found in ((old,) if number == 1 else ({}, made))
        if not found:
            assert choose_address(url, new, NEW) == url
            found = read(Path(url))
        assert found in (old, made)
        assert succeed(url, new, [3, 4], print) == url if found == old else True
        assert choose_address(url, new, NEW) == url
        assert read(Path(url)) == made
        assert not Path(new).exists()
    assert codes == [-signal.SIGKILL] * 3 + [0]


def test_on_s3_readers_find_no_image_while_it_is_copied(s3: str) -> None:
    with default_store(s3):
        store = s3fs.S3FileSystem(use_listings_cache=False)
        store.mkdir("succession")
        url, new = "s3://succession/image", "s3://succession/next"
        write(url, OLD, 3, 4)
        made = write(new, NEW, 3, 4)
        marker = {"node_type": "group", "attributes": {"idr_assets": {"published": HANDED_OVER}}}
        write_file(f"{url}/{ROOT}", json.dumps(marker).encode())  # as a run that was killed leaves it
        write_file(f"{url}/0/c/3/3", made["0/c/3/3"])
        store.rm("succession/image/0/c/4/2")
        assert choose_address(url, new, NEW) == url
        found = {path.removeprefix("succession/"): store.cat_file(path) for path in store.find("succession")}
        assert found == {f"image/{name}": body for name, body in made.items()}
