from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cluster_forge.gitops import revision
from cluster_forge.gitops.argocd import applications
from cluster_forge.manifests import emitter
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import GitOps, GitOpsEngine, GitOpsMode, RepositorySource, Stack

Make = Callable[..., Any]


STACK = Stack(name="demo")


def tag(stack: Stack, parts: tuple[Part, ...]) -> str:
    return revision.of(parts, map(emitter.document, applications.applications(stack, parts, "")))


def by_name(stack: Stack, parts: tuple[Part, ...]) -> dict[str, Any]:
    """The Applications by their files, without the ending: as the components are called, and the root as the stack."""
    bodies = applications.applications(stack, parts, "v-1")
    return {applications.file_name(body, stack, parts).removesuffix(".yaml"): body for body in bodies}


def test_each_part_has_an_application_and_the_root_is_last(parts: tuple[Part, ...]) -> None:
    bodies = applications.applications(STACK, parts, "v-1")
    assert [body["metadata"]["name"] for body in bodies] == [
        *("demo.crds.1", "demo.argo-cd", "demo.definitions", "demo.shop", "demo.argo-apps")
    ]
    assert {body["metadata"]["namespace"] for body in bodies} == {"argocd"}
    waves = [body["metadata"]["annotations"].get("argocd.argoproj.io/sync-wave") for body in bodies]
    assert waves == ["-111", "-110", "-100", "10", None]


def test_an_application_has_source_destination_and_sync_policy(parts: tuple[Part, ...]) -> None:
    assert by_name(STACK, parts)["definitions"] == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": "demo.definitions",
            "namespace": "argocd",
            "labels": {"app.kubernetes.io/managed-by": "cluster-forge", "cluster-forge/stack": "demo"},
            "annotations": {
                "argocd.argoproj.io/compare-options": "ServerSideDiff=true",
                "argocd.argoproj.io/sync-wave": "-100",
            },
            "finalizers": ["resources-finalizer.argocd.argoproj.io"],
        },
        "spec": {
            "project": "demo.project",
            "source": {
                "repoURL": "git://git-demo.cluster-forge.svc/demo.git",
                "targetRevision": "v-1",
                "path": "definitions",
                "directory": {"exclude": "customresourcedefinition.apiextensions.k8s.io_widgets.example.com.yaml"},
            },
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "definitions"},
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "syncOptions": ["ServerSideApply=true", "CreateNamespace=false"],
                "retry": {"limit": 10, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "3m"}},
            },
        },
    }


def test_the_root_contains_the_applications_but_not_itself(parts: tuple[Part, ...]) -> None:
    root = by_name(STACK, parts)["demo"]
    assert root["spec"]["source"]["path"] == "argo-apps"
    assert root["spec"]["source"]["targetRevision"] == "v-1"
    assert root["spec"]["source"]["directory"] == {"exclude": "demo.yaml"}
    assert root["spec"]["destination"]["namespace"] == "argocd"


def test_the_file_of_the_root_has_another_name_than_every_part(parts: tuple[Part, ...], make_part: Make) -> None:
    assert by_name(Stack(name="shop"), parts)["shop-root"]["metadata"]["name"] == "shop.argo-apps"
    more = (*parts, make_part("shop-root", [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}]))
    assert by_name(Stack(name="shop"), more)["shop-root-root"]["metadata"]["name"] == "shop.argo-apps"


def test_no_two_stacks_have_an_application_in_common() -> None:
    pairs = [("a-b", "c"), ("a", "b-c"), ("a", "a"), ("a-a", "a"), ("a", "argo-apps"), ("a" * 63, "b"), ("a" * 63, "c")]
    names = {applications.name(stack, component) for stack, component in pairs}
    assert len(names) == len(pairs)
    assert all(len(name) <= 63 and "." in name and name[-1] not in ".-" for name in names)


def test_an_application_is_never_called_as_one_of_the_older_naming(parts: tuple[Part, ...]) -> None:
    """Those were DNS labels: a component's name, the stack's, or the stack's with ``-root``."""
    bodies = applications.applications(STACK, parts, "v-1")
    assert all("." in body["metadata"]["name"] for body in bodies)


def test_the_applications_are_in_the_namespace_of_argo_cd(
    parts: tuple[Part, ...], make_part: Make, make_body: Make
) -> None:
    crd = make_body("apiextensions.k8s.io/v1", "CustomResourceDefinition", "applications.argoproj.io")
    bodies = by_name(STACK, (parts[0], make_part("gitops", [crd], namespace="delivery")))
    assert {body["metadata"]["namespace"] for body in bodies.values()} == {"delivery"}


def test_the_applications_of_an_existing_argo_cd_have_no_namespace(parts: tuple[Part, ...]) -> None:
    bodies = by_name(Stack(name="demo", gitops=GitOps(install=False)), parts[:1])
    assert all("namespace" not in body["metadata"] for body in bodies.values())
    assert bodies["demo"]["spec"]["source"]["directory"] == {"exclude": "demo.yaml"}


def test_direct_delivery_has_no_applications(parts: tuple[Part, ...]) -> None:
    assert applications.applications(Stack(name="demo", gitops=GitOps(engine=GitOpsEngine.NONE)), parts, "v-1") == ()


def test_a_part_without_objects_has_no_application(parts: tuple[Part, ...], make_part: Make) -> None:
    assert "empty" not in by_name(STACK, (*parts, make_part("empty", [])))


@pytest.mark.parametrize(
    ("gitops", "url"),
    [
        (GitOps(), "git://git-demo.cluster-forge.svc/demo.git"),
        (
            GitOps(source=RepositorySource.EXTERNAL, url="https://git.example.com/x.git"),
            "https://git.example.com/x.git",
        ),
        (GitOps(source=RepositorySource.OCI, url="registry.example.com/x"), "oci://registry.example.com/x"),
        (GitOps(source=RepositorySource.OCI, url="oci://registry.example.com/x"), "oci://registry.example.com/x"),
    ],
)
def test_the_source_follows_from_the_description(gitops: GitOps, url: str) -> None:
    assert applications.repository_url(Stack(name="demo", gitops=gitops)) == url


def test_objects_go_with_their_component_and_all_of_them_with_the_root_where_one_says_so(
    parts: tuple[Part, ...],
) -> None:
    def with_finalizer(gitops: GitOps) -> set[str]:
        bodies = by_name(Stack(name="demo", gitops=gitops), parts)
        return {name for name, body in bodies.items() if "finalizers" in body["metadata"]}

    components = {str(part.name) for part in parts if part.objects} - {"argo-cd"}
    root = set(by_name(STACK, parts)) - components - {"argo-cd", "crds.1"}
    assert with_finalizer(GitOps()) == components
    assert with_finalizer(GitOps(finalizers=True)) == components | root


def test_custom_resources_skip_the_dry_run_of_unknown_kinds(parts: tuple[Part, ...]) -> None:
    options = {name: body["spec"]["syncPolicy"]["syncOptions"] for name, body in by_name(STACK, parts).items()}
    assert "SkipDryRunOnMissingResource=true" in options["shop"]
    assert "SkipDryRunOnMissingResource=true" in options["argo-cd"]
    assert "SkipDryRunOnMissingResource=true" not in options["definitions"]


def test_a_part_with_a_plain_job_is_compared_by_the_client(make_part: Make, make_body: Make) -> None:
    job, claims = make_body("batch/v1", "Job", "j", "a"), make_body("apps/v1", "StatefulSet", "db", "a")
    hook = make_body("batch/v1", "Job", "h", "a", annotations={"helm.sh/hook": "pre-install"})
    argo = make_part(
        "argo", [make_body("apiextensions.k8s.io/v1", "CustomResourceDefinition", "applications.argoproj.io")]
    )
    bodies = by_name(STACK, (argo, make_part("jobs", [job, claims]), make_part("hooks", [hook, claims])))
    options = {
        name: body["metadata"]["annotations"]["argocd.argoproj.io/compare-options"] for name, body in bodies.items()
    }
    assert options["jobs"] == "ServerSideDiff=false"
    assert options["hooks"] == "ServerSideDiff=true"
    (claimed,) = bodies["jobs"]["spec"]["ignoreDifferences"]
    assert ".spec.volumeClaimTemplates[]?.status" in claimed["jqPathExpressions"]
    assert "ignoreDifferences" not in bodies["hooks"]["spec"]


def test_fields_that_controllers_write_are_not_compared(make_part: Make, make_body: Make) -> None:
    crds = "apiextensions.k8s.io/v1", "CustomResourceDefinition"
    converting = make_body(*crds, "a.example.com", spec={"conversion": {"strategy": "Webhook"}})
    hooks = [
        make_body("admissionregistration.k8s.io/v1", f"{kind}WebhookConfiguration", "w")
        for kind in ("Mutating", "Validating")
    ]
    api = make_body("apiregistration.k8s.io/v1", "APIService", "v1.a.example.com")
    argo = make_part("argo", [make_body(*crds, "applications.argoproj.io")])
    bodies = by_name(STACK, (argo, make_part("webhooks", [converting, *hooks, api])))

    def ignored(name: str) -> dict[str, list[str]]:
        return {entry["kind"]: entry["jqPathExpressions"] for entry in bodies[name]["spec"]["ignoreDifferences"]}

    assert ignored("webhooks") == {
        "MutatingWebhookConfiguration": [".webhooks[]?.clientConfig.caBundle"],
        "ValidatingWebhookConfiguration": [".webhooks[]?.clientConfig.caBundle"],
        "APIService": [".spec.caBundle"],
    }
    assert ignored("crds.1") == {"CustomResourceDefinition": [".spec.conversion.webhook.clientConfig.caBundle"]}
    assert "RespectIgnoreDifferences=true" in bodies["webhooks"]["spec"]["syncPolicy"]["syncOptions"]
    assert "ignoreDifferences" not in bodies["argo"]["spec"]


def test_a_headless_argo_cd_excludes_what_was_left_out(parts: tuple[Part, ...]) -> None:
    bodies = by_name(Stack(name="demo", gitops=GitOps(mode=GitOpsMode.HEADLESS)), parts)
    exclude = bodies["argo-cd"]["spec"]["source"]["directory"]["exclude"]
    assert exclude.startswith("{clusterrolebinding.rbac.authorization.k8s.io_server-binding.yaml,")
    assert "deployment.apps_argocd_dex.yaml" in exclude
    assert "configmap_argocd_argocd-cm.yaml" not in exclude


def test_a_single_excluded_file_is_named_without_braces(make_part: Make, make_body: Make) -> None:
    server = make_body("v1", "Service", "s", "argo", labels={"app.kubernetes.io/component": "server"})
    argo = make_part(
        "argo", [make_body("apiextensions.k8s.io/v1", "CustomResourceDefinition", "applications.argoproj.io"), server]
    )
    bodies = by_name(Stack(name="demo", gitops=GitOps(mode=GitOpsMode.HEADLESS)), (argo,))
    assert bodies["argo"]["spec"]["source"]["directory"] == {"exclude": "service_argo_s.yaml"}


def test_the_revision_follows_from_content_and_waves_alone(parts: tuple[Part, ...], make_part: Make) -> None:
    revision = tag(STACK, parts)
    assert revision == tag(STACK, tuple(reversed(parts)))
    assert revision.startswith("v-")
    assert len(revision) == 14
    assert tag(STACK, (*parts[:2], make_part("definitions", [], wave=-100))) != revision
    finalizers = Stack(name="demo", gitops=GitOps(finalizers=True))
    assert tag(finalizers, parts) != revision
