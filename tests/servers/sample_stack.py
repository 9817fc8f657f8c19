"""A stack whose sources are on the servers of the tests: one component for each kind of source, and a base image."""

from __future__ import annotations

import contextlib
import gzip
import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.faults.server import Faults
from tests.git_worktree import Worktree
from tests.kustomizations.program import programs
from tests.oci.base_images import Base
from tests.servers import chart_repository, git_http, git_ssh, relay
from tests.servers.git_http import GitServer
from tests.servers.pushing import Repository, push_base
from tests.servers.registry import PASSWORD, USER, Registry

from cluster_forge.adapters.credentials import environment

DESCRIPTION = """\
apiVersion: cluster-forge/v1
kind: Stack
name: platform
gitops: {{engine: none}}
image: {{repository: '{registry}/team/platform', base: '{registry}/team/tools:1.2'}}
components:
- {{name: from-a-registry, namespace: a, helm: {{repository: 'oci://{registry}/team/charts', chart: web, version: ^1}}}}
- {{name: by-http, namespace: b, helm: {{repository: 'http://{charts}', chart: web, version: 1.0.0}}}}
- {{name: from-git, namespace: c, helm: {{repository: '{git}@v1//charts', chart: web}}}}
- {{name: manifests-from-git, namespace: d, manifests: ['{git}@v1//base/one.yaml']}}
"""
KUSTOMIZE = "- {{name: kustomized, namespace: e, kustomize: '{git}@v1//overlay'}}\n"
SSH = "- {{name: by-ssh, namespace: f, helm: {{repository: '{ssh}@v1//charts', chart: web}}, manifests: ['{ssh}@v1//base/one.yaml']}}\n"
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {a: b}\n"
KUSTOMIZATIONS = {
    "base/one.yaml": OBJECT,
    "base/kustomization.yaml": "resources: [one.yaml]\n",
    "overlay/kustomization.yaml": "resources: [../base]\nnamePrefix: my-\n",
}
ABOUT = "apiVersion: v2\nname: {name}\nversion: {version}\n"
TEMPLATE = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {version: {{ .Chart.Version }}}\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleStack:
    """Its description, and the variables with the logins that its servers want."""

    description: str
    logins: Mapping[str, str] = field(repr=False)

    def write(self, workspace: Path) -> None:
        (workspace / "input").mkdir(parents=True)
        (workspace / "input/config.yaml").write_text(self.description)


@contextlib.contextmanager
def served(registry: Registry, folder: Path, faults: Faults) -> Iterator[SampleStack]:
    """The stack, for as long as its servers run: the registry with tokens, and others with their files in ``folder``.

    The component with a kustomization is in it where a program that builds one is installed, that by SSH where `sshd` is.
    """
    login = f"{USER}:{PASSWORD}"
    for version in ("1.0.0", "1.1.0"):
        Repository(registry, "team/charts/web", login=(USER, PASSWORD)).push_chart(chart("web", version), version)
    push_base(Repository(registry, "team/tools", login=(USER, PASSWORD)), Base())
    with contextlib.ExitStack() as stack:
        charts = stack.enter_context(chart_repository.serving(login))
        charts.publish("web", "1.0.0", chart("web", "1.0.0"))
        hosts = {
            name: stack.enter_context(relay.before(port, faults)).host
            for name, port in (("registry", registry.port), ("charts", charts.port))
        }
        git = stack.enter_context(_git(folder, faults.share))
        description = DESCRIPTION + (KUSTOMIZE if programs() else "")
        by_ssh = ""
        keys = {}
        if git_ssh.PROGRAM:
            ssh = stack.enter_context(git_ssh.serving(folder / "ssh"))
            ssh.faults = faults.share
            description, by_ssh = description + SSH, ssh.address(folder / "sample/.git")
            keys = {"GIT_SSH_COMMAND": ssh.client}
        yield SampleStack(
            description=description.format(**hosts, git=f"{git.address}/sample/.git", ssh=by_ssh),
            logins={
                **{environment.variable(host): login for host in hosts.values()},
                environment.variable(urlsplit(git.url).netloc): f"{git_http.USER}:{git_http.PASSWORD}",
                **keys,
            },
        )


@contextlib.contextmanager
def _git(folder: Path, share: float) -> Iterator[GitServer]:
    """A Git server with a repository ``sample``, which wants a login."""
    about = ABOUT.format(name="web", version="1.0.0")
    files = {"charts/web/Chart.yaml": about, "charts/web/templates/web.yaml": TEMPLATE, **KUSTOMIZATIONS}
    Worktree(folder / "sample").commit(files, tag="v1")
    with git_http.serving(folder, login=True) as server:
        server.faults = share
        yield server


def chart(name: str, version: str) -> bytes:
    """A chart with one object, packed as `helm package` does it."""
    about = ABOUT.format(name=name, version=version)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as packed:
        for path, text in {"Chart.yaml": about, "templates/web.yaml": TEMPLATE}.items():
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size = len(text)
            packed.addfile(entry, io.BytesIO(text.encode()))
    return gzip.compress(buffer.getvalue(), mtime=0)
