"""The web UI as `make ui` starts it: where it listens, whom it answers, and a plane from its dialog in a browser."""

import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import dagster as dg
import numpy as np
import psutil
import pytest
from playwright.sync_api import Page, expect

from idr_assets_tests.support.dagster_home import BIN, LONGEST, DagsterHome, dagster_home, wait_until
from idr_assets_tests.support.foreign_page import ATTEMPTS, CHANGE, foreign_site
from idr_assets_tests.support.idr_stores import nuclei_plane, write_image
from idr_assets_tests.support.web_ui import ask, browsing, choose, listens, open_dialog

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

PLANE = (128, 135)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterHome]:
    """Give an instance with the demo's image, of which no plane is segmented."""
    with dagster_home(tmp_path_factory.mktemp("instance")) as home:
        planes = np.broadcast_to(nuclei_plane(5, 0, 7, PLANE), (12, 2, 16, *PLANE))
        write_image(home.data / "synthetic_embryo.zarr", planes.astype(">u2"), version="0.4")
        for name in ("synthetic_embryo", "source_image"):
            home.instance.report_runless_asset_event(dg.AssetMaterialization(["demo", name]))
        yield home


def recipe(home: DagsterHome, variables: str) -> str:
    """Give the command of `make ui`."""
    _, printed = home.run(f"make --dry-run ui {variables} BIN={BIN}")
    return printed.splitlines()[-1]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@pytest.fixture(scope="module")
def ui(home: DagsterHome) -> Iterator[str]:
    """Give the UI's address; in the end Ctrl-C ends it, and leaves no process behind."""
    port = free_port()
    server = home.start(recipe(home, f"PORT={port}"))
    wait_until(lambda: listens(port) or server.poll() is not None)
    assert server.poll() is None, home.output.read_text()
    yield f"http://127.0.0.1:{port}"
    server.send_signal(signal.SIGINT)
    assert server.wait(LONGEST) == 0
    assert psutil.wait_procs(home.processes, timeout=30)[1] == []


@pytest.fixture(scope="module")
def page(ui: str, chromium: str) -> Iterator[Page]:
    """Open the UI in Chromium."""
    with browsing(ui, chromium) as page:
        yield page


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """Collect what goes wrong in the page: errors of scripts, refused requests, requests to other machines."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("response", lambda response: found.append(response.url) if response.status >= 400 else None)
    page.on("request", lambda request: None if is_local(request.url) else found.append(request.url))
    return found


def is_local(url: str) -> bool:
    return urlsplit(url).hostname in {"127.0.0.1", None}


def runs(home: DagsterHome) -> list[str]:
    return [run.run_id for run in home.instance.get_runs()]


def test_pages_open_without_an_error(page: Page, complaints: list[str], tmp_path: Path) -> None:
    for tab, shown in (
        ("overview", "Labels of each plane"),
        ("lineage", "plane_browser"),
        ("partitions", "Missing (100)"),
    ):
        page.goto(f"/assets/demo/plane_labels?view={tab}")
        expect(page.get_by_text(shown).first).to_be_visible()
        expect(page.get_by_text(re.compile("error", re.IGNORECASE))).to_have_count(0)
        page.screenshot(path=tmp_path / f"{tab}.png")
    assert complaints == []


def test_a_plane_is_made_from_the_dialog(page: Page, home: DagsterHome, complaints: list[str], tmp_path: Path) -> None:
    open_dialog(page, "demo")
    choose(page, 0, "05")
    choose(page, 1, "07")
    page.screenshot(path=tmp_path / "dialog.png")
    page.get_by_role("button", name="Launch 1 run").click()
    wait_until(lambda: runs(home))
    page.goto(f"/runs/{runs(home)[0]}")

    listeners: set[str] = set()

    def succeeded() -> bool:
        listeners.update(home.listeners)
        return page.get_by_text("Success", exact=True).is_visible()

    wait_until(succeeded)
    page.screenshot(path=tmp_path / "run.png")
    assert listeners == {"127.0.0.1"}

    page.goto("/assets/demo/plane_labels?view=partitions&partition=05%7C07")
    for state in ("Materialized", "Materialized (1)", "Missing (99)"):
        expect(page.get_by_text(state, exact=True)).to_be_visible()
    page.get_by_text("[Show Markdown]").click()
    picture = page.get_by_role("dialog").locator("img")
    expect(picture).to_have_js_property("naturalWidth", 3 * PLANE[1])
    page.screenshot(path=tmp_path / "plane.png")
    assert complaints == []


def test_the_gallery_shows_the_plane_and_leads_to_dagster_and_back(
    page: Page, ui: str, complaints: list[str], tmp_path: Path
) -> None:
    page.goto("/assets/demo/plane_labels?view=overview")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="/gallery/image/demo").click()
    gallery = opened.value
    expect(gallery.get_by_role("link", name="1 of 100 planes")).to_be_visible()
    gallery.get_by_role("link", name="Gallery", exact=True).click()
    card = gallery.get_by_role("listitem").filter(has_text="demo")
    expect(card.get_by_text("1 of 100 planes")).to_be_visible()
    gallery.get_by_role("searchbox").fill("IDR")
    expect(gallery.get_by_role("status")).to_have_text("1 shown")
    expect(card).to_be_hidden()
    gallery.goto(f"{ui}/gallery/image/demo")
    plane = gallery.get_by_role("figure").filter(has_text="t 5 c 0 z 7")
    expect(plane.locator("img")).to_have_js_property("naturalWidth", PLANE[1])
    gallery.screenshot(path=tmp_path / "gallery.png", full_page=True)
    plane.get_by_role("link").click()
    expect(gallery.get_by_text("Materialized (1)", exact=True)).to_be_visible()
    gallery.close()
    assert complaints == []


def another(page: Page) -> Page:
    assert page.context.browser
    return page.context.browser.new_page()


def made(home: DagsterHome) -> bool:
    return home.instance.get_latest_materialization_event(dg.AssetKey(["demo", "montage"])) is not None


@pytest.mark.parametrize("host", ["127.0.0.1", "evil.example"])
def test_pages_of_other_sites_change_nothing(page: Page, ui: str, home: DagsterHome, host: str) -> None:
    with foreign_site() as port, another(page) as foreign:
        foreign.goto(f"http://{host}:{port}")
        assert foreign.evaluate(ATTEMPTS, [ui, CHANGE]) == "refused"
    assert not made(home)


def test_a_name_that_is_made_to_lead_here_changes_nothing(page: Page, ui: str, home: DagsterHome) -> None:
    rebound = ui.replace("127.0.0.1", "evil.example")
    with another(page) as foreign:
        foreign.goto(rebound)
        assert "Host 'evil.example:" in foreign.locator("body").inner_text()
        assert foreign.evaluate(ATTEMPTS, [rebound, CHANGE]) == "refused"
    assert not made(home)


def test_pictures_in_its_own_pages_change_nothing(page: Page, ui: str, home: DagsterHome) -> None:
    page.goto("/runs")
    load = "src => new Promise(done => Object.assign(new Image(), {onload: done, onerror: done, src}))"
    page.evaluate(f"src => ({load})(src).then(() => 0)", f"{ui}/graphql?query={quote(CHANGE)}")
    assert not made(home)
    ask(ui, CHANGE)  # what was tried is what changes something
    assert made(home)


def test_pages_of_other_sites_may_link_to_it(page: Page, ui: str) -> None:
    with foreign_site() as port, another(page) as foreign:
        foreign.goto(f"http://127.0.0.1:{port}")
        foreign.evaluate("at => { location.href = at }", f"{ui}/assets/demo/plane_labels")
        expect(foreign.get_by_text("Labels of each plane").first).to_be_visible()


def test_a_second_daemon_is_refused_and_a_ui_without_one_runs_beside(ui: str, home: DagsterHome) -> None:
    port = free_port()
    code, printed = home.run(recipe(home, f"PORT={port}"))
    assert code == 1
    assert f"already has a daemon (that of the UI at {ui}, since 2" in printed
    second = home.start(recipe(home, f"PORT={port} ARGS=--without-daemon"))
    wait_until(lambda: listens(port) or second.poll() is not None)
    daemons = [process for process in home.processes if "dagster-daemon" in " ".join(process.cmdline())]
    assert len(daemons) == 1
    for each in (f"http://127.0.0.1:{port}", ui):
        assert ask(each, "{ version }")["version"]
    second.send_signal(signal.SIGINT)
    assert second.wait(LONGEST) == 0


@pytest.mark.usefixtures("ui")
def test_no_telemetry_and_no_network(home: DagsterHome) -> None:
    assert home.refused == []
    assert list(home.path.rglob(".telemetry")) == []
