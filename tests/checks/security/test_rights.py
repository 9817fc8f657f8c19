"""Who may do what: rules, bindings, and what of it is reported."""

from __future__ import annotations

from typing import Any

import pytest
from tests.checks.security.security_objects import RBAC, manifest, stack, workload

from cluster_forge.checks.security import grants, rbac_wide, rights, unused_tokens
from cluster_forge.checks.security.rights import Right
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.manifest import Manifest

API = f"{RBAC}/v1"


def rule(verbs: str, resources: str, groups: str = "", names: str = "") -> dict[str, Any]:
    return {
        "apiGroups": groups.split(","),
        "resources": resources.split(","),
        "verbs": verbs.split(","),
        **({"resourceNames": names.split(",")} if names else {}),
    }


def paths(*paths: str, verbs: str = "get") -> dict[str, Any]:
    return {"nonResourceURLs": list(paths), "verbs": verbs.split(",")}


def role(*rules: Any, name: str = "web", **more: Any) -> Manifest:
    return manifest(API, "ClusterRole", name, "", rules=list(rules), **more)


def binding(
    name: str = "web",
    of: str = "ClusterRoleBinding",
    namespace: str = "",
    role_kind: str = "ClusterRole",
    **subject: str,
) -> Manifest:
    given = {"kind": "ServiceAccount", "name": "web", "namespace": "web", **subject}
    reference = {"apiGroup": RBAC, "kind": role_kind, "name": name}
    return manifest(API, of, name, namespace, roleRef=reference, subjects=[given])


def group_binding(group: str, kind: str = "Group", namespace: str = "") -> Manifest:
    """The role web for a group, or for a user; in one namespace, if it is given."""
    of = "RoleBinding" if namespace else "ClusterRoleBinding"
    reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "web"}
    subjects = [{"apiGroup": RBAC, "kind": kind, "name": group}]
    return manifest(API, of, "web", namespace, roleRef=reference, subjects=subjects)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (rule("*", "*", "*"), Right.ALL),
        (rule("get,patch", "*", "*"), Right.WILDCARD),
        (rule("escalate", "clusterroles", RBAC), Right.ESCALATE),
        (rule("*", "roles", RBAC), Right.ESCALATE),
        (rule("bind", "clusterroles", RBAC), Right.BIND),
        (rule("impersonate", "users"), Right.IMPERSONATE),
        (rule("create", "clusterrolebindings", RBAC), Right.CHANGE_RBAC),
        (rule("create", "pods/exec"), Right.EXEC),
        (rule("get", "nodes/proxy"), Right.NODE_PROXY),
        (rule("list", "secrets"), Right.READ_SECRETS),
        (rule("get", "*"), Right.READ_SECRETS),
        (rule("patch", "mutatingwebhookconfigurations", "admissionregistration.k8s.io"), Right.WEBHOOKS),
        (rule("create", "pods"), Right.CREATE_PODS),
        (rule("create", "deployments", "apps"), Right.CREATE_PODS),
        (rule("create", "serviceaccounts/token"), Right.CREATE_TOKENS),
        (rule("update", "certificatesigningrequests/approval", "certificates.k8s.io"), Right.APPROVE_CERTIFICATES),
        (rule("create", "persistentvolumes"), Right.CREATE_VOLUMES),
        (rule("deletecollection", "*", "*"), Right.WILDCARD),
        (rule("patch", "pods/ephemeralcontainers"), Right.EXEC),
        (rule("create", "*/exec"), Right.EXEC),
        (rule("create", "*/token"), Right.CREATE_TOKENS),
        (rule("bind", "clusterroles", RBAC, names="cluster-admin"), Right.BIND),
        (rule("impersonate", "groups", names="system:masters"), Right.IMPERSONATE),
        (paths("*"), Right.API_PATHS),
        (paths("/*", verbs="*"), Right.API_PATHS),
        (paths("/healthz", "/debug/pprof/*"), Right.API_PATHS),
        (paths("/logs"), Right.API_PATHS),
        (paths("/lo*"), Right.API_PATHS),
    ],
)
def test_each_right(given: dict[str, Any], expected: Right) -> None:
    assert expected in set(rights.of(given))


@pytest.mark.parametrize(
    "given",
    [
        rule("get,list", "configmaps"),
        rule("get", "secrets", names="one"),
        rule("bind,escalate", "clusterroles", RBAC, names="view"),
        rule("get,list,watch", "roles", RBAC),
        rule("delete", "pods"),
        paths("/metrics", "/healthz/*", "/api*"),
        paths("*", verbs="post"),
        rule("*", "*", "example.com"),
        rule("get", "secrets", "example.com"),
        rule("patch", "pods/status"),
        rule("create", "*/status"),
        rule("impersonate", "users", names="shop"),
        rule("list", "secrets", names="cluster-admin"),
        {"nonResourceURLs": ["/metrics"], "verbs": ["*"]},
        {},
        {"verbs": "get", "resources": None},
    ],
)
def test_what_gives_no_right_beyond_its_purpose(given: dict[str, Any]) -> None:
    assert list(rights.of(given)) == []


@pytest.mark.parametrize(
    ("manifests", "severities"),
    [
        ([role(rule("*", "*", "*")), binding()], [Severity.WARNING]),
        ([binding("cluster-admin")], [Severity.WARNING]),
        ([role(rule("list", "secrets")), binding()], [Severity.NOTICE]),
        ([role(rule("list", "secrets")), binding(of="RoleBinding", namespace="web")], []),
        ([role(rule("create", "pods")), binding(of="RoleBinding", namespace="kube-system")], [Severity.NOTICE]),
        ([role(rule("*", "*", "*"))], []),
        ([role(rule("list", "secrets")), binding("other")], []),
        ([role(rule("*", "*", "*")), group_binding("admins")], []),
        (
            [role(rule("list", "secrets")), group_binding("system:authenticated")],
            [Severity.WARNING],
        ),
        ([role(rule("get", "pods")), group_binding("system:authenticated")], []),
        ([role(rule("get", "pods")), group_binding("system:unauthenticated")], [Severity.WARNING]),
        ([role(rule("get", "configmaps", names="info")), group_binding("system:unauthenticated")], []),
        (
            [
                role({"nonResourceURLs": ["/healthz", "/openid/v1/jwks"], "verbs": ["get"]}),
                group_binding("system:unauthenticated"),
            ],
            [],
        ),
        (
            [role({"nonResourceURLs": ["/metrics"], "verbs": ["get"]}), group_binding("system:unauthenticated")],
            [Severity.WARNING],
        ),
        (
            [role({"nonResourceURLs": ["*"], "verbs": ["*"]}), group_binding("system:unauthenticated")],
            [Severity.WARNING],
        ),
        ([role(rule("get", "pods")), group_binding("system:anonymous", "User")], [Severity.WARNING]),
        (
            [
                role(rule("list", "secrets")),
                group_binding("system:authenticated", namespace="web"),
            ],
            [Severity.WARNING],
        ),
        ([binding("edit")], [Severity.WARNING]),
        ([binding("admin")], [Severity.WARNING]),
        ([binding("view")], []),
        ([binding("edit", of="RoleBinding", namespace="web")], []),
        (
            [
                role(rule("list", "secrets"), name="part", metadata={"labels": {f"{RBAC}/aggregate-to-view": "true"}}),
                binding("view"),
            ],
            [Severity.NOTICE],
        ),
    ],
)
def test_what_programs_may_do_is_reported(manifests: list[Manifest], severities: list[Severity]) -> None:
    assert [finding.severity for finding in rbac_wide.findings(stack(*manifests))] == severities


def test_a_finding_says_who_may_do_what() -> None:
    (finding,) = rbac_wide.findings(stack(role(rule("get", "secrets"), rule("create", "pods")), binding()))
    assert finding.message == "ServiceAccount web/web may read Secrets, create Pods"
    assert (str(finding.object), finding.field) == (f"ClusterRole.{RBAC}/web", "rules")


EXPRESSION = {"matchExpressions": [{"key": "to", "operator": "In", "values": ["web"]}]}
ABSENT = {"matchExpressions": [{"key": "to", "operator": "DoesNotExist"}]}


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        ([{"matchLabels": {"to": "web"}}], [Right.READ_SECRETS]),
        ([{"matchLabels": {"to": "web"}}, None, "x"], [Right.READ_SECRETS]),
        ([EXPRESSION], [Right.READ_SECRETS]),
        ([{"matchLabels": {"to": "chain"}}], [Right.READ_SECRETS]),
        ([{}], [Right.ALL]),
        ([ABSENT], [Right.ALL]),
        ([{"matchLabels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}], [Right.ALL]),
        ([{"matchLabels": {"to": "nowhere"}}], []),
        (None, []),
    ],
)
def test_a_role_has_the_rules_of_roles_that_it_collects(selectors: Any, expected: list[Right]) -> None:
    whole = role(aggregationRule={"clusterRoleSelectors": selectors})
    part = role(rule("list", "secrets"), name="part", metadata={"labels": {"to": "web"}})
    chain = role(
        name="chain", aggregationRule={"clusterRoleSelectors": [EXPRESSION]}, metadata={"labels": {"to": "chain"}}
    )
    (grant,) = grants.of(stack(whole, part, chain, binding()))
    assert rbac_wide.of(grant) == expected


def test_roles_that_collect_each_other_have_the_rules_of_both() -> None:
    selector = {"clusterRoleSelectors": [{"matchLabels": {"to": "web"}}]}
    one = role(rule("list", "secrets"), aggregationRule=selector, metadata={"labels": {"to": "web"}})
    two = role(rule("create", "pods"), name="two", aggregationRule=selector, metadata={"labels": {"to": "web"}})
    (grant,) = grants.of(stack(one, two, binding()))
    assert rbac_wide.of(grant) == [Right.READ_SECRETS, Right.CREATE_PODS]


@pytest.mark.parametrize("wrong", [[1], {"to": "web"}, 3, None])
def test_a_label_of_a_role_that_is_not_text_selects_nothing(wrong: Any) -> None:
    selector = {"clusterRoleSelectors": [{"matchLabels": {"to": "web"}}, {"matchLabels": {"to": wrong}}]}
    part = role(rule("list", "secrets"), name="part", metadata={"labels": {"to": wrong}})
    (grant,) = grants.of(stack(role(rule("create", "pods"), aggregationRule=selector), part, binding()))
    assert rbac_wide.of(grant) == [Right.CREATE_PODS]


@pytest.mark.parametrize("wrong", [None, "x", 3, [None, "x", {"kind": 1}]])
def test_bindings_of_another_shape_are_passed_over(wrong: Any) -> None:
    made = manifest(API, "ClusterRoleBinding", roleRef=wrong, subjects=wrong)
    assert list(rbac_wide.findings(stack(made, role(*([wrong] if wrong else []))))) == []


@pytest.mark.parametrize(
    ("pod", "account", "bound", "is_reported"),
    [
        ({}, {}, False, True),
        ({"serviceAccountName": "web"}, {}, True, False),
        ({"serviceAccountName": "other"}, {}, True, True),
        ({"automountServiceAccountToken": False}, {}, False, False),
        ({"serviceAccountName": "web"}, {"automountServiceAccountToken": False}, False, False),
        (
            {"serviceAccountName": "web", "automountServiceAccountToken": True},
            {"automountServiceAccountToken": False},
            False,
            True,
        ),
    ],
)
def test_a_token_without_a_role_is_reported(pod: Any, account: Any, bound: bool, is_reported: bool) -> None:
    manifests = [workload(pod), manifest("v1", "ServiceAccount", **account)]
    manifests += [role(rule("get", "pods")), binding()] if bound else []
    assert bool(unused_tokens.of(stack(*manifests))) is is_reported


@pytest.mark.parametrize("name", ["system:serviceaccounts:web", "system:serviceaccounts"])
def test_a_role_of_all_accounts_counts(name: str) -> None:
    bound = group_binding(name)
    reported = unused_tokens.of(stack(workload(), role(rule("get", "pods")), bound))
    assert bool(reported) is (name == "system:serviceaccounts")


def test_the_paths_of_the_api_server_are_for_the_whole_cluster_alone() -> None:
    everywhere = rbac_wide.findings(stack(role(paths("*")), binding()))
    assert [(one.severity, one.message) for one in everywhere] == [
        (
            Severity.NOTICE,
            "ServiceAccount web/web may read the logs and profiles of the API server (nonResourceURLs)",
        )
    ]
    here = stack(role(paths("*")), binding(of="RoleBinding", namespace="kube-system"))
    assert list(rbac_wide.findings(here)) == []


def test_the_role_of_every_cluster_cannot_be_narrowed() -> None:
    (of_cluster,) = rbac_wide.findings(stack(binding("cluster-admin")))
    (of_stack,) = rbac_wide.findings(stack(role(rule("*", "*", "*")), binding()))
    assert (of_cluster.field, of_stack.field) == ("roleRef", "rules")
    assert of_cluster.fix.startswith("bind a role that has only what it uses")
    assert of_stack.fix.startswith("narrow the role")
