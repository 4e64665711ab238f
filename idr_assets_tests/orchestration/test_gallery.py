"""The gallery of a project after its jobs: what its pages say, which files it hands out, and to whom."""

import re
from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image
from starlette.applications import Starlette

from idr_assets.web.gallery_routes import mount_gallery, serve_alone
from idr_assets_tests.support.asgi import ask
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.small_image import FIELDS, PLANES, SHAPE, Segmented

VIEWER = "https://viewer.example"
PAGE = "/gallery/data/image/planes.html"


def importable(project: ImageProject, patch: pytest.MonkeyPatch) -> str:
    """Give the name of the module with a project's definitions."""
    project.write_definitions()
    patch.syspath_prepend(str(project.root))
    return f"{project.package.name}.definitions"


@pytest.fixture(scope="module")
def module(segmented: Segmented) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        yield importable(segmented.project, patch)


@pytest.fixture(scope="module")
def beside(segmented: Segmented, module: str) -> Starlette:
    """Give the gallery as it is beside Dagster's pages."""
    return Starlette(routes=[mount_gallery(module, segmented.instance, [VIEWER], ui=True)])


@pytest.fixture(scope="module")
def alone(module: str) -> Starlette:
    """Give the gallery that knows no runs."""
    return serve_alone(module, None, [VIEWER])


def test_all_images_are_on_a_page_that_asks_for_what_became_of_them(beside: Starlette) -> None:
    index = ask(beside, "/gallery/").text
    for shown in ('href="/gallery/image/image"', "/plane/image/0/2/0/10.png", 'data-facts="/gallery/facts/image"'):
        assert shown in index
    facts = ask(beside, "/gallery/facts/image").text
    for shown in (">4 of 4 partitions</a>", " objects", "5 of 5 checks passed"):
        assert shown in facts


def test_a_page_of_an_image_leads_to_its_files_planes_and_runs(beside: Starlette) -> None:
    page = ask(beside, "/gallery/image/image").text
    for shown in (
        'href="https://127.0.0.1/image-1"',
        f'href="{PAGE}#t=1&amp;c=1&amp;z=9"',
        'src="/gallery/data/image/montage.png"',
        'src="/gallery/data/image/object_counts.png"',
        'href="/assets/image/plane_labels?view=partitions&amp;partition=2%7C10"',
        "http://127.0.0.1:3000/gallery/data/image.ome.zarr",
        '<a href="/assets/image/source_image">source_image</a>',
    ):
        assert shown in page
    assert page.count("/gallery/plane/image/0/") == len(PLANES)
    assert re.findall(r"<h3>(.*)</h3>", page) == ["channel 0", "channel 1"]
    channels = [int(c) for c in re.findall(r"/gallery/plane/image/0/\d+/(\d)/", page)]
    assert channels == sorted(channels)


def test_without_dagster_pages_lead_to_none_of_its_pages(alone: Starlette) -> None:
    assert ask(alone, "/").headers["location"] == "/gallery/"
    page = ask(alone, "/gallery/image/image").text
    assert 'href="/assets' not in page
    assert " objects" in page
    assert " of 4 partitions" not in page


def test_a_plane_has_a_picture_that_is_sent_once(alone: Starlette) -> None:
    first = ask(alone, "/gallery/plane/image/0/1/1/9.png")
    assert Image.open(BytesIO(first.body)).size == (4 * SHAPE[4], 4 * SHAPE[3])
    assert ask(alone, "/gallery/plane/image/0/1/1/9.png", if_none_match=first.headers["etag"]).status == 304
    for absent in ("0/1/0", "99/0/9", "1/7/9"):
        assert ask(alone, f"/gallery/plane/image/0/{absent}.png").headers["content-type"] == "image/svg+xml"


def test_what_is_damaged_says_so_and_how_to_make_it_again(beside: Starlette, segmented: Segmented) -> None:
    data = segmented.project.root / "data"
    table = data / "image/objects/t=1.parquet"
    chunk = next(it for it in (data / "image.ome.zarr/labels/segmentation/0/c/1/1/9").rglob("*") if it.is_file())
    kept = {file: file.read_bytes() for file in (table, chunk)}
    for file in kept:
        file.write_bytes(b"junk")
    try:
        for page in ("facts", "image"):
            shown = ask(beside, f"/gallery/{page}/image").text
            assert "t=1.parquet cannot be read" in shown
            assert "dg launch --job measure_image" in shown
        assert "idr-assets wipe image &#39;1|09&#39;" in shown.replace("'", "&#39;")
        damaged = ask(beside, "/gallery/plane/image/0/1/1/9.png")
        assert (damaged.headers["content-type"], "damaged" in damaged.text) == ("image/svg+xml", True)
        assert "etag" not in damaged.headers
        assert "damaged" not in ask(beside, "/gallery/plane/image/0/0/1/0.png").text
    finally:
        for file, content in kept.items():
            file.write_bytes(content)


def test_files_are_sent_in_ranges_and_their_scripts_are_kept_apart(alone: Starlette, segmented: Segmented) -> None:
    content = (segmented.project.root / "data/image/planes.html").read_bytes()
    part = ask(alone, PAGE, range="bytes=10-19")
    assert (part.status, part.body) == (206, content[10:20])
    assert part.headers["content-security-policy"] == "sandbox allow-scripts"
    assert ask(alone, PAGE, if_none_match=part.headers["etag"]).status == 304


def test_nothing_outside_of_the_data_folder_is_sent(alone: Starlette, segmented: Segmented) -> None:
    root = segmented.project.root
    (root / "data/escape").symlink_to(root / "pyproject.toml")
    (root / "data/folder").symlink_to(root)
    outside = ["../pyproject.toml", "%2e%2e/pyproject.toml", "image/..%2f..%2fpyproject.toml", "escape"]
    outside += ["folder/pyproject.toml", f"/{root}/pyproject.toml", "", "image", "none", "image%00", "a" * 5000]
    for path in outside:
        assert ask(alone, f"/gallery/data/{path}").status == 404, path
    assert [ask(alone, PAGE, method).status for method in ("POST", "PUT", "DELETE")] == [415, 405, 405]
    assert [ask(alone, page, "POST", content_type="application/json").status for page in (PAGE, "/gallery/")] == [
        405
    ] * 2
    for link in ("escape", "folder"):
        (root / "data" / link).unlink()


def test_named_viewers_read_files_and_nobody_else_reads_anything(alone: Starlette) -> None:
    read = ask(alone, PAGE, origin=VIEWER, sec_fetch_site="cross-site")
    assert (read.status, read.headers["access-control-allow-origin"]) == (200, VIEWER)
    asked = ask(
        alone,
        PAGE,
        "OPTIONS",
        origin=VIEWER,
        access_control_request_method="GET",
        access_control_request_headers="range",
    )
    assert (asked.status, asked.headers["access-control-allow-origin"]) == (200, VIEWER)
    assert ask(alone, PAGE, origin="https://other.example").status == 403
    assert ask(alone, "/gallery/image/image", origin=VIEWER).status == 403
    assert ask(alone, PAGE, host="evil.example").status == 421


def test_outputs_on_s3_have_no_gallery(alone: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDR_ASSETS_DATA", "s3://bucket/data")
    for page in ("", "image/image", "facts/image", "data/image/planes.html"):
        answer = ask(alone, f"/gallery/{page}")
        assert (answer.status, answer.headers["content-type"]) == (500, "text/html; charset=utf-8")
        for shown in ("Cannot be shown", "names s3://bucket/data", '<a href="/gallery/">All images</a>'):
            assert shown in answer.text


def test_what_does_not_exist_has_a_page_that_leads_back(alone: Starlette) -> None:
    for path in ("nothing", "data/nothing", "static/nothing", "plane/nothing/0/0/0/0.png"):
        answer = ask(alone, f"/gallery/{path}")
        assert (answer.status, "<h1>Not found</h1>" in answer.text) == (404, True), path
        assert '<a href="/gallery/">All images</a>' in answer.text


def test_a_viewer_is_told_which_planes_are_not_stored(alone: Starlette) -> None:
    absent = "/gallery/data/image.ome.zarr/labels/segmentation/0/c/0/0/0/0/0"
    for method in ("GET", "HEAD"):
        answer = ask(alone, absent, method, origin=VIEWER, sec_fetch_site="cross-site", range="bytes=-100")
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (404, VIEWER)


def test_an_image_without_results_says_how_to_make_it_and_a_new_one_is_seen(
    fresh: Segmented, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = fresh.project
    module = importable(project, monkeypatch)
    app = Starlette(routes=[mount_gallery(module, fresh.instance, [], ui=True)])
    for page in ("facts", "image"):
        shown = ask(app, f"/gallery/{page}/image").text
        assert "0 of 4 partitions" in shown
        assert "<code>idr-assets resume image</code> makes it" in shown
        assert "cannot be read" not in shown
    ImageProject(project.root, "another").write(**FIELDS)
    assert "another" in ask(app, "/gallery/").text
    unknown = ask(app, "/gallery/image/%3Cb%3E")
    assert (unknown.status, unknown.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "&lt;b&gt;" in unknown.text
    assert '<a href="/gallery/">All images</a>' in unknown.text
    project.write(channels="[9]")
    wrong = ask(app, "/gallery/")
    assert wrong.status == 500
    assert "defs.yaml" in wrong.text


def test_definitions_that_do_not_exist_are_named() -> None:
    answer = ask(serve_alone("nowhere.definitions", None, []), "/gallery/")
    assert (answer.status, "<p>nowhere.definitions cannot be loaded," in answer.text) == (500, True)
