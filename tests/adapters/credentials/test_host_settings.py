from __future__ import annotations

from pathlib import Path

import pytest

from cluster_forge.adapters.credentials.host_settings import of_description
from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.stack.registry_settings import RegistrySettings


def test_files_are_found_from_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "w" / "input").mkdir(parents=True)
    (tmp_path / "w" / "input" / "ca.pem").write_text("")
    monkeypatch.chdir(tmp_path)
    registry = RegistrySettings(host="a:1", ca_file="input/ca.pem", insecure=True, plain_http=True)
    settings = of_description(Path("w"), [registry])["a:1"]
    assert settings.ca_file == str(tmp_path / "w" / "input" / "ca.pem")
    assert (settings.is_insecure, settings.is_plain_http, settings.cert_file) == (True, True, "")


def test_input_may_be_on_another_disk(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "ca.pem").write_text("")
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "input").symlink_to(tmp_path / "disk")
    settings = of_description(tmp_path / "w", [RegistrySettings(host="a", ca_file="input/ca.pem")])
    assert settings["a"].ca_file == str(tmp_path / "disk" / "ca.pem")


def test_every_file_that_is_not_in_the_workspace_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "w" / "input").mkdir(parents=True)
    (tmp_path / "secret.key").write_text("")
    (tmp_path / "w" / "input" / "link").symlink_to(tmp_path / "secret.key")
    registries = [
        RegistrySettings(host="a", ca_file="input/ca.pem", where="input/config.yaml:4"),
        RegistrySettings(host="b", cert_file="input/link", key_file="input", where="input/config.yaml:5"),
    ]
    with pytest.raises(ExceptionGroup) as caught:
        of_description(tmp_path / "w", registries)
    messages = [str(error) for error in caught.value.exceptions]
    assert all(isinstance(error, DescriptionError) for error in caught.value.exceptions)
    assert messages == [
        "input/config.yaml:4: registries: a: input/ca.pem is not a file",
        "input/config.yaml:5: registries: b: input/link is a link that leaves the workspace",
        "input/config.yaml:5: registries: b: input is not a file",
    ]
