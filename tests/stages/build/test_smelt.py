"""smelt: what it writes into working/, which findings and edits prevent that, and what the result depends on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import EditedError, ManifestError, StaleError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.record import RECORD, Record
from cluster_forge.stack.component import AcceptedFinding, Component
from cluster_forge.stack.model import FindingPolicy, GitOps, GitOpsEngine, Ignore, KubernetesVersion, Stack, Target
from cluster_forge.stages.build import finding_policy

if TYPE_CHECKING:
    from tests.stages.conftest import Harness


@pytest.fixture
def web(harness: Harness) -> Component:
    """A component with a chart and a file of its own."""
    deployment = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
        "spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, "
        f"spec: {{containers: [{harness.container('web')}]}}}}}}\n"
    )
    helm = harness.chart("web", {"web.yaml": deployment}, version="1.2.3")
    return harness.component("web", helm=helm, manifests=(harness.input("web.yaml", harness.config_map("own")),))


@pytest.fixture
def clash(harness: Harness) -> Stack:
    """Two components with different versions of the same object."""
    return harness.stack(
        *(
            harness.component(
                name, manifests=(harness.input(f"{name}.yaml", harness.config_map("c", f"a: {name}", namespace="x")),)
            )
            for name in ("one", "two")
        )
    )


class TestWritten:
    def test_objects_applications_and_the_record_are_written(self, harness: Harness, web: Component) -> None:
        smelted = harness.forge(harness.stack(web, gitops=GitOps(install=False)))
        assert set(harness.working) >= {
            "namespaces/namespace_web.yaml",
            "web/configmap_web_own.yaml",
            "web/deployment.apps_web_web.yaml",
            "argo-apps/web.yaml",
            "argo-apps/namespaces.yaml",
        }
        record = Record.from_json(harness.files.read(RECORD) or b"")
        assert record == smelted.record
        assert record.files == {path: Digest.of(text.encode()) for path, text in harness.working.items()}
        assert (record.stack, record.findings.error, record.findings.warning) == ("platform", 0, 0)
        namespaces, part = record.parts
        assert (namespaces.source, namespaces.version, namespaces.digest) == ("", "", "")
        assert (part.name, part.version, part.source) == ("web", "1.2.3", "https://charts.example.com web")
        assert part.digest == str(Digest.of(harness.sources.charts["web", "1.2.3"]))
        assert [(part_object.path, part_object.images) for part_object in part.objects] == [
            ("web/configmap_web_own.yaml", ()),
            ("web/deployment.apps_web_web.yaml", ("example.com/web:1",)),
        ]
        assert smelted.objects == 3

    def test_without_a_chart_the_source_is_the_urls(self, harness: Harness) -> None:
        urls = tuple(harness.url(f"https://example.com/{name}.yaml", harness.config_map(name)) for name in "ba")
        smelted = harness.forge(harness.stack(harness.component("web", manifests=urls)))
        assert smelted.record.parts[1].source == "https://example.com/a.yaml https://example.com/b.yaml"

    def test_objects_are_written_as_kubernetes_reads_them(self, harness: Harness, web: Component) -> None:
        smelted = harness.forge(harness.stack(web))
        for part in smelted.record.parts:
            for known in part.objects:
                assert harness.working[known.path].encode() == known.content
                assert harness.toolbox.reader.read(harness.working[known.path]) == known.body

    def test_the_same_input_gives_the_same_bytes(self, harness: Harness, web: Component) -> None:
        stack = harness.stack(web)
        harness.mine(stack)
        other = harness.again()
        first = harness.smelt(stack)
        assert other.smelt(stack).record == first.record
        assert other.working == harness.working
        assert harness.forge(stack).record == first.record

    def test_what_was_removed_from_the_description_is_removed(self, harness: Harness, web: Component) -> None:
        harness.forge(harness.stack(web))
        harness.forge(harness.stack(replace(web, helm=None)))
        assert "web/deployment.apps_web_web.yaml" not in harness.working

    def test_progress_is_reported(self, harness: Harness, web: Component) -> None:
        stack = harness.stack(web)
        harness.mine(stack)
        harness.reporter.events.clear()
        harness.smelt(stack)
        assert harness.reporter.events == [
            ("started", "smelt", "0"),
            ("started", "render", "2"),
            ("advanced", "render", "web", "1 object"),
            ("advanced", "render", "web", "1 object"),
            ("finished", "render", "1 rendered, 1 reused"),
            ("finished", "smelt", "3 objects of 2 components in working/"),
        ]

    def test_without_gitops_there_are_no_applications(self, harness: Harness, web: Component) -> None:
        harness.forge(harness.stack(web, gitops=GitOps(engine=GitOpsEngine.NONE)))
        assert not any(path.startswith("argo-apps/") for path in harness.working)


class TestFindings:
    def test_an_error_leaves_working_unchanged(self, harness: Harness, web: Component, clash: Stack) -> None:
        harness.forge(harness.stack(web))
        before = dict(harness.files.files)
        smelted = harness.forge(clash)
        assert not smelted.is_written
        assert smelted.record.findings.error == 1
        assert harness.files.files == before
        assert [finding.code for finding in harness.reporter.findings] == ["duplicate-object"]

    def test_an_allowed_error_is_a_warning(self, harness: Harness, clash: Stack) -> None:
        smelted = harness.forge(clash, allow=frozenset({"duplicate-object"}))
        assert smelted.is_written
        assert [(finding.code, finding.severity) for finding in smelted.findings] == [
            ("duplicate-object", Severity.WARNING)
        ]
        assert (smelted.record.findings.error, smelted.record.findings.warning) == (0, 1)
        assert "a: one" in harness.working["one/configmap_x_c.yaml"]
        assert "two/configmap_x_c.yaml" not in harness.working

    @pytest.mark.parametrize(
        "given",
        [
            {},
            {"component": "two"},
            {"object": "ConfigMap/x/c"},
            {"object": "c"},
            {"component": "two", "object": "c"},
        ],
    )
    def test_an_ignored_finding_is_silent(self, harness: Harness, clash: Stack, given: dict[str, str]) -> None:
        ignore = Ignore(code="duplicate-object", reason="both are fine", **given)
        smelted = harness.forge(replace(clash, finding_policy=FindingPolicy(ignores=(ignore,))))
        assert smelted.is_written
        assert smelted.findings == ()

    @pytest.mark.parametrize("given", [{"component": "one"}, {"object": "ConfigMap/y/c"}, {"code": "missing-crd"}])
    def test_an_ignore_without_effect_is_a_finding(self, harness: Harness, clash: Stack, given: dict[str, str]) -> None:
        ignore = Ignore(**{"code": "duplicate-object", "reason": "why", "where": "input/config.yaml:9", **given})
        smelted = harness.forge(replace(clash, finding_policy=FindingPolicy(ignores=(ignore,))))
        assert [(finding.code, finding.severity) for finding in smelted.findings] == [
            ("duplicate-object", Severity.ERROR),
            ("unused-ignore", Severity.WARNING),
        ]
        assert smelted.findings[1].where == "input/config.yaml:9"

    def test_findings_of_the_description_come_first(self, harness: Harness, web: Component) -> None:
        notice = Finding(code="unused-source", severity=Severity.NOTICE, message="look")
        assert harness.forge(harness.stack(web), notices=(notice,)).findings == (notice,)

    def test_allow_changes_only_errors(self) -> None:
        notice = Finding(code="x", severity=Severity.NOTICE, message="m")
        assert finding_policy.apply([notice], FindingPolicy(), {"x"}) == (notice,)

    @pytest.mark.parametrize(
        ("allow", "severity"),
        [((), Severity.ERROR), (("plaintext-secret",), Severity.WARNING), (("x",), Severity.ERROR)],
    )
    def test_a_code_of_the_description_makes_warnings_errors(self, allow: tuple[str, ...], severity: Severity) -> None:
        policy = FindingPolicy(errors={"plaintext-secret": "input/config.yaml:9"})
        warnings = [Finding(code=code, severity=Severity.WARNING, message="m") for code in ("plaintext-secret", "x")]
        notice = Finding(code="plaintext-secret", severity=Severity.NOTICE, message="m")
        findings = finding_policy.apply([*warnings, notice], policy, allow)
        assert [finding.severity for finding in findings] == [severity, Severity.WARNING, Severity.NOTICE]

    @pytest.mark.parametrize(
        ("code", "name", "component", "errors", "severity"),
        [
            ("rbac-wide", "web-role", "web", (), Severity.NOTICE),
            ("rbac-wide", "other", "web", (), Severity.WARNING),
            ("rbac-wide", "web-role", "extras", (), Severity.WARNING),
            ("pod-security", "web-role", "web", (), Severity.WARNING),
            ("rbac-wide", "web-role", "web", ("rbac-wide",), Severity.ERROR),
        ],
    )
    def test_what_a_component_accepts_is_a_notice_with_the_reason(
        self, code: str, name: str, component: str, errors: tuple[str, ...], severity: Severity
    ) -> None:
        accepted = AcceptedFinding(code="rbac-wide", objects=("ClusterRole/web-*",), reason="It applies all kinds.")
        policy = FindingPolicy(accepted={"web": (accepted,)}, errors=dict.fromkeys(errors, "input/config.yaml:9"))
        role = ObjectId(group="rbac.authorization.k8s.io", kind="ClusterRole", namespace="", name=name)
        wide = Finding(
            code=code,
            severity=Severity.WARNING,
            component=ComponentName(component),
            object=role,
            message="is wide",
            fix="narrow it",
        )
        (finding,) = finding_policy.apply([wide], policy, ())
        assert finding.severity is severity
        is_accepted = severity is Severity.NOTICE
        assert finding.message == ("is wide; accepted: It applies all kinds." if is_accepted else "is wide")
        assert finding.fix == ("" if is_accepted else "narrow it")
        (refused,) = finding_policy.apply([replace(wide, severity=Severity.ERROR)], policy, ())
        assert refused.severity is Severity.ERROR

    def test_a_code_that_no_finding_has_is_an_error(self) -> None:
        policy = FindingPolicy(
            errors={"plain-text-secret": "input/config.yaml:9", "team/owner": "input/config.yaml:10"}
        )
        (finding,) = finding_policy.apply([], policy, ())
        assert (finding.severity, finding.where, finding.fix) == (
            Severity.ERROR,
            "input/config.yaml:9",
            "write plaintext-secret",
        )


class TestEdits:
    @pytest.fixture
    def stack(self, harness: Harness, web: Component) -> Stack:
        stack = harness.stack(web)
        harness.forge(stack)
        return stack

    def edit(self, harness: Harness, kind: str) -> None:
        files = harness.files.files
        if kind == "changed":
            files["working/web/configmap_web_own.yaml"] += b"# by hand\n"
        elif kind == "added":
            files["working/web/mine.yaml"] = b"a: b\n"
        else:
            del files["working/web/configmap_web_own.yaml"]

    @pytest.mark.parametrize(
        ("kind", "shown"),
        [
            ("changed", "web/configmap_web_own.yaml"),
            ("added", "+ web/mine.yaml"),
            ("deleted", "- web/configmap_web_own.yaml"),
        ],
    )
    def test_edits_are_overwritten_only_with_discard_edits(
        self, harness: Harness, stack: Stack, kind: str, shown: str
    ) -> None:
        self.edit(harness, kind)
        before = dict(harness.files.files)
        assert [*map(str, harness.smelt(stack).edited)] == [shown]
        assert harness.files.files == before
        again = harness.smelt(stack, ignore_cache=True)
        assert [*map(str, again.edited)] == [shown]
        assert harness.files.files == before, "also where it is rendered again"
        harness.smelt(stack, discard_edits=True)
        assert "web/mine.yaml" not in harness.working
        assert "# by hand" not in harness.working["web/configmap_web_own.yaml"]
        harness.smelt(stack)

    def test_a_folder_that_smelt_did_not_write_counts_as_edited(self, harness: Harness, web: Component) -> None:
        harness.files.files["working/a.yaml"] = b"a: b\n"
        stack = harness.stack(web)
        harness.mine(stack)
        with pytest.raises(EditedError, match="that smelt did not write"):
            harness.smelt(stack)
        assert harness.smelt(stack, discard_edits=True).is_written

    def test_an_empty_folder_has_no_edits(self, harness: Harness, stack: Stack) -> None:
        for path in [path for path in harness.files.files if path.startswith("working/") and path != RECORD]:
            del harness.files.files[path]
        assert harness.smelt(stack).is_written

    def test_a_damaged_record_is_an_error(self, harness: Harness, stack: Stack) -> None:
        harness.files.files[RECORD] = b"{}"
        with pytest.raises(StaleError):
            harness.smelt(stack)

    def test_edits_are_taken_into_the_record(self, harness: Harness, stack: Stack) -> None:
        edited = harness.config_map("own", "a: edited", namespace="web")
        harness.files.files["working/web/configmap_web_own.yaml"] = edited.encode()
        harness.files.files["working/web/more.yaml"] = harness.config_map("more", namespace="web").encode()
        del harness.files.files["working/web/deployment.apps_web_web.yaml"]
        working = harness.edited()
        assert working
        assert len(working.edited) == 3
        objects = {
            part_object.path: part_object
            for part in working.record.parts
            for part_object in part.objects
            if part.name == "web"
        }
        assert objects.keys() == {"web/configmap_web_own.yaml", "web/more.yaml"}
        assert objects["web/configmap_web_own.yaml"].digest == Digest.of(edited.encode())
        assert working.record.files.keys() == set(harness.working)

    def test_without_edits_the_record_is_unchanged(self, harness: Harness, stack: Stack) -> None:
        working = harness.edited()
        assert working
        assert (working.edited, working.record) == ((), Record.from_json(harness.files.files[RECORD]))

    def test_edits_that_are_not_objects_are_reported_together(self, harness: Harness, stack: Stack) -> None:
        harness.files.files["working/web/configmap_web_own.yaml"] = b"a: ["
        harness.files.files["working/web/two.yaml"] = "---\n".join(map(harness.config_map, "ab")).encode()
        harness.files.files["working/strange/a.yaml"] = b"a: b"
        errors = harness.errors(harness.edited)
        assert {error.where for error in errors} == {
            "working/strange",
            "working/web/configmap_web_own.yaml:1",
            "working/web/two.yaml",
        }
        assert all(isinstance(error, ManifestError) for error in errors)

    def test_without_working_there_are_no_edits(self, harness: Harness) -> None:
        assert harness.edited() is None


def test_kinds_that_differ_in_case_only_are_an_error(harness: Harness) -> None:
    documents = [f"apiVersion: example.com/v1\nkind: {kind}\nmetadata: {{name: a}}\n" for kind in ("Widget", "WIDGET")]
    component = harness.component("web", manifests=(harness.input("web.yaml", *documents),))
    with pytest.raises(ManifestError, match="differ only in the case of their kind") as caught:
        harness.forge(harness.stack(component))
    assert "web/widget.example.com_a.yaml" in caught.value.message
    assert harness.working == {}


class TestInputs:
    def test_the_fingerprint_depends_on_everything_that_the_result_depends_on(
        self, harness: Harness, web: Component
    ) -> None:
        stack = harness.stack(web)
        harness.mine(stack)
        before = harness.fingerprint(stack)
        changes: list[Any] = [
            harness.stack(replace(web, values={"a": 1})),
            harness.stack(replace(web, wave=3)),
            harness.stack(web, target=Target(kubernetes=KubernetesVersion(1, 30))),
            harness.stack(web, name="other"),
            harness.stack(),
        ]
        fingerprints = [harness.fingerprint(stack) for stack in changes]
        harness.input("web.yaml", harness.config_map("changed"))
        fingerprints.append(harness.fingerprint(stack))
        del harness.files.files["input/web.yaml"]
        fingerprints.append(harness.fingerprint(stack))
        assert len({before, *fingerprints}) == len(changes) + 3

    def test_the_fingerprint_ignores_places_in_the_description(self, harness: Harness, web: Component) -> None:
        harness.mine(harness.stack(web))
        elsewhere = replace(web, where="input/other.yaml:1")
        assert harness.fingerprint(harness.stack(web)) == harness.fingerprint(harness.stack(elsewhere))

    def test_the_fingerprint_depends_on_all_files_of_a_folder(self, harness: Harness) -> None:
        harness.input("own/a.yaml", harness.config_map("a"))
        stack = harness.stack(harness.component("own", manifests=("own",)))
        before = harness.fingerprint(stack)
        harness.input("own/deep/b.yaml", harness.config_map("b"))
        assert harness.fingerprint(stack) != before
