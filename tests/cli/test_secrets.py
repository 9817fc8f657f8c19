"""secrets list: from what the rendered objects refer to, and as a shell may take it."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Workspace

POD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: reader}
spec:
  selector: {matchLabels: {app: reader}}
  template:
    metadata: {labels: {app: reader}}
    spec:
      imagePullSecrets: [{name: pull}]
      containers:
      - name: reader
        image: docker.io/library/nginx:1.29
        envFrom: [{secretRef: {name: whole}}]
        env:
        - {name: A, valueFrom: {secretKeyRef: {name: NAME, key: password}}}
        - {name: B, valueFrom: {secretKeyRef: {name: maybe, key: b, optional: true}}}
        - {name: C, valueFrom: {secretKeyRef: {name: there, key: b}}}
      volumes:
      - {name: v, secret: {secretName: NAME, items: [{key: user, path: user}]}}
      - {name: w, projected: {sources: [{secret: {name: projected, items: [{key: p, path: p}]}}]}}
"""
TEMPLATE = POD.replace("NAME", "{{ .Values.existingSecret | default `web-login` }}")
INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: site, annotations: {ANNOTATION: x}}
spec: {tls: [{hosts: [a.example], secretName: site-tls}], rules: [{host: a.example}]}
"""
DECLARED = "  secrets: [{name: web-login, purpose: 'the login', keys: {password: any, user: any}}]\n"


@pytest.fixture
def rendered(workspace: Workspace) -> Workspace:
    workspace.replace(
        "input/config.yaml", "  helm: {chart: ./charts/web}\n", f"  helm: {{chart: ./charts/web}}\n{DECLARED}"
    )
    present = "apiVersion: v1\nkind: Secret\nmetadata: {name: there}\n"
    return workspace.write({"input/charts/web/templates/reader.yaml": f"{TEMPLATE}---\n{present}"})


def listed(workspace: Workspace, *arguments: str) -> tuple[str, dict[str, set[str]]]:
    """What the list is made from, and the keys of each Secret."""
    answer: dict[str, Any] = workspace.ok("secrets", "list", *arguments, "--format", "json").json
    return answer["basis"], {
        f"{secret['namespace']}/{secret['name']}": set(secret["keys"]) for secret in answer["secrets"]
    }


OTHERS = {"web/whole": set(), "web/projected": {"p"}, "web/pull": {".dockerconfigjson"}}


def test_list_is_made_from_what_the_objects_refer_to(rendered: Workspace) -> None:
    login = {"web/web-login": {"password", "user"}}
    assert listed(rendered) == ("description", login)
    assert "from the description: nothing is rendered yet" in rendered.ok("secrets", "list").out
    rendered.ok("mine")
    assert listed(rendered) == ("input", login | OTHERS)
    assert rendered.ok("secrets", "list").out.startswith(
        "# from what the objects in input/ refer to\n# working/ does not hold this stack: run `cluster-forge smelt`\n"
    )
    rendered.ok("smelt", "--yes")
    assert listed(rendered) == ("working", login | OTHERS)
    assert rendered.ok("secrets", "list").out.startswith(
        "# from what the objects in working/ refer to\n# web: the login\n"
    )


def test_another_name_in_the_values_is_the_one_that_is_expected(rendered: Workspace) -> None:
    rendered.ok("forge")
    rendered.replace("input/config.yaml", "values: {replicas: 2}", "values: {replicas: 2, existingSecret: mine}")
    assert "web/web-login" in listed(rendered)[1]
    assert "# working/ is out of date: run `cluster-forge smelt` first" in rendered.ok("secrets", "list").out
    rendered.ok("forge")
    assert listed(rendered) == ("working", {"web/mine": {"password", "user"}} | OTHERS)
    out = rendered.ok("secrets", "list").out
    assert "# web: Deployment.apps/web/reader refers to it, and it is not in the stack" in out
    assert "kubectl create secret generic mine --namespace web \\\n  --from-literal=" in out
    assert "kubectl create secret docker-registry pull --namespace web" in out
    assert "out of date" not in out
    assert listed(rendered, "extras") == ("working", {})


def test_secret_that_a_program_reads_by_a_fixed_name_stays(rendered: Workspace) -> None:
    rendered.replace("input/config.yaml", "secrets: [", "secrets: [{name: fixed, keys: {repository-password: any}}, ")
    rendered.ok("forge")
    assert listed(rendered)[1].keys() == {"web/fixed", "web/web-login", *OTHERS}


def test_external_secrets_have_the_type_and_keys_that_are_read(rendered: Workspace) -> None:
    rendered.ok("forge")
    text = rendered.ok("secrets", "list", "--external", "vault").out
    specs = {body["metadata"]["name"]: body["spec"] for body in yaml.safe_load_all(text)}
    assert specs["pull"]["target"] == {"name": "pull", "template": {"type": "kubernetes.io/dockerconfigjson"}}
    assert specs["whole"]["dataFrom"] == [{"extract": {"key": "whole"}}]
    assert specs["projected"]["data"] == [{"secretKey": "p", "remoteRef": {"key": "projected", "property": "p"}}]
    assert yaml.safe_load(rendered.ok("secrets", "list", "extras", "--external", "vault").out) is None


def test_stack_without_sources_is_rendered_already(workspace: Workspace) -> None:
    """As one in the legacy format, whose rendered manifests are in its input."""
    workspace.write({"input/config.yaml": "- {name: web, namespace: web, manifestpath: web/manifests}\n"})
    workspace.write({"input/web/manifests/reader.yaml": POD.replace("NAME", "mine")})
    assert listed(workspace) == ("input", {"web/mine": {"password", "user"}, "web/there": {"b"}} | OTHERS)


def test_part_that_is_not_rendered_counts_as_described(rendered: Workspace) -> None:
    rendered.ok("mine")
    more = "components:\n- {name: late, namespace: late, helm: {chart: ./charts/web}, secrets: [{name: s, keys: {k: any}}]}\n"
    rendered.replace("input/config.yaml", "components:\n", more)
    basis, secrets = listed(rendered)
    assert (basis, secrets["late/s"]) == ("input", {"k"})
    assert "# from the description, as they are not rendered: late" in rendered.ok("secrets", "list").out


@pytest.mark.parametrize(("annotation", "is_expected"), [("cert-manager.io/cluster-issuer", False), ("other", True)])
def test_certificate_of_an_ingress_is_expected_unless_cert_manager_makes_it(
    workspace: Workspace, annotation: str, is_expected: bool
) -> None:
    workspace.write({"input/charts/web/templates/site.yaml": INGRESS.replace("ANNOTATION", annotation)})
    workspace.ok("forge")
    assert listed(workspace) == ("working", {"web/site-tls": {"tls.crt", "tls.key"}} if is_expected else {})
    assert ("create secret tls site-tls" in workspace.ok("secrets", "list").out) == is_expected


EVIL = [
    "a\ntouch owned",
    "a\r\ntouch owned\r",
    "a\u2028touch owned",
    "a\x0btouch owned",
    "x\x1b[2K\rtouch owned",
    "'; touch owned; '",
    "$(touch owned)`touch owned`",
]


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("place", ["purpose", "key", "meaning", "name", "namespace"])
def test_output_is_safe_to_paste(workspace: Workspace, tmp_path: Path, evil: str, place: str) -> None:
    secret: dict[str, Any] = {"name": "s", "namespace": "n", "purpose": "p", "keys": {"k": "m"}}
    secret |= (
        {"keys": {evil: "m"}} if place == "key" else {"keys": {"k": evil}} if place == "meaning" else {place: evil}
    )
    workspace.replace(
        "input/config.yaml",
        "  helm: {chart: ./charts/web}\n",
        f"  helm: {{chart: ./charts/web}}\n  secrets: [{json.dumps(secret)}]\n",
    )
    result = workspace.run("secrets", "list")
    if result.code:
        return  # refused by the schema
    script = tmp_path / "pasted" / "make.sh"
    script.parent.mkdir()
    script.write_text(f"kubectl() {{ :; }}\n{result.out}")
    subprocess.run(["sh", "make.sh"], cwd=script.parent, check=True, capture_output=True)
    assert [path.name for path in script.parent.iterdir()] == ["make.sh"]
    lines = result.out.splitlines()
    assert all(line.startswith(("#", "kubectl create secret ", "  --from-literal=")) or not line for line in lines)
