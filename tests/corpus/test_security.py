"""Security of real charts: what is planted in what they render is found, and every finding on the real stacks was looked at."""

from __future__ import annotations

import copy
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from tests.checks.security.secret_forms import FORMS, NEAR_FORMS
from tests.checks.security.security_objects import namespace

from cluster_forge.checks import registry
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.security import plaintext_secret
from cluster_forge.checks.security.grants import GROUP
from cluster_forge.checks.security.pod_standards import Level, strictest
from cluster_forge.checks.security.pod_template import PodTemplate
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.manifest import Manifest, Provenance

if TYPE_CHECKING:
    from tests.corpus.conftest import Forged

pytestmark = pytest.mark.corpus

CODES = ("plaintext-secret", "pod-security", "rbac-wide", "unpinned-image")
MOST = 12
"""Objects that each error is planted in."""
Change = Callable[[dict[str, Any]], None]
PLAIN = "Wv9kQ2xTz7mLp4Rb"


@pytest.fixture(scope="module")
def objects(everything: Forged) -> list[Manifest]:
    return [manifest for manifest in everything.manifests if manifest.id.kind != "CustomResourceDefinition"]


def found(everything: Forged, manifests: list[Manifest]) -> Counter[tuple[str, Severity, str]]:
    """The findings of the room: code, severity, object."""
    checked = CheckedStack(everything.stack, manifests, waves={})
    findings = (finding for check in registry.SECURITY for finding in check.findings(checked))
    return Counter((finding.code, finding.severity, str(finding.object)) for finding in findings)


def pods_of(body: dict[str, Any]) -> dict[str, Any]:
    spec = body["spec"]
    spec = spec["jobTemplate"]["spec"] if body["kind"] == "CronJob" else spec
    pod: dict[str, Any] = spec["template"]["spec"] if "template" in spec else spec
    return pod


def first(body: dict[str, Any]) -> dict[str, Any]:
    container: dict[str, Any] = pods_of(body)["containers"][0]
    return container


def context(**given: Any) -> Change:
    return lambda body: first(body).setdefault("securityContext", {}).update(given)


def environment(name: str, value: str) -> Change:
    return lambda body: first(body).update(env=[*(first(body).get("env") or []), {"name": name, "value": value}])


def argument(text: str) -> Change:
    return lambda body: first(body).update(args=[*(first(body).get("args") or []), text])


def untagged(body: dict[str, Any]) -> None:
    first(body)["image"] = first(body)["image"].partition("@")[0].rpartition(":")[0]


def latest(body: dict[str, Any]) -> None:
    untagged(body)
    first(body)["image"] += ":latest"


def of_pod(**given: Any) -> Change:
    return lambda body: pods_of(body).update(given)


def mounted(body: dict[str, Any]) -> None:
    pods_of(body)["volumes"] = [*(pods_of(body).get("volumes") or []), {"name": "x", "hostPath": {"path": "/etc"}}]


def host_port(body: dict[str, Any]) -> None:
    first(body)["ports"] = [{"containerPort": 9, "hostPort": 9}]


def rule(*verbs: str, group: str = "*", resource: str = "*", **more: Any) -> Change:
    given = {"apiGroups": [group], "resources": [resource], "verbs": list(verbs), **more}
    return lambda body: body.update(rules=[*(body.get("rules") or []), given])


WORKLOADS: list[tuple[str, Severity, Change]] = [
    ("pod-security", Severity.WARNING, context(privileged=True)),
    ("pod-security", Severity.WARNING, context(capabilities={"add": ["SYS_ADMIN"]})),
    ("pod-security", Severity.WARNING, context(procMount="Unmasked")),
    ("pod-security", Severity.WARNING, context(seccompProfile={"type": "Unconfined"})),
    ("pod-security", Severity.WARNING, of_pod(hostPID=True)),
    ("pod-security", Severity.WARNING, of_pod(hostIPC=True)),
    ("pod-security", Severity.WARNING, of_pod(hostNetwork=True)),
    ("pod-security", Severity.WARNING, mounted),
    ("pod-security", Severity.WARNING, host_port),
    ("unpinned-image", Severity.WARNING, untagged),
    ("unpinned-image", Severity.WARNING, latest),
    ("plaintext-secret", Severity.WARNING, environment("DB_PASSWORD", "tulip9harbour")),
    ("plaintext-secret", Severity.WARNING, environment("API_TOKEN", PLAIN)),
    ("plaintext-secret", Severity.WARNING, environment("DSN", "mysql://shop:tulip9harbour@db/shop")),
    ("plaintext-secret", Severity.WARNING, argument("--admin-password=tulip9harbour")),
    ("plaintext-secret", Severity.WARNING, argument(f"--client-secret={PLAIN}")),
]
NEAR_MISSES: list[Change] = [
    context(privileged=False, runAsUser=1000),
    context(seccompProfile={"type": "RuntimeDefault"}),
    of_pod(hostPID=False, hostNetwork=False, dnsPolicy="Default"),
    environment("DB_PASSWORD_FILE", "/run/secrets/password"),
    environment("DB_PASSWORD", "$(FROM_ELSEWHERE)"),
    environment("TOKEN_TTL", "24h"),
    environment("SECRET_NAME", "web-credentials"),
    argument("--password-file=/run/secrets/password"),
    argument("--token-reviewer=true"),
    argument("--tls-secret=web-tls"),
]
ROLES: list[tuple[Severity, Change]] = [
    (Severity.WARNING, rule("*")),
    (Severity.WARNING, rule("get", "update")),
    (Severity.WARNING, rule("escalate", group=GROUP, resource="clusterroles")),
    (Severity.WARNING, rule("bind", group=GROUP, resource="roles")),
    (Severity.WARNING, rule("impersonate", group="", resource="groups")),
    (Severity.NOTICE, rule("list", group="", resource="secrets")),
    (Severity.NOTICE, rule("create", group="batch", resource="jobs")),
    (Severity.NOTICE, rule("create", group="", resource="pods/exec")),
]
HARMLESS_RULES: list[Change] = [
    rule("get", group="", resource="configmaps"),
    rule("get", group="", resource="secrets", resourceNames=["web"]),
    rule("bind", group=GROUP, resource="clusterroles", resourceNames=["view"]),
    rule("*", group="example.com"),
    rule("update", group="", resource="pods/status"),
]


def planted(manifest: Manifest, change: Change) -> Manifest:
    body = copy.deepcopy(dict(manifest.body))
    change(body)
    return Manifest.of(body, Provenance(component=manifest.provenance.component, origin=manifest.provenance.origin))


def sound_workloads(objects: list[Manifest], before: Counter[tuple[str, Severity, str]]) -> Iterator[Manifest]:
    """Workloads without a finding, of as many components as there are; those of kube-system may reach the node."""
    named = {name for _, _, name in before}
    components = set()
    for manifest in objects:
        containers = [container for pod in PodTemplate.of(manifest) for container in pod.containers]
        is_sound = containers and str(manifest.id) not in named and manifest.id.namespace != "kube-system"
        if is_sound and manifest.provenance.component not in components:
            components.add(manifest.provenance.component)
            yield manifest


def bound_roles(objects: list[Manifest], before: Counter[tuple[str, Severity, str]]) -> list[Manifest]:
    """Roles for the whole cluster that a ServiceAccount has, without a finding."""
    bound = {
        manifest.body["roleRef"]["name"]
        for manifest in objects
        if manifest.id.kind == "ClusterRoleBinding"
        and any(subject["kind"] == "ServiceAccount" for subject in manifest.body.get("subjects") or ())
    }
    named = {name for _, _, name in before}
    return [
        one for one in objects if one.id.kind == "ClusterRole" and one.id.name in bound and str(one.id) not in named
    ]


def replaced(objects: list[Manifest], old: Manifest, new: Manifest) -> list[Manifest]:
    """The object alone with what it depends on: the whole stack for each error would take minutes."""
    related = {"Namespace", "ClusterRoleBinding", "RoleBinding"}
    return [new, *(one for one in objects if one.id.kind in related and one is not old)]


def test_planted_errors_are_found(everything: Forged, objects: list[Manifest]) -> None:
    before = found(everything, objects)
    missed, number = [], Counter[str]()
    for code, severity, change in WORKLOADS:
        for manifest in list(sound_workloads(objects, before))[:MOST]:
            after = found(everything, replaced(objects, manifest, planted(manifest, change)))
            number[code] += 1
            if not after[code, severity, str(manifest.id)]:
                missed.append((code, str(manifest.id)))
    for severity, change in ROLES:
        for manifest in bound_roles(objects, before)[:MOST]:
            after = found(everything, replaced(objects, manifest, planted(manifest, change)))
            number["rbac-wide"] += 1
            if not after["rbac-wide", severity, str(manifest.id)]:
                missed.append(("rbac-wide", str(manifest.id)))
    assert missed == []
    assert {code: number[code] >= 10 for code in CODES} == dict.fromkeys(CODES, True)


def test_near_misses_are_not_found(everything: Forged, objects: list[Manifest]) -> None:
    before = found(everything, objects)
    wrong = []
    for change in NEAR_MISSES:
        for manifest in list(sound_workloads(objects, before))[:MOST]:
            after = found(everything, replaced(objects, manifest, planted(manifest, change)))
            wrong += [(finding, str(manifest.id)) for finding in after if finding[2] == str(manifest.id)]
    for change in HARMLESS_RULES:
        for manifest in bound_roles(objects, before)[:MOST]:
            after = found(everything, replaced(objects, manifest, planted(manifest, change)))
            wrong += [(finding, str(manifest.id)) for finding in after if finding[2] == str(manifest.id)]
    assert wrong == []


def script(form: str) -> Change:
    return lambda body: body.setdefault("data", {}).update({"planted": f"begin\n{form}\nend\n"})


def of_shell(form: str) -> Change:
    return lambda body: first(body).update(command=["sh", "-c", form])


def annotation(form: str) -> Change:
    return lambda body: body["metadata"].update(
        annotations={**(body["metadata"].get("annotations") or {}), "planted": form}
    )


def with_form(objects: list[Manifest], form: str, kind: str) -> int:
    """In how many of real objects the form is found: in `MOST` ConfigMaps, scripts or annotations that held no secret."""
    change = {"ConfigMap": script, "Deployment": of_shell, "Service": annotation}[kind](form)
    sound = (one for one in objects if one.id.kind == kind and not list(plaintext_secret.of(one)))
    return sum(bool(list(plaintext_secret.of(planted(one, change)))) for one in itertools.islice(sound, MOST))


@pytest.mark.parametrize("kind", ["ConfigMap", "Deployment", "Service"])
def test_each_form_of_a_secret_is_found_in_real_objects_and_what_looks_like_it_is_not(
    objects: list[Manifest], kind: str
) -> None:
    assert {form: with_form(objects, form, kind) for form in FORMS} == dict.fromkeys(FORMS, MOST)
    assert {form: with_form(objects, form, kind) for form in NEAR_FORMS} == dict.fromkeys(NEAR_FORMS, 0)


def test_a_namespace_that_enforces_a_level_refuses_what_does_not_keep_it(
    everything: Forged, objects: list[Manifest]
) -> None:
    minor = everything.stack.target.kubernetes.minor
    counted = Counter[bool]()
    for manifest in objects:
        for pod in PodTemplate.of(manifest):
            after = found(everything, [manifest, namespace("restricted", manifest.id.namespace)])
            is_refused = bool(after["pod-security", Severity.ERROR, str(manifest.id)])
            assert is_refused is (strictest(pod, minor) is not Level.RESTRICTED)
            counted[is_refused] += 1
    assert min(counted[True], counted[False]) >= 10


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        ("prd", {"plaintext-secret": 3, "pod-security": 6, "rbac-wide": 2, "unpinned-image": 1}),
        ("everything", {"plaintext-secret": 9, "pod-security": 13, "rbac-wide": 5, "unpinned-image": 1}),
    ],
)
def test_the_warnings_of_the_real_stacks_were_looked_at(
    stack: str, expected: dict[str, int], request: pytest.FixtureRequest
) -> None:
    """All of them are true: what they say stands in the charts, and the mending that they name would take them away."""
    forged: Forged = request.getfixturevalue(stack)
    severities = Counter(
        (finding.code, finding.severity) for finding in forged.smelted.findings if finding.code in CODES
    )
    assert {code: number for (code, severity), number in severities.items() if severity is Severity.WARNING} == expected
    assert all(severity is not Severity.ERROR for _, severity in severities)
