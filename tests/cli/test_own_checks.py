"""Checks of one's own, in `input/checks/`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace

TEAM = """\
apiVersion: cluster-forge/v1
kind: Check
name: team
match: {kinds: [Deployment]}
expression: has(object.metadata.labels) && has(object.metadata.labels.team)
message: has no label team
fix: add the label
"""
POLICY = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: replicas}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]
  validations:
  - {expression: object.spec.replicas > 100, message: more than 100 replicas}
"""
BINDING = """\
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: replicas}
spec: {policyName: replicas, validationActions: [Warn]}
"""


def findings(workspace: Workspace, **files: str) -> list[dict[str, Any]]:
    workspace.write({f"input/checks/{name}.yaml": text for name, text in files.items()})
    result = workspace.run("check", "--format", "json")
    return [one for one in result.json["findings"] if one["code"].startswith("checks/") or "poli" in one["code"]]


def test_an_object_for_which_the_expression_is_false_is_reported(workspace: Workspace) -> None:
    (finding,) = findings(workspace, team=TEAM)
    assert (finding["code"], finding["severity"]) == ("checks/team", "warning")
    assert (finding["component"], finding["object"]) == ("web", "Deployment.apps/web/web")
    assert (finding["message"], finding["fix"]) == ("has no label team", "add the label")


def test_a_check_makes_what_was_smelted_stale(workspace: Workspace) -> None:
    workspace.ok("smelt")
    workspace.write({"input/checks/team.yaml": TEAM + "severity: error\n"})
    assert workspace.run("smelt").code == 1
    workspace.write({"input/checks/team.yaml": TEAM.replace("team)", "team) || true")})
    assert workspace.ok("check", "--format", "json").json["findings"] == []


def test_an_error_stops_smelt_and_can_be_ignored(workspace: Workspace) -> None:
    workspace.write({"input/checks/team.yaml": TEAM + "severity: error\n"})
    assert workspace.run("smelt").code == 1
    config = (workspace.folder / "input/config.yaml").read_text()
    ignored = "checks: {ignore: [{code: checks/team, reason: later}]}\n"
    workspace.write({"input/config.yaml": config + ignored})
    workspace.ok("smelt")


@pytest.mark.parametrize(
    "match",
    ["{kinds: [StatefulSet]}", "{namespaces: [other]}", "{components: [other]}", "{labels: {a: b}}", "{kinds: [Deployment.example.com]}"],
)  # fmt: skip
def test_other_objects_are_not_looked_at(workspace: Workspace, match: str) -> None:
    assert findings(workspace, team=TEAM.replace("{kinds: [Deployment]}", match)) == []


def test_the_pods_of_workloads_are_meant_by_their_kind(workspace: Workspace) -> None:
    text = TEAM.replace("[Deployment]", "[Pod]").replace(
        "has(object.metadata.labels) &&", "kubernetes != '' && component == 'web' &&"
    )
    (finding,) = findings(workspace, team=text)
    assert finding["message"].startswith("its Pods: ")


def test_admission_policies_in_the_folder_are_applied_but_are_not_part_of_the_stack(workspace: Workspace) -> None:
    (finding,) = findings(workspace, policy=POLICY)
    assert (finding["code"], finding["severity"]) == ("policy-violation", "error")
    assert "input/checks/policy.yaml:1" in finding["fix"]
    (finding,) = findings(workspace, policy=POLICY + BINDING)
    assert finding["severity"] == "warning"
    workspace.ok("smelt")
    assert not list((workspace.folder / "working").rglob("*policy*"))


def test_what_cannot_be_evaluated_is_a_notice(workspace: Workspace) -> None:
    text = TEAM.replace("has(object.metadata.labels) && ", "object.spec.unheard == 1 && ")
    workspace.write({"input/checks/team.yaml": text})
    found = workspace.ok("check", "--format", "json").json["findings"]
    assert [(one["code"], one["severity"], one["where"]) for one in found] == [
        ("not-evaluated", "notice", "input/checks/team.yaml:1")
    ]


@pytest.mark.parametrize(
    ("change", "message", "line"),
    [
        (("kind: Check", "kind: Checks"), "Check", 2),
        (("name: team", "name: Team"), "DNS label", 3),
        (("name: team\n", ""), "name", 1),
        (("match:", "matches:"), "match", 4),
        (("has(object.metadata.labels) &&", "has(object.metadata.labels) &"), "not CEL", 5),
        (("has(object.metadata.labels)", "unheard(object)"), "unheard", 5),
        (("has(object.metadata.labels)", "self.a == 1"), "unknown name 'self'", 5),
        (("message: has", "severity: fatal\nmessage: has"), "severity", 6),
    ],
)
def test_a_wrong_check_is_an_error_with_its_line(
    workspace: Workspace, change: tuple[str, str], message: str, line: int
) -> None:
    workspace.write({"input/checks/team.yaml": TEAM.replace(*change)})
    result = workspace.run("check")
    assert result.code == 10
    assert message in result.err
    assert f"input/checks/team.yaml:{line}" in result.err


def test_all_errors_come_together(workspace: Workspace) -> None:
    workspace.write({"input/checks/a.yaml": TEAM + "x: 1\n", "input/checks/b.yaml": POLICY.replace("> 100", ">")})
    result = workspace.run("check")
    assert "input/checks/a.yaml:8" in result.err
    assert "input/checks/b.yaml:8" in result.err


def test_two_checks_of_one_name_are_an_error(workspace: Workspace) -> None:
    workspace.write({"input/checks/a.yaml": TEAM, "input/checks/b.yaml": TEAM})
    assert "twice" in workspace.run("check").err


def test_a_component_may_be_called_checks(workspace: Workspace) -> None:
    workspace.write({"input/checks/manifests/a.yaml": "kind: [", "input/checks/values.txt": "x"})
    workspace.ok("check")


def test_what_must_hold_and_cannot_be_evaluated_is_an_error(workspace: Workspace) -> None:
    gate = TEAM.replace("has(object.metadata.labels) && has(object.metadata.labels.team)", "object.metadata.team != ''")
    workspace.write({"input/checks/team.yaml": gate + "severity: error\n"})
    result = workspace.run("smelt")
    assert result.code == 1
    assert "error[not-evaluated]: input/checks/team.yaml" in result.err


def test_a_costly_check_takes_nothing_from_the_next_one(workspace: Workspace) -> None:
    numbers = f"[{', '.join(map(str, range(30)))}]"
    inner = f"{numbers}.all(e, e >= 0)"
    for name in "abcd":
        inner = f"{numbers}.all({name}, {inner})"
    costly = TEAM.replace("has(object.metadata.labels) && has(object.metadata.labels.team)", f"'{inner}'")
    reported = findings(workspace, a=costly.replace("name: team", "name: costly"), team=TEAM)
    assert [one["code"] for one in reported] == ["checks/team"]


def test_values_of_secrets_are_in_no_error(workspace: Workspace) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: s3cr3t-Value}\n"
    check = TEAM.replace("Deployment", "Secret").replace(
        "has(object.metadata.labels) && has(object.metadata.labels.team)",
        "quantity(object.stringData.password) != null",
    )
    workspace.write({"input/extras/secret.yaml": secret, "input/checks/team.yaml": check})
    result = workspace.run("check", "-v")
    assert "not-evaluated" in result.out + result.err
    assert "s3cr3t-Value" not in result.out + result.err


def unknown(workspace: Workspace, match: str) -> list[tuple[str, str]]:
    workspace.write({"input/checks/team.yaml": TEAM.replace("{kinds: [Deployment]}", match)})
    document = workspace.run("check", "--only", "unknown-name", "--format", "json").json
    return [(finding["where"], finding["message"]) for finding in document["findings"]]


@pytest.mark.parametrize(
    ("match", "ends"),
    [
        ("{kinds: [Deploymnt]}", ["'Deploymnt' in `match.kinds`, did you mean 'Deployment'?"]),
        ("{kinds: [Deployment, StatefulSett]}", ["'StatefulSett' in `match.kinds`, did you mean 'StatefulSet'?"]),
        ("{kinds: [Qwertz]}", ["'Qwertz' in `match.kinds`"]),
        (
            "{kinds: [CiliumLoadBalancerIPPool]}",
            ["'CiliumLoadBalancerIPPool' in `match.kinds`"],
        ),  # which checks look for
        ("{components: [webb]}", ["'webb' in `match.components`, did you mean 'web'?"]),
        ("{namespaces: [wbe]}", ["'wbe' in `match.namespaces`, did you mean 'web'?"]),
        ("{kinds: [StatefulSet, Qwertz]}", []),  # for another stack of the workspace
        ("{namespaces: [web, web-test]}", []),
        ("{kinds: [Deployment.apps], components: [web], namespaces: [web]}", []),
    ],
)
def test_a_name_that_nothing_has_is_reported(workspace: Workspace, match: str, ends: list[str]) -> None:
    names = unknown(workspace, match)
    assert [message.partition("nothing of ")[2] for _, message in names] == ends
    assert {where for where, _ in names} <= {"input/checks/team.yaml:4"}


def test_an_unknown_key_of_match_is_an_error(workspace: Workspace) -> None:
    workspace.write({"input/checks/team.yaml": TEAM.replace("{kinds:", "{kinsd:")})
    result = workspace.run("check")
    assert result.code == 10
    assert "input/checks/team.yaml:4: match: unknown key 'kinsd', did you mean 'kinds'?" in result.err


def test_an_error_of_a_check_that_is_not_there_is_one(workspace: Workspace) -> None:
    config = workspace.read("input/config.yaml")
    workspace.write({"input/config.yaml": config + "checks: {errors: [checks/taem]}\n"})
    (finding,) = workspace.run("check", "--only", "unknown-name", "--format", "json").json["findings"]
    assert finding["message"] == "checks.errors: no check in input/checks/ has the name 'taem'"
    workspace.write({"input/checks/team.yaml": TEAM})
    (finding,) = workspace.run("check", "--only", "unknown-name", "--format", "json").json["findings"]
    assert finding["fix"] == "write checks/team"


@pytest.mark.parametrize("option", ["--only", "--skip-check"])
def test_a_code_that_nothing_has_is_refused(workspace: Workspace, option: str) -> None:
    workspace.write({"input/checks/team.yaml": TEAM})
    result = workspace.run("check", option, "checks/taem")
    assert (result.code, "did you mean 'checks/team'?" in result.err) == (2, True)
    assert workspace.run("check", option, "costs/owner").code == 2
    assert workspace.run("check", option, "checks/team").code == 0
