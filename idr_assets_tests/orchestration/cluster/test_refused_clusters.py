"""Clusters that are refused or cannot start, and those that are warned of: no code runs, and the remedy is named."""

from pathlib import Path
from typing import Any

import dask.config
import pytest

from idr_assets.orchestration.cluster.resource import DaskResource
from idr_assets.orchestration.cluster.security import warn_if_readable
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.store_server import StoreServer

SHORT = {"timeout": 0.1}


def start(cluster: str, **fields: Any) -> None:  # noqa: ANN401  of the resource
    with DaskResource(cluster=cluster, **fields).client():
        pass


@pytest.mark.parametrize("field", ["tls_ca", "tls_min_version"])
def test_security_that_dask_does_not_know_is_refused(field: str) -> None:
    security = {field: "ca.pem", "tls_client_key": "-----\nkey"}
    with pytest.raises(ValueError, match="so no planes can be segmented") as error:
        start("tls://127.0.0.1:1", arguments={"security": security})
    assert f"with the fields ['{field}', 'tls_client_key'], cannot be used" in str(error.value)
    assert "-----" not in str(error.value)
    assert "Write `tls_ca_file`, `tls_client_cert`, `tls_client_key`" in str(error.value)


@pytest.mark.parametrize(
    "address", ["tls://192.0.2.1:8786", "tcp://127.0.0.1:8786", "tcp://[::1]:8786", "tcp://localhost:8786"]
)
def test_a_scheduler_on_this_machine_or_with_tls_is_not_warned_of(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    warn_if_readable(address)
    assert caplog.records == []


def test_a_scheduler_beyond_this_machine_without_tls_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    address = "tcp://no-such-host.invalid:8786"
    with pytest.raises(OSError, match="no-such-host"):
        start(address, arguments=SHORT)
    (warning,) = (record.getMessage() for record in caplog.records if record.levelname == "WARNING")
    assert f"{address} is reached without TLS: pixels and code travel unencrypted and unauthenticated" in warning
    assert "write its tls:// address" in warning


NO_FORMS = ["in_proces", "no_such_module.Cluster", "distributed.NoSuchCluster", ".Cluster", "distributed.Client"]


@pytest.mark.parametrize("form", NO_FORMS)
def test_a_form_that_does_not_exist_is_refused(form: str) -> None:
    with pytest.raises(ValueError, match="so no planes can be segmented") as error:
        start(form)
    assert repr(form) in str(error.value)
    assert "Write `in_process`, `processes`, the address of a scheduler" in str(error.value)


def test_a_scheduler_that_does_not_answer_is_named() -> None:
    answer = r"No scheduler answers at tcp://127\.0\.0\.1:1, so no planes are segmented .* correct `cluster`"
    with pytest.raises(OSError, match=answer):
        start("tcp://127.0.0.1:1", arguments=SHORT)


@pytest.mark.parametrize("form", ["in_process", "processes"])
def test_settings_of_the_user_with_which_no_cluster_starts_are_named(form: str) -> None:
    said = rf"`{form}` cannot start, so .*'/proc/nowhere'\)\. Correct your settings of dask, .*`temporary-directory`"
    with dask.config.set({"temporary-directory": "/proc/nowhere"}), pytest.raises(OSError, match=said):
        start(form, workers=1)


def test_what_is_no_cluster_is_not_called(tmp_path: Path) -> None:
    made = tmp_path / "made"
    with pytest.raises(ValueError, match=r"not a `distributed\.deploy\.Cluster`"):
        start("subprocess.check_output", arguments={"args": ["touch", str(made)]})
    assert not made.exists()


@pytest.mark.parametrize("form", ["in_process", "processes", "distributed.LocalCluster", "tcp://127.0.0.1:1"])
@pytest.mark.parametrize("nested", [False, True])
def test_no_code_is_fetched_from_the_web(tmp_path: Path, form: str, nested: bool) -> None:  # noqa: FBT001
    made = tmp_path / "made"
    (tmp_path / "code.py").write_text(f"open({str(made)!r}, 'w')")
    with StoreServer(tmp_path) as server:
        preload = {"preload": [f"{server.url}/code.py"]}
        with pytest.raises(ValueError, match="`preload` of the dask cluster names a web address"):
            start(form, arguments={"scheduler_kwargs": preload} if nested else preload)
        assert server.requests == []
    assert not made.exists()


def test_templates_of_a_cluster_run_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = ImageProject(tmp_path / "project")
    project.write()
    yaml = project.package / "defs/dask/defs.yaml"
    monkeypatch.setenv("SCHEDULER", "tcp://127.0.0.1:8786")
    yaml.write_text("type: idr_assets.DaskCluster\nattributes: {cluster: '{{ env.SCHEDULER }}'}\n")
    resource = project.dask()
    assert resource.cluster == "tcp://127.0.0.1:8786"
    yaml.write_text("type: idr_assets.DaskCluster\nattributes: {cluster: '{{ 6 * 7 }}'}\n")
    with pytest.raises(Exception, match="dask") as raised:
        project.load()
    assert "{{ 6 * 7 }} in attributes.cluster is a template that could run code" in str(raised.value.__cause__)
