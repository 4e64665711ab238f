"""The web server's command. `test_read_only_ui` and `test_ui` ask the server itself."""

import pytest
from click.testing import CliRunner
from dagster_webserver import app
from dagster_webserver.webserver import DagsterWebserver

from idr_assets.web.server import main


@pytest.mark.parametrize(
    ("owner", "made"),
    [(app, "create_app_from_workspace_process_context"), (DagsterWebserver, "create_asgi_app")],
)
def test_a_server_that_would_be_made_without_the_guard_is_not_started(
    owner: object, made: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, made, lambda *_, **__: None)
    found = CliRunner().invoke(main, ["--host", "nowhere"])
    assert found.exit_code == 1
    assert "works in another way than idr_assets knows, so the UI was not started" in found.output
