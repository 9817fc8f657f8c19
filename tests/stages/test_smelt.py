"""smelt: what is written into working/, what keeps it from being written, and what it depends on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cluster_forge.bundle import RECORD, Record
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import EditedError, ManifestError, StaleError
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.stack.model import Component, GitOps, GitOpsEngine, Ignore, KubernetesVersion, Stack, Target
from cluster_forge.stages.smelt import judged

if TYPE_CHECKING:
    from tests.stages.conftest import Workshop


@pytest.fixture
def web(workshop: Workshop) -> Component:
    """A component with a chart and a file of its own."""
    deployment = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
        "spec: {template: {spec: {containers: [{name: web, image: 'example.com/web:1'}]}}}\n"
    )
    helm = workshop.chart("web", {"web.yaml": deployment}, version="1.2.3")
    return workshop.component("web", helm=helm, manifests=(workshop.input("web.yaml", workshop.config_map("own")),))


@pytest.fixture
def clash(workshop: Workshop) -> Stack:
    """Two components that bring the same object in two ways."""
    return workshop.stack(
        *(
            workshop.component(
                name, manifests=(workshop.input(f"{name}.yaml", workshop.config_map("c", f"a: {name}", namespace="x")),)
            )
            for name in ("one", "two")
        )
    )


class TestWritten:
    def test_parts_applications_and_a_record(self, workshop: Workshop, web: Component) -> None:
        smelted = workshop.forge(workshop.stack(web, gitops=GitOps(install=False)))
        assert set(workshop.working) >= {
            "namespaces/namespace_web.yaml",
            "web/configmap_web_own.yaml",
            "web/deployment.apps_web_web.yaml",
            "argo-apps/web.yaml",
            "argo-apps/namespaces.yaml",
        }
        record = Record.from_json(workshop.files.read(RECORD) or b"")
        assert record == smelted.record
        assert record.files == {path: Digest.of(text.encode()) for path, text in workshop.working.items()}
        assert (record.stack, record.errors, record.warnings) == ("platform", 0, 0)
        namespaces, part = record.parts
        assert (namespaces.source, namespaces.version, namespaces.digest) == ("", "", "")
        assert (part.name, part.version, part.source) == ("web", "1.2.3", "https://charts.example.com web")
        assert part.digest == str(Digest.of(workshop.sources.charts["web", "1.2.3"]))
        assert [(each.path, each.images) for each in part.objects] == [
            ("web/configmap_web_own.yaml", ()),
            ("web/deployment.apps_web_web.yaml", ("example.com/web:1",)),
        ]
        assert smelted.objects == 3

    def test_the_source_of_a_component_without_a_chart_is_its_urls(self, workshop: Workshop) -> None:
        urls = tuple(workshop.url(f"https://example.com/{name}.yaml", workshop.config_map(name)) for name in "ba")
        smelted = workshop.forge(workshop.stack(workshop.component("web", manifests=urls)))
        assert smelted.record.parts[1].source == "https://example.com/a.yaml https://example.com/b.yaml"

    def test_objects_are_written_as_kubernetes_reads_them_back(self, workshop: Workshop, web: Component) -> None:
        smelted = workshop.forge(workshop.stack(web))
        for part in smelted.parts:
            for manifest in part.manifests:
                text = workshop.working[f"{part.name}/{manifest.id.file_name}"]
                assert workshop.tools.reader.read(text) == manifest.body

    def test_the_same_input_gives_the_same_bytes(self, workshop: Workshop, web: Component) -> None:
        stack = workshop.stack(web)
        workshop.mine(stack)
        other = workshop.again()
        first = workshop.smelt(stack)
        assert other.smelt(stack).record == first.record
        assert other.working == workshop.working
        assert workshop.forge(stack).record == first.record

    def test_what_is_gone_from_the_description_is_gone(self, workshop: Workshop, web: Component) -> None:
        workshop.forge(workshop.stack(web))
        workshop.forge(workshop.stack(replace(web, helm=None)))
        assert "web/deployment.apps_web_web.yaml" not in workshop.working

    def test_progress_is_told(self, workshop: Workshop, web: Component) -> None:
        stack = workshop.stack(web)
        workshop.mine(stack)
        workshop.heard.events.clear()
        workshop.smelt(stack)
        assert workshop.heard.events == [
            ("started", "smelt", "0"),
            ("started", "render", "2"),
            ("advanced", "render", "web", "1 object"),
            ("advanced", "render", "web", "1 object"),
            ("finished", "render", "1 made, 1 read back"),
            ("finished", "smelt", "3 objects of 2 components in working/"),
        ]

    def test_without_gitops_there_are_no_applications(self, workshop: Workshop, web: Component) -> None:
        workshop.forge(workshop.stack(web, gitops=GitOps(engine=GitOpsEngine.NONE)))
        assert not any(path.startswith("argo-apps/") for path in workshop.working)


class TestFindings:
    def test_an_error_keeps_working_as_it_was(self, workshop: Workshop, web: Component, clash: Stack) -> None:
        workshop.forge(workshop.stack(web))
        before = dict(workshop.files.files)
        smelted = workshop.forge(clash)
        assert not smelted.is_written
        assert smelted.record.errors == 1
        assert workshop.files.files == before
        assert [each.code for each in workshop.heard.findings] == ["duplicate-object"]

    def test_an_error_that_is_allowed_passes_as_a_warning(self, workshop: Workshop, clash: Stack) -> None:
        smelted = workshop.forge(clash, allow=frozenset({"duplicate-object"}))
        assert smelted.is_written
        assert [(each.code, each.severity) for each in smelted.findings] == [("duplicate-object", Severity.WARNING)]
        assert (smelted.record.errors, smelted.record.warnings) == (0, 1)
        assert "a: one" in workshop.working["one/configmap_x_c.yaml"]
        assert "two/configmap_x_c.yaml" not in workshop.working

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
    def test_a_finding_may_be_ignored_for_a_reason(
        self, workshop: Workshop, clash: Stack, given: dict[str, str]
    ) -> None:
        ignore = Ignore(code="duplicate-object", reason="both are fine", **given)
        smelted = workshop.forge(replace(clash, ignores=(ignore,)))
        assert smelted.is_written
        assert smelted.findings == ()

    @pytest.mark.parametrize("given", [{"component": "one"}, {"object": "ConfigMap/y/c"}, {"code": "missing-crd"}])
    def test_an_ignore_without_effect_is_a_finding(
        self, workshop: Workshop, clash: Stack, given: dict[str, str]
    ) -> None:
        ignore = Ignore(**{"code": "duplicate-object", "reason": "why", "where": "input/config.yaml:9", **given})
        smelted = workshop.forge(replace(clash, ignores=(ignore,)))
        assert [(each.code, each.severity) for each in smelted.findings] == [
            ("duplicate-object", Severity.ERROR),
            ("unused-ignore", Severity.WARNING),
        ]
        assert smelted.findings[1].where == "input/config.yaml:9"

    def test_what_the_description_noticed_comes_first(self, workshop: Workshop, web: Component) -> None:
        notice = Finding(code="unused-source", severity=Severity.NOTICE, message="look")
        assert workshop.forge(workshop.stack(web), notices=(notice,)).findings == (notice,)

    def test_allowing_raises_nothing_that_is_no_error(self) -> None:
        notice = Finding(code="x", severity=Severity.NOTICE, message="m")
        assert judged([notice], (), {"x"}) == (notice,)


class TestEdits:
    @pytest.fixture
    def stack(self, workshop: Workshop, web: Component) -> Stack:
        stack = workshop.stack(web)
        workshop.forge(stack)
        return stack

    def edit(self, workshop: Workshop, kind: str) -> None:
        files = workshop.files.files
        if kind == "changed":
            files["working/web/configmap_web_own.yaml"] += b"# by hand\n"
        elif kind == "added":
            files["working/web/mine.yaml"] = b"a: b\n"
        else:
            del files["working/web/configmap_web_own.yaml"]

    @pytest.mark.parametrize(
        ("kind", "told"),
        [
            ("changed", "web/configmap_web_own.yaml"),
            ("added", r"\+ web/mine\.yaml"),
            ("deleted", "- web/configmap_web_own.yaml"),
        ],
    )
    def test_they_are_never_overwritten_without_being_told(
        self, workshop: Workshop, stack: Stack, kind: str, told: str
    ) -> None:
        self.edit(workshop, kind)
        before = dict(workshop.files.files)
        with pytest.raises(EditedError, match=f"edited by hand: {told}"):
            workshop.smelt(stack)
        assert workshop.files.files == before
        workshop.smelt(stack, discard_edits=True)
        assert "web/mine.yaml" not in workshop.working
        assert "# by hand" not in workshop.working["web/configmap_web_own.yaml"]
        workshop.smelt(stack)

    def test_of_many_the_first_are_named(self, workshop: Workshop, stack: Stack) -> None:
        for number in range(8):
            workshop.files.files[f"working/web/{number}.yaml"] = b"a: b\n"
        with pytest.raises(EditedError, match=r"8 files were edited by hand: .* and 3 more"):
            workshop.smelt(stack)

    def test_a_folder_that_smelt_did_not_make_counts_as_edited(self, workshop: Workshop, web: Component) -> None:
        workshop.files.files["working/a.yaml"] = b"a: b\n"
        stack = workshop.stack(web)
        workshop.mine(stack)
        with pytest.raises(EditedError, match="that smelt did not write"):
            workshop.smelt(stack)
        assert workshop.smelt(stack, discard_edits=True).is_written

    def test_an_empty_folder_is_nobodys_work(self, workshop: Workshop, stack: Stack) -> None:
        for path in [path for path in workshop.files.files if path.startswith("working/") and path != RECORD]:
            del workshop.files.files[path]
        assert workshop.smelt(stack).is_written

    def test_a_damaged_record_is_told(self, workshop: Workshop, stack: Stack) -> None:
        workshop.files.files[RECORD] = b"{}"
        with pytest.raises(StaleError):
            workshop.smelt(stack)

    def test_edits_are_taken_in_where_they_are_read(self, workshop: Workshop, stack: Stack) -> None:
        edited = workshop.config_map("own", "a: edited", namespace="web")
        workshop.files.files["working/web/configmap_web_own.yaml"] = edited.encode()
        workshop.files.files["working/web/more.yaml"] = workshop.config_map("more", namespace="web").encode()
        del workshop.files.files["working/web/deployment.apps_web_web.yaml"]
        found = workshop.edited()
        assert found
        assert len(found.edited) == 3
        objects = {each.path: each for part in found.record.parts for each in part.objects if part.name == "web"}
        assert objects.keys() == {"web/configmap_web_own.yaml", "web/more.yaml"}
        assert objects["web/configmap_web_own.yaml"].digest == Digest.of(edited.encode())
        assert found.record.files.keys() == set(workshop.working)

    def test_what_was_not_edited_is_read_as_it_was_recorded(self, workshop: Workshop, stack: Stack) -> None:
        found = workshop.edited()
        assert found
        assert (found.edited, found.record) == ((), Record.from_json(workshop.files.files[RECORD]))

    def test_edits_that_are_no_objects_are_told_together(self, workshop: Workshop, stack: Stack) -> None:
        workshop.files.files["working/web/configmap_web_own.yaml"] = b"a: ["
        workshop.files.files["working/web/two.yaml"] = "---\n".join(map(workshop.config_map, "ab")).encode()
        workshop.files.files["working/strange/a.yaml"] = b"a: b"
        found = workshop.errors(workshop.edited)
        assert {each.where for each in found} == {
            "working/strange",
            "working/web/configmap_web_own.yaml:1",
            "working/web/two.yaml",
        }
        assert all(isinstance(each, ManifestError) for each in found)

    def test_where_nothing_was_smelted_nothing_is_read(self, workshop: Workshop) -> None:
        assert workshop.edited() is None


def test_kinds_that_differ_only_in_their_case_cannot_share_a_file(workshop: Workshop) -> None:
    documents = [f"apiVersion: example.com/v1\nkind: {kind}\nmetadata: {{name: a}}\n" for kind in ("Widget", "WIDGET")]
    component = workshop.component("web", manifests=(workshop.input("web.yaml", *documents),))
    with pytest.raises(ManifestError, match="differ only in the case of their kind") as caught:
        workshop.forge(workshop.stack(component))
    assert "web/widget.example.com_a.yaml" in caught.value.message
    assert workshop.working == {}


class TestInputs:
    def test_it_changes_with_everything_that_the_result_depends_on(self, workshop: Workshop, web: Component) -> None:
        stack = workshop.stack(web)
        workshop.mine(stack)
        before = workshop.fingerprint(stack)
        changes: list[Any] = [
            workshop.stack(replace(web, values={"a": 1})),
            workshop.stack(replace(web, wave=3)),
            workshop.stack(web, target=Target(kubernetes=KubernetesVersion(1, 30))),
            workshop.stack(web, name="other"),
            workshop.stack(),
        ]
        found = [workshop.fingerprint(each) for each in changes]
        workshop.input("web.yaml", workshop.config_map("changed"))
        found.append(workshop.fingerprint(stack))
        del workshop.files.files["input/web.yaml"]
        found.append(workshop.fingerprint(stack))
        assert len({before, *found}) == len(changes) + 3

    def test_it_does_not_change_with_the_place_in_the_description(self, workshop: Workshop, web: Component) -> None:
        workshop.mine(workshop.stack(web))
        elsewhere = replace(web, where="input/other.yaml:1")
        assert workshop.fingerprint(workshop.stack(web)) == workshop.fingerprint(workshop.stack(elsewhere))

    def test_a_folder_counts_with_all_its_files(self, workshop: Workshop) -> None:
        workshop.input("own/a.yaml", workshop.config_map("a"))
        stack = workshop.stack(workshop.component("own", manifests=("own",)))
        before = workshop.fingerprint(stack)
        workshop.input("own/deep/b.yaml", workshop.config_map("b"))
        assert workshop.fingerprint(stack) != before
