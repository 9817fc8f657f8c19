"""Charts and base images from registries with a login: through the whole command line, with real token and password checks."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.cli.conftest import Workspace
from tests.faults.server import Faults
from tests.oci.base_images import Base
from tests.servers import relay
from tests.servers.pushing import Repository, push_base
from tests.servers.registry import PASSWORD, READER, USER, Registry
from tests.servers.relay import Relay
from tests.servers.sample_stack import chart

from cluster_forge.adapters.credentials import environment

COMPONENT = """\
- name: shop
  namespace: shop
  helm: {{repository: {repository}, chart: shop, version: {version}}}
"""


@pytest.fixture
def private(token_registry: Registry) -> Repository:
    return Repository(token_registry, "team/charts/shop", login=(USER, PASSWORD))


def add(workspace: Workspace, repository: Repository, version: str = "^1") -> None:
    text = COMPONENT.format(repository=repository.address.removesuffix("/shop"), version=version)
    workspace.replace("input/config.yaml", "components:\n", f"components:\n{text}")


def log_in(monkeypatch: pytest.MonkeyPatch, registry: Registry, user: str, password: str = PASSWORD) -> None:
    monkeypatch.setenv(environment.variable(registry.host), f"{user}:{password}")


def test_a_private_chart_is_mined_with_a_token_for_its_repository(
    workspace: Workspace, private: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    private.push_chart(chart("shop", "1.0.0"), "1.0.0")
    add(workspace, private)
    tokens = private.registry.tokens
    assert tokens is not None
    tokens.requests.clear()
    log_in(monkeypatch, private.registry, READER)
    workspace.ok("mine")
    locked = workspace.yaml("cluster-forge.lock")["components"]["shop"]["sources"]
    assert [(source["asked"], source["version"]) for source in locked] == [("^1", "1.0.0")]
    assert {request.scopes for request in tokens.requests} == {("repository:team/charts/shop:pull",)}
    assert PASSWORD not in workspace.read("cluster-forge.lock")
    workspace.ok("forge", "--offline")


def test_a_docker_login_is_used(
    workspace: Workspace, private: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    private.push_chart(chart("shop", "1.0.0"), "1.0.0")
    add(workspace, private)
    login = base64.b64encode(f"{READER}:{PASSWORD}".encode()).decode()
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker/config.json").write_text(json.dumps({"auths": {private.registry.host: {"auth": login}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    workspace.ok("mine")


def test_a_login_in_the_address_is_used_and_shown_nowhere(workspace: Workspace, private: Repository) -> None:
    private.push_chart(chart("shop", "1.0.0"), "1.0.0")
    login = f"{READER}:{quote(PASSWORD, safe='')}"
    address = f"oci://{login}@{private.registry.host}/team/charts"
    text = COMPONENT.format(repository=f"'{address}'", version="^1")
    workspace.replace("input/config.yaml", "components:\n", f"components:\n{text}")
    result = workspace.ok("forge")
    assert "credential-in-url" in result.err
    written = b"".join([*workspace.tree("working").values(), *workspace.tree("stacks").values()])
    for shown in (result.out + result.err, workspace.read("cluster-forge.lock"), written.decode(errors="replace")):
        assert "s3same" not in shown


@pytest.mark.parametrize("password", ["", "wrong"])
def test_without_the_right_login_the_chart_is_not_there(
    password: str, workspace: Workspace, private: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    private.push_chart(chart("shop", "1.0.0"), "1.0.0")
    add(workspace, private)
    if password:
        log_in(monkeypatch, private.registry, READER, password)
    result = workspace.run("mine")
    assert result.code == 13
    (line,) = (line for line in result.err.splitlines() if line.startswith("error: "))
    assert line.startswith("error: input/config.yaml:6: component shop: ")
    assert private.registry.host in line
    assert environment.variable(private.registry.host) in line or not password
    assert "wrong" not in line
    assert not (workspace.folder / "cluster-forge.lock").exists()


def test_a_password_registry_is_read(
    workspace: Workspace, password_registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository(password_registry, "charts/shop", login=(USER, PASSWORD))
    repository.push_chart(chart("shop", "1.0.0"), "1.0.0")
    add(workspace, repository, "1.0.0")
    assert workspace.run("mine").code == 13
    log_in(monkeypatch, password_registry, USER)
    workspace.ok("mine")


def test_everybody_may_pull_what_is_public(workspace: Workspace, token_registry: Registry) -> None:
    repository = Repository(token_registry, "public/shop", login=(USER, PASSWORD))
    repository.push_chart(chart("shop", "1.0.0"), "1.0.0")
    add(workspace, repository)
    workspace.ok("mine")


@pytest.fixture
def faulty(token_registry: Registry) -> Iterator[Relay]:
    with relay.before(token_registry.port, Faults(seed=20, share=0.3)) as running:
        yield running
    assert running.failed.total() > 3


def test_thirty_percent_of_failures_change_no_byte(
    workspace: Workspace, private: Repository, faulty: Relay, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for version in ("1.0.0", "1.1.0"):
        private.push_chart(chart("shop", version), version)
    push_base(Repository(private.registry, "team/tools", login=(USER, PASSWORD)), Base())
    description = workspace.read("input/config.yaml")
    trees = []
    for host in (private.registry.host, faulty.host):
        component = COMPONENT.format(repository=f"oci://{host}/team/charts", version="^1")
        text = description.replace("components:\n", f"components:\n{component}", 1)
        workspace.write({"input/config.yaml": f"{text}image: {{base: '{host}/team/tools:1.2'}}\n"})
        monkeypatch.setenv(environment.variable(host), f"{USER}:{PASSWORD}")
        shutil.rmtree(workspace.folder / "working", ignore_errors=True)
        (workspace.folder / "cluster-forge.lock").unlink(missing_ok=True)
        workspace.ok("forge", "--store", str(tmp_path / host))
        lock = workspace.read("cluster-forge.lock").replace(host, "HOST").encode()
        trees.append({**workspace.tree("working"), "lock": lock, ".smelt.json": b""})  # it names the host
    assert trees[0] == trees[1]


def test_a_stack_is_pushed_and_pulled_through_thirty_percent_of_failures(
    workspace: Workspace, faulty: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(environment.variable(faulty.host), f"{USER}:{PASSWORD}")
    workspace.ok("forge")
    address = f"oci://{faulty.host}/team/faulty"
    workspace.ok("push", "--to", address)
    workspace.ok("pull", address, "-o", str(workspace.folder / "pulled"))
    assert workspace.tree("pulled") == workspace.tree("stacks/demo")


def test_a_stack_upon_a_private_base_is_pushed_and_pulled(
    workspace: Workspace, token_registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = push_base(Repository(token_registry, "team/tools", login=(USER, PASSWORD)), Base())
    workspace.replace("input/config.yaml", "name: demo\n", f"name: demo\nimage: {{base: '{base}'}}\n")
    log_in(monkeypatch, token_registry, USER)
    workspace.ok("forge")
    address = f"oci://{token_registry.host}/team/platform"
    workspace.ok("push", "--to", address)
    workspace.ok("pull", address, "-o", str(workspace.folder / "pulled"))
    assert workspace.tree("pulled") == workspace.tree("stacks/demo")
