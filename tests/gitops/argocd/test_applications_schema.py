"""Every Application is valid by Argo CD's own CRD, without unknown fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster_forge.adapters.helm.sdk import HelmSdk
from cluster_forge.gitops.argocd import applications
from cluster_forge.manifests.part import Part
from cluster_forge.ports.rendering import RenderRequest
from cluster_forge.stack.model import GitOps, GitOpsMode, KubernetesVersion, RepositorySource, Stack

Make = Callable[..., Any]


TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}


def violations(schema: dict[str, Any], value: Any, path: str = "") -> Iterator[str]:
    """The violations of a structural schema (Kubernetes, "Specifying a structural schema")."""
    if schema.get("x-kubernetes-int-or-string"):
        if not isinstance(value, (int, str)):
            yield f"{path}: neither a number nor a string"
        return
    expected = TYPES[schema["type"]]
    if not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected):
        yield f"{path}: not of type {schema['type']}: {value!r}"
    elif isinstance(value, dict):
        yield from in_mapping(schema, value, path)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from violations(schema["items"], inner, f"{path}[{number}]")
    elif value not in schema.get("enum", [value]):
        yield f"{path}: {value!r} is not one of {schema['enum']}"


def in_mapping(schema: dict[str, Any], value: dict[str, Any], path: str) -> Iterator[str]:
    properties: dict[str, Any] = schema.get("properties", {})
    others: dict[str, Any] = schema.get("additionalProperties", {})
    yield from (f"{path}.{name} is missing" for name in schema.get("required", ()) if name not in value)
    for name, inner in value.items():
        if name in properties or others:
            yield from violations(properties.get(name, others), inner, f"{path}.{name}")
        elif properties:
            yield f"{path}.{name} is unknown"


@pytest.fixture(scope="module")
def schema(corpus: Path, chart: str) -> dict[str, Any]:
    request = RenderRequest(
        chart=(corpus / "mirror" / "charts" / chart).read_bytes(),
        values={},
        release="argo-cd",
        namespace="argocd",
        kubernetes=KubernetesVersion(1, 33),
        api_versions=[],
    )
    texts = HelmSdk().render(request).templates
    (text,) = (text for path, text in texts.items() if path.endswith("crd-application.yaml"))
    (version,) = yaml.safe_load(text)["spec"]["versions"]
    content: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return content


@pytest.fixture(scope="module", params=["argo-cd-10.1.1.tgz", "argo-cd-8.3.5.tgz"])
def chart(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.corpus
@pytest.mark.parametrize(
    "gitops",
    [
        GitOps(finalizers=True),
        GitOps(mode=GitOpsMode.HEADLESS),
        GitOps(source=RepositorySource.OCI, url="registry.example.com/a/b"),
        GitOps(install=False, source=RepositorySource.EXTERNAL, url="https://git.example.com/a.git"),
    ],
)
def test_every_application_is_valid(
    schema: dict[str, Any], gitops: GitOps, parts: tuple[Part, ...], make_part: Make, make_body: Make
) -> None:
    webhook = make_body("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "w")
    bodies = applications.applications(
        Stack(name="demo", gitops=gitops), (*parts, make_part("hooked", [webhook])), "v-1"
    )
    assert len(bodies) == 6
    assert [violation for body in bodies for violation in violations(schema, body)] == []


@pytest.mark.corpus
def test_an_invalid_application_has_violations(schema: dict[str, Any], parts: tuple[Part, ...]) -> None:
    body = applications.root(Stack(name="demo"), parts, "v-1")
    wrong = {**body, "spec": {**body["spec"], "syncPolicy": {"retry": {"limit": "10"}}, "projekt": "default"}}
    assert set(violations(schema, wrong)) == {
        ".spec.syncPolicy.retry.limit: not of type integer: '10'",
        ".spec.projekt is unknown",
    }
