"""Findings about single objects are kept by component, and are the same as if every object were looked at again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest
from tests.checks.stack_objects import checked, resource
from tests.stages.conftest import MemoryCache

from cluster_forge.checks import report
from cluster_forge.checks.acceptance import kubernetes_schema
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.stages.build.assembly.kept_findings import KeptFindings

MINOR = 33


def config(name: str, *, of: str = "web", value: object = "1") -> Manifest:
    return resource("v1", "ConfigMap", name, of=of, data={"key": value})


class Run:
    """Runs of a check that complains about every object with the value ``bad``, and the objects that it looked at."""

    def __init__(self) -> None:
        self.cache = MemoryCache()
        self.seen: list[str] = []

    def check(self, manifest: Manifest, minor: int) -> Iterator[Finding]:
        self.seen.append(manifest.id.name)
        if manifest.body["data"]["key"] == "raise":
            raise ValueError
        if manifest.body["data"]["key"] == "bad":
            yield report.warning(manifest, "schema-invalid", f"bad on 1.{minor}", fix="change it", field="data.key")

    def of(self, *manifests: Manifest, minor: int = MINOR) -> tuple[list[str], Sequence[Finding]]:
        """The objects that were looked at, and the findings."""
        self.seen.clear()
        files = {f"{one.provenance.component}/{one.id.name}.yaml": one for one in manifests}
        kept = KeptFindings(_parts(files), files, minor, self.cache)
        findings = [*checked(*manifests, find=kept.find).each(self.check)]
        kept.keep()
        return sorted(self.seen), findings


def _parts(files: Mapping[str, Manifest]) -> list[Part]:
    components = dict.fromkeys(manifest.provenance.component for manifest in files.values())
    return [
        Part(
            name=component,
            namespace="shop",
            wave=0,
            objects=tuple(
                PartObject.of(manifest, path)
                for path, manifest in files.items()
                if manifest.provenance.component == component
            ),
        )
        for component in components
    ]


@pytest.fixture
def run() -> Run:
    return Run()


def test_objects_that_did_not_change_are_not_looked_at_again(run: Run) -> None:
    objects = (config("a", value="bad"), config("b"), config("c", of="shop", value="bad"))
    seen, first = run.of(*objects)
    assert seen == ["a", "b", "c"]
    assert [finding.object.name for finding in first if finding.object] == ["a", "c"]
    assert run.of(*objects) == ([], first)


def test_of_a_changed_component_all_objects_are_looked_at_and_of_others_none(run: Run) -> None:
    run.of(config("a", value="bad"), config("b"), config("c", of="shop", value="bad"))
    seen, findings = run.of(config("a"), config("b"), config("c", of="shop", value="bad"))
    assert seen == ["a", "b"]
    assert [finding.component for finding in findings] == ["shop"]


def test_a_finding_is_about_the_place_where_the_object_is_now(run: Run) -> None:
    before = config("a", value="bad")
    run.of(before)
    moved = Manifest(
        id=before.id,
        document=before.document,
        provenance=Provenance(component=ComponentName("other"), origin="templates/new.yaml:7"),
    )
    seen, (finding,) = run.of(moved)
    assert not seen
    assert (finding.component, finding.where, finding.field) == ("other", "templates/new.yaml:7", "data.key")


def test_another_minor_version_is_another_question(run: Run) -> None:
    run.of(config("a", value="bad"))
    seen, (finding,) = run.of(config("a", value="bad"), minor=MINOR + 1)
    assert (seen, finding.message) == (["a"], f"bad on 1.{MINOR}")


def test_a_component_at_which_the_check_raised_is_looked_at_again(run: Run) -> None:
    objects = (config("a", value="bad"), config("b", value="raise"))
    for _ in range(2):
        with pytest.raises(ValueError, match=r"^$"):
            run.of(*objects)
    assert not run.cache.entries


def test_a_finding_about_another_place_is_not_kept(run: Run) -> None:
    def of_another(manifest: Manifest, _minor: int) -> Iterator[Finding]:
        run.seen.append(manifest.id.name)
        yield report.warning(config("b"), "schema-invalid", "is bad", fix="change it")

    one = config("a")
    for _ in range(2):
        kept = KeptFindings(_parts({"web/a.yaml": one}), {"web/a.yaml": one}, MINOR, run.cache)
        (finding,) = kept.find(of_another, one, MINOR)
        kept.keep()
        assert finding.object
        assert finding.object.name == "b"
    assert run.seen == ["a", "a"]


def test_checks_of_one_component_are_kept_side_by_side(run: Run) -> None:
    bad = resource("v1", "ConfigMap", "a", data={"key": 1})
    files = {"web/a.yaml": bad}
    for check in (run.check, kubernetes_schema.of):
        kept = KeptFindings(_parts(files), files, MINOR, run.cache)
        kept.find(check, bad, MINOR)
        kept.keep()
    run.seen.clear()
    again = KeptFindings(_parts(files), files, MINOR, run.cache)
    assert not again.find(run.check, bad, MINOR)
    assert again.find(kubernetes_schema.of, bad, MINOR) == [*kubernetes_schema.of(bad, MINOR)]
    assert not run.seen
