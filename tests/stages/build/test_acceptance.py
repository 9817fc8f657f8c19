"""Findings about single objects: what the target's API server refuses, and what reading their documents lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.remark import Remark
from cluster_forge.stack.component import KustomizeSource
from cluster_forge.stack.model import KubernetesVersion, Stack, Target
from cluster_forge.stages.build.assembly import assembly_findings
from cluster_forge.stages.build.rendering.rendered_component import RenderedComponent
from cluster_forge.stages.build.smelt import SmeltResult

if TYPE_CHECKING:
    from tests.stages.conftest import Harness

EXPORTED = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  uid: 1-2\n  creationTimestamp: '2026-01-01T00:00:00Z'\n"
    "data: {a: b}\n"
)
REPEATED = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  a: b\n  a: c\n"


def object_of(api_version: str, kind: str, name: str = "a", more: str = "") -> str:
    return f"apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: {name}}}\n{more}"


def stack(harness: Harness, *documents: str, minor: int = 33) -> Stack:
    manifests = (harness.input("a.yaml", *documents),)
    return harness.stack(
        harness.component("web", manifests=manifests), target=Target(kubernetes=KubernetesVersion(1, minor))
    )


def forged(harness: Harness, *documents: str, minor: int = 33) -> SmeltResult:
    return harness.forge(stack(harness, *documents, minor=minor))


def only(smelted: SmeltResult, code: str) -> Finding:
    (finding,) = (finding for finding in smelted.findings if finding.code == code)
    return finding


@pytest.mark.parametrize("name", ["'${name}'", "Web", '"web\\n"', "a" * 75])
def test_an_invalid_name_is_an_error_with_its_place(harness: Harness, name: str) -> None:
    smelted = forged(harness, object_of("v1", "Service", name))
    finding = only(smelted, "invalid-name")
    assert (finding.severity, finding.where) == (Severity.ERROR, "input/a.yaml:1")
    assert not smelted.is_written


def test_an_invalid_label_of_a_pod_template_is_an_error(harness: Harness) -> None:
    more = "spec: {template: {metadata: {labels: {version: '1.5 beta'}}, spec: {containers: []}}}\n"
    finding = only(forged(harness, object_of("apps/v1", "Deployment", more=more)), "invalid-name")
    assert "cannot be the value of the label version in spec.template.metadata" in finding.message


@pytest.mark.parametrize(
    ("api_version", "kind", "code"),
    [("apps/v1", "Deployment", "schema-invalid"), ("example.com/v1", "Widget", "invalid-name")],
)
def test_a_label_that_is_not_text_is_reported_once(harness: Harness, api_version: str, kind: str, code: str) -> None:
    more = "spec: {template: {metadata: {labels: {version: 1.5}}, spec: {containers: []}}}\n"
    smelted = forged(harness, object_of(api_version, kind, more=more))
    about = [one for one in smelted.findings if "labels.version" in (one.field or one.message)]
    assert [one.code for one in about] == [code]


def test_a_generated_name_may_end_in_a_hyphen(harness: Harness) -> None:
    job = (
        "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: migrate-}\n"
        f"spec: {{template: {{spec: {{restartPolicy: Never, containers: [{harness.container('migrate')}]}}}}}}\n"
    )
    assert forged(harness, job).findings == ()


@pytest.mark.parametrize(
    ("api", "kind", "minor", "severity", "message", "fix"),
    [
        (
            "policy/v1beta1",
            "PodDisruptionBudget",
            33,
            Severity.ERROR,
            "Kubernetes 1.33 does not serve PodDisruptionBudget of policy/v1beta1",
            "write `apiVersion: policy/v1`",
        ),
        (
            "extensions/v1beta1",
            "Ingress",
            33,
            Severity.ERROR,
            "does not serve Ingress of extensions/v1beta1",
            "write `apiVersion: networking.k8s.io/v1`",
        ),
        ("policy/v1beta1", "PodSecurityPolicy", 33, Severity.ERROR, "PodSecurityPolicy", "remove the object"),
        (
            "flowcontrol.apiserver.k8s.io/v1beta3",
            "FlowSchema",
            33,
            Severity.ERROR,
            "; 1.26 to 1.31 do",
            "write `apiVersion: flowcontrol.apiserver.k8s.io/v1`",
        ),
        ("resource.k8s.io/v1", "DeviceClass", 33, Severity.WARNING, "; 1.34 to 1.37 do", "remove the object"),
        (
            "resource.k8s.io/v1beta1",
            "DeviceClass",
            33,
            Severity.WARNING,
            "only with `--runtime-config=resource.k8s.io/v1beta1=true`",
            "set that option",
        ),
        (
            "autoscaling/v2beta2",
            "HorizontalPodAutoscaler",
            33,
            Severity.ERROR,
            "; 1.25 does",
            "write `apiVersion: autoscaling/v2`",
        ),
        ("v2", "Service", 33, Severity.ERROR, "does not serve Service of v2", "write `apiVersion: v1`"),
        (
            "apps/v1",
            "Deploymnet",
            33,
            Severity.ERROR,
            "does not serve Deploymnet of apps/v1",
            "write `kind: Deployment`",
        ),
    ],
)
def test_an_api_that_the_target_does_not_serve_is_a_finding(  # noqa: PLR0917 - one row of the table
    harness: Harness, api: str, kind: str, minor: int, severity: Severity, message: str, fix: str
) -> None:
    finding = only(forged(harness, object_of(api, kind), minor=minor), "removed-api")
    assert (finding.severity, finding.where) == (severity, "input/a.yaml:1")
    assert message in finding.message
    assert finding.fix.startswith(fix)


def test_the_same_api_is_served_by_another_target(harness: Harness) -> None:
    flow = object_of("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema")
    findings = forged(harness, flow, minor=31).findings
    assert [(finding.code, finding.severity) for finding in findings] == [("deprecated-api", Severity.WARNING)]
    assert "breaks at 1.32" in findings[0].message


def test_a_version_that_the_crd_does_not_serve_is_an_error(harness: Harness) -> None:
    smelted = forged(harness, harness.crd("Widget"), object_of("example.com/v1alpha7", "Widget"))
    finding = only(smelted, "removed-api")
    assert "example.com/v1alpha7 is not served: the CRD in the stack serves example.com/v1" in finding.message
    assert forged(harness, harness.crd("Widget"), object_of("example.com/v1", "Widget")).findings == ()


def test_fields_of_the_api_server_are_dropped_with_a_notice(harness: Harness) -> None:
    smelted = forged(harness, EXPORTED)
    finding = only(smelted, "server-field")
    assert finding.severity is Severity.NOTICE
    assert "metadata.creationTimestamp, metadata.uid" in finding.message
    assert "uid" not in harness.working["web/configmap_web_a.yaml"]
    assert "a: b" in harness.working["web/configmap_web_a.yaml"]


def test_an_owner_of_another_cluster_is_a_warning(harness: Harness) -> None:
    owned = EXPORTED.replace(
        "uid: 1-2", "ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web, uid: 1-2}]"
    ).replace("  creationTimestamp: '2026-01-01T00:00:00Z'\n", "")
    finding = only(forged(harness, owned), "server-field")
    assert (finding.severity, finding.fix) == (Severity.WARNING, "remove ownerReferences")
    assert "ownerReferences" in harness.working["web/configmap_web_a.yaml"]


def test_an_invalid_namespace_is_one_error(harness: Harness) -> None:
    """Not another one for the Namespace that is added for it."""
    finding = only(forged(harness, harness.config_map("a", namespace="'${ns}'")), "invalid-name")
    assert "'${ns}' cannot be a namespace" in finding.message


def test_a_repeated_key_is_a_warning(harness: Harness) -> None:
    finding = only(forged(harness, harness.config_map("b"), REPEATED), "repeated-key")
    assert (finding.severity, finding.where) == (Severity.WARNING, "input/a.yaml:7")
    assert "data.a (line 7)" in finding.message
    assert "a: c" in harness.working["web/configmap_web_a.yaml"]


def test_mine_reports_what_the_documents_of_a_chart_lose(harness: Harness) -> None:
    """The sourced tree does not show it, so the findings of `smelt` are the same whether it was rendered or reused."""
    chart = harness.chart("web", {"a.yaml": EXPORTED, "b.yaml": REPEATED.replace("name: a", "name: b")})
    described = harness.stack(harness.component("web", helm=chart))
    first = harness.forge(described)
    assert [finding.code for finding in harness.reporter.findings] == ["server-field", "repeated-key"]
    assert first.findings == harness.smelt(described).findings == ()


@pytest.mark.parametrize(
    ("api", "kind", "fix"),
    [
        ("apps/v1", "deployment", "write `kind: Deployment`"),
        ("v1", "Configmap", "write `kind: ConfigMap`"),
        ("apps/v1", "Deploymnet", "write `kind: Deployment`"),
        ("Apps/V1", "Deployment", "write `apiVersion: apps/v1`"),
        ("v2", "ConfigMap", "write `apiVersion: v1`"),
        ("v1", "Deployment", "write `apiVersion: apps/v1`"),
        ("policy/v1beta1", "PodSecurityPolicy", "remove the object"),
        ("v1", "Status", "remove the object"),
    ],
)
def test_a_misspelled_kind_comes_with_the_line_to_write(harness: Harness, api: str, kind: str, fix: str) -> None:
    finding = only(forged(harness, object_of(api, kind)), "removed-api")
    assert finding.severity is Severity.ERROR
    assert finding.fix.startswith(fix)


def test_an_item_of_a_list_and_a_hook_are_checked_too(harness: Harness) -> None:
    items = "{apiVersion: policy/v1beta1, kind: PodDisruptionBudget, metadata: {name: a}}"
    smelted = forged(harness, f"apiVersion: v1\nkind: List\nitems: [{items}]\n")
    assert only(smelted, "removed-api").object is not None
    hook = "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: a, annotations: {helm.sh/hook: pre-install}}\n"
    assert "CronJob of batch/v1beta1" in only(forged(harness, hook), "removed-api").message


@pytest.mark.parametrize(
    ("api", "kind", "hint"),
    [
        ("example.com/v1", "thing", ", did you mean 'Thing'?"),
        ("example.com/v1", "Thingg", ", did you mean 'Thing'?"),
        ("example.org/v1", "Thing", ", did you mean Thing of example.com?"),
        ("example.org/v1", "Other", ""),
    ],
)
def test_an_unknown_kind_names_the_one_that_is_meant(harness: Harness, api: str, kind: str, hint: str) -> None:
    finding = only(forged(harness, harness.crd("Thing"), object_of(api, kind)), "missing-crd")
    assert finding.message.endswith(f"neither the target version nor the stack defines it{hint}")
    assert f"`cluster-forge catalog search {api.partition('/')[0]}`" in finding.fix


def test_a_kind_of_a_group_that_the_target_provides_needs_a_namespace_only(harness: Harness) -> None:
    route = "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: a%s}\n"
    target = Target(provides=("route.openshift.io",))
    for namespace, codes in ((", namespace: web", set()), ("", {"missing-crd"})):
        manifests = (harness.input("a.yaml", route % namespace),)
        smelted = harness.forge(harness.stack(harness.component("web", manifests=manifests), target=target))
        assert {finding.code for finding in smelted.findings} == codes
    assert {finding.code for finding in forged(harness, route % ", namespace: web").findings} == {"missing-crd"}


def test_helms_warnings_are_findings_in_each_run(harness: Harness) -> None:
    helm = harness.chart("web", {"map.yaml": harness.config_map("web")}, values="size: 1", about="deprecated: true")
    described = harness.stack(harness.component("web", helm=helm, values={"size": {"a": "canary"}}))
    rendered = harness.forge(described)
    reused = harness.forge(described)
    for smelted in (rendered, reused, harness.smelt(described)):
        warnings = [finding for finding in smelted.findings if finding.code == "helm-warning"]
        assert [(finding.severity, finding.component, finding.where) for finding in warnings] == [
            (Severity.WARNING, "web", "input/config.yaml:web")
        ] * 2
        assert [finding.message for finding in warnings] == [
            "`size` is a table, and its default a number: the default is ignored",
            "the chart web is deprecated: its maintainers no longer update it",
        ]
        assert [finding.fix for finding in warnings] == [
            "write a number, unless the chart takes a table, too",
            "look for its successor in the chart's README, or in its repository",
        ]
    assert harness.engine.renders_of("web") == 1
    assert "canary" not in harness.files.files["cluster-forge.lock"].decode()
    mended = harness.stack(harness.component("web", helm=helm, values={"size": 2}))
    assert [finding.message for finding in harness.forge(mended).findings] == [
        "the chart web is deprecated: its maintainers no longer update it"
    ]


def test_what_kustomize_warns_of_is_a_finding_with_its_own_code(harness: Harness) -> None:
    component = harness.component("shop", kustomize=KustomizeSource(path="shop"))
    remark = Remark(severity=Severity.NOTICE, message="'commonLabels' is deprecated", fix="use 'labels' instead")
    (finding,) = assembly_findings.remarks(RenderedComponent(component=component, remarks=(remark,)))
    assert (finding.code, finding.severity, finding.component) == ("kustomize-warning", Severity.NOTICE, "shop")
    assert (finding.message, finding.fix) == (remark.message, remark.fix)
