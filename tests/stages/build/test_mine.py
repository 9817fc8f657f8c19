"""mine: what it fetches, locks and writes; when sourced trees are reused; upstreams of the legacy format."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import EditedError, FetchError, LockError
from cluster_forge.ports.rendering import RenderedBatch, RenderJob
from cluster_forge.stack import lock_file
from cluster_forge.stack.component import Component, HelmSource, Upstream
from cluster_forge.stack.lock import FILE, Lock
from cluster_forge.stack.model import KubernetesVersion, Target
from cluster_forge.stages.build.mine import MineRequest, mine

if TYPE_CHECKING:
    from tests.stages.conftest import Harness

URL = "https://example.com/a.yaml"
SECRET = (
    "apiVersion: v1\nkind: Secret\nmetadata: {name: admin}\n"
    'stringData: {password: {{ randAlphaNum 20 | quote }}, user: {{ .Values.user | default "root" | quote }}}\n'
)
SOURCED = "input/web/manifests/sourced"


def with_password(harness: Harness, **changes: object) -> Component:
    """A component whose chart generates a password whenever it is rendered."""
    helm = harness.chart("web", {"secret.yaml": SECRET, "map.yaml": harness.config_map("web")})
    return harness.component("web", **{"helm": helm, **changes})


def without_password(harness: Harness) -> Component:
    """A component whose chart gives the same objects whenever it is rendered."""
    helm = harness.chart("web", {"more.yaml": harness.config_map("more"), "map.yaml": harness.config_map("web")})
    return harness.component("web", helm=helm)


def ranged(version: str) -> HelmSource:
    return HelmSource(chart="web", release="web", repository="https://charts.example.com", version=version)


class TestSourcedTree:
    def test_every_object_is_a_file_as_it_was_rendered(self, harness: Harness) -> None:
        mined = harness.mine(harness.stack(with_password(harness)))
        assert sorted(harness.below(SOURCED)) == ["configmap_web.yaml", "secret_admin.yaml"]
        assert "namespace" not in harness.below(SOURCED)["configmap_web.yaml"]
        assert dict(mined.objects) == {"web": 2}
        assert mined.reused == frozenset()
        assert mined.chart("web") == mined.sources[with_password(harness).name].chart
        assert mined.chart("unknown") is None

    def test_an_object_that_the_chart_dropped_is_removed(self, harness: Harness) -> None:
        harness.mine(harness.stack(with_password(harness)))
        helm = harness.chart("web", {"map.yaml": harness.config_map("other")}, version="2.0.0")
        harness.mine(harness.stack(harness.component("web", helm=helm)))
        assert list(harness.below(SOURCED)) == ["configmap_other.yaml"]

    def test_different_duplicates_are_both_written(self, harness: Harness) -> None:
        duplicates = [harness.config_map("web", f"a: {value}") for value in ("one", "two", "one")]
        helm = harness.chart("web", {f"{number}.yaml": duplicate for number, duplicate in enumerate(duplicates)})
        stack = harness.stack(harness.component("web", helm=helm))
        harness.mine(stack)
        assert sorted(harness.below(SOURCED)) == ["configmap_web.yaml", "configmap_web~2.yaml"]
        findings = [harness.smelt(stack).findings for _ in range(2)]
        assert [finding.code for finding in findings[0]] == ["duplicate-object"]
        assert findings[0] == findings[1]

    def test_objects_of_urls_are_written_beside_those_of_the_chart(self, harness: Harness) -> None:
        url = harness.url(URL, harness.config_map("fetched"))
        harness.mine(harness.stack(with_password(harness, manifests=(url,))))
        assert sorted(harness.below(SOURCED)) == ["configmap_fetched.yaml", "configmap_web.yaml", "secret_admin.yaml"]


class TestLock:
    def test_the_lock_has_the_digest_of_every_source(self, harness: Harness) -> None:
        harness.chart("web", {"map.yaml": harness.config_map("web")}, version="1.2.0")
        template = '{{ .Capabilities.APIVersions.Has "b/v1" }}{{ .Capabilities.APIVersions.Has "a/v1" }}'
        asking = harness.chart("asks", {"map.yaml": harness.config_map("asks", f"a: {template}")})
        harness.chart("any", {"map.yaml": "{{ $x := .Capabilities.APIVersions }}" + harness.config_map("any")})
        harness.mine(
            harness.stack(
                harness.component("web", helm=ranged("^1"), manifests=(harness.url(URL, harness.config_map("x")),)),
                harness.component("asks", helm=asking),
                harness.component("any", helm=replace(asking, chart="any")),
                harness.component("own", manifests=(harness.input("own.yaml", harness.config_map("own")),)),
            )
        )
        lock = lock_file.parse((harness.files.read(FILE) or b"").decode())
        assert lock == harness.lock
        assert list(lock.components) == ["any", "asks", "web"]
        web = lock.components["web"]
        assert [(source.address, source.asked, source.version, source.digest) for source in web.sources] == [
            ("https://charts.example.com web", "^1", "1.2.0", Digest.of(harness.sources.charts["web", "1.2.0"])),
            (URL, "", "", Digest.of(harness.sources.urls[URL])),
        ]
        assert web.rendered
        assert [component.required_apis for component in lock.components.values()] == [("*",), ("a/v1", "b/v1"), ()]

    def test_the_lock_is_written_only_if_it_changed(self, harness: Harness) -> None:
        stack = harness.stack(with_password(harness))
        harness.mine(stack)
        writes = harness.files.writes
        before = dict(harness.files.files)
        harness.mine(stack)
        assert harness.files.files == before
        assert harness.files.writes == writes + 1, "the empty exchange of no trees"

    def test_other_components_stay_in_the_lock(self, harness: Harness) -> None:
        other = harness.component("other", helm=harness.chart("other", {"map.yaml": harness.config_map("other")}))
        harness.mine(harness.stack(with_password(harness), other))
        before = harness.lock.components["other"]
        harness.mine(harness.stack(with_password(harness)))
        assert harness.lock.components["other"] == before

    def test_a_changed_source_is_an_error_without_update(self, harness: Harness) -> None:
        url = harness.url(URL, harness.config_map("a"))
        stack = harness.stack(harness.component("a", manifests=(url,)))
        harness.mine(stack)
        harness.url(URL, harness.config_map("b"))
        harness.store.entries.clear()
        before = dict(harness.files.files)
        assert [type(error) for error in harness.errors(lambda: harness.mine(stack))] == [LockError]
        assert harness.files.files == before
        harness.mine(stack, update=frozenset({"a"}))
        assert list(harness.below("input/a/manifests/sourced")) == ["configmap_b.yaml"]

    def test_update_resolves_only_the_named_components(self, harness: Harness) -> None:
        harness.chart("web", {"map.yaml": harness.config_map("web")}, version="1.0.0")
        stack = harness.stack(
            harness.component("one", helm=replace(ranged("1.x"), release="one")),
            harness.component("two", helm=replace(ranged("1.x"), release="two")),
        )
        harness.mine(stack)
        harness.chart("web", {"map.yaml": harness.config_map("newer")}, version="1.1.0")
        harness.mine(stack)
        assert [component.sources[0].version for component in harness.lock.components.values()] == ["1.0.0", "1.0.0"]
        mined = harness.mine(stack, update=frozenset({"two"}))
        assert [component.sources[0].version for component in harness.lock.components.values()] == ["1.0.0", "1.1.0"]
        assert mined.reused == {"one"}


class TestReuse:
    def test_a_generated_password_is_generated_once(self, harness: Harness) -> None:
        stack = harness.stack(with_password(harness))
        harness.forge(stack)
        first = harness.working
        again = harness.again()
        smelted = again.forge(stack)
        assert again.working == first
        assert smelted.reused == {"namespaces", "web"}
        assert again.engine.requests == []
        assert again.smelt(stack).record == smelted.record
        assert again.working == first

    def test_mine_and_smelt_give_the_result_of_forge(self, harness: Harness) -> None:
        crds = harness.component("crds", manifests=(harness.input("crds.yaml", harness.crd("Widget")),))
        template = SECRET + 'immutable: {{ .Capabilities.APIVersions.Has "example.com/v1" }}\n'
        web = harness.component("web", helm=harness.chart("web", {"secret.yaml": template}))
        stack = harness.stack(crds, web)
        harness.mine(stack)
        renders = harness.engine.renders_of("web")
        harness.smelt(stack)
        first = harness.working
        assert "immutable: true" in first["web/secret_web_admin.yaml"]
        harness.forge(stack)
        assert harness.working == first
        assert harness.engine.renders_of("web") == renders

    def test_an_edited_tree_is_not_reused(self, harness: Harness) -> None:
        """Of a chart that gives the same result again; see `TestTheLockDecides` for the others."""
        stack = harness.stack(without_password(harness))
        harness.forge(stack)
        edited = harness.config_map("web", "a: edited").encode()
        for content in (edited, None):
            harness.files.files |= {f"{SOURCED}/configmap_web.yaml": content} if content else {}
            if content is None:
                del harness.files.files[f"{SOURCED}/configmap_web.yaml"]
            assert harness.mine(stack).reused == frozenset()
            harness.smelt(stack)
            assert sorted(harness.below(SOURCED)) == ["configmap_more.yaml", "configmap_web.yaml"]
            assert "a: b" in harness.working["web/configmap_web_web.yaml"]

    @pytest.mark.parametrize(
        "torn",
        [b"kind: [", b"<<<<<<< ours\na: 1\n=======\na: 2\n>>>>>>> theirs\n", b"", b"\xff\xfe", b"a: b\n", b"- 1\n"],
    )
    def test_a_torn_tree_is_written_again(self, harness: Harness, torn: bytes) -> None:
        stack = harness.stack(without_password(harness))
        harness.mine(stack)
        before = harness.below(SOURCED)
        for options in ({}, {"update": frozenset({"web"})}):
            harness.files.files[f"{SOURCED}/configmap_web.yaml"] = torn
            harness.mine(stack, **options)
            assert harness.below(SOURCED) == before
        assert {finding.code for finding in harness.reporter.findings} == {"hand-edited"}
        harness.files.files[f"{SOURCED}/configmap_web.yaml"] = torn
        harness.forge(stack)
        assert harness.below(SOURCED) == before

    def test_smelt_does_not_reuse_an_edited_tree(self, harness: Harness) -> None:
        stack = harness.stack(without_password(harness))
        harness.mine(stack)
        harness.files.files[f"{SOURCED}/configmap_web.yaml"] = harness.config_map("web", "a: edited").encode()
        smelted = harness.smelt(stack)
        assert smelted.reused == frozenset()
        assert "a: b" in harness.working["web/configmap_web_web.yaml"]

    @pytest.mark.parametrize(
        "change",
        [
            {"values": {"user": "other"}},
            {"namespace": "elsewhere"},
            {"helm": ranged("2.0.0")},
            {"helm": replace(ranged("1.0.0"), release="other")},
        ],
        ids=["values", "namespace", "version", "release"],
    )
    def test_a_changed_description_is_rendered_again(self, harness: Harness, change: dict[str, object]) -> None:
        web = with_password(harness)
        harness.forge(harness.stack(web))
        password = harness.working["web/secret_web_admin.yaml"]
        harness.chart("web", {"secret.yaml": SECRET}, version="2.0.0")
        smelted = harness.forge(harness.stack(replace(web, **change)))  # type: ignore[arg-type]
        assert smelted.reused == frozenset()
        assert password not in harness.working.values()

    def test_another_target_or_engine_renders_again(self, harness: Harness) -> None:
        stack = harness.stack(with_password(harness))
        harness.forge(stack)
        assert harness.forge(replace(stack, target=Target(kubernetes=KubernetesVersion(1, 30)))).reused == frozenset()
        harness.engine.version = "helm-sdk v9"
        assert harness.forge(stack).reused == frozenset()

    def test_changes_that_the_chart_does_not_depend_on_keep_the_tree(self, harness: Harness) -> None:
        web = with_password(harness)
        harness.forge(harness.stack(web))
        first = harness.working["web/secret_web_admin.yaml"]
        others = (
            harness.component("crds", manifests=(harness.input("crds.yaml", harness.crd("Widget")),)),
            replace(web, wave=7, exclude=("configmap_web.yaml",), needs=(), extra_namespaces=("more",)),
        )
        smelted = harness.forge(harness.stack(*others))
        assert smelted.reused == {"web"}
        assert harness.working["web/secret_web_admin.yaml"] == first
        assert "web/configmap_web_web.yaml" not in harness.working

    def test_a_new_crd_of_another_component_renders_again(self, harness: Harness) -> None:
        template = harness.config_map("web", 'a: {{ .Capabilities.APIVersions.Has "example.com/v1" | quote }}')
        web = harness.component("web", helm=harness.chart("web", {"map.yaml": template}))
        harness.forge(harness.stack(web))
        crds = harness.component("crds", manifests=(harness.input("crds.yaml", harness.crd("Widget")),))
        assert harness.forge(harness.stack(web, crds)).reused == frozenset()
        assert "true" in harness.working["web/configmap_web_web.yaml"]
        assert harness.forge(harness.stack(web)).reused == frozenset()
        assert "false" in harness.working["web/configmap_web_web.yaml"]

    def test_without_a_lock_a_tree_is_not_reused(self, harness: Harness) -> None:
        stack = harness.stack(with_password(harness))
        harness.forge(stack)
        harness.lock = Lock()
        assert harness.forge(stack).reused == frozenset()

    def test_findings_are_the_same_on_every_run(self, harness: Harness) -> None:
        hooked = harness.config_map("hook", annotations="helm.sh/hook: test")
        duplicate = harness.config_map("duplicate")
        helm = harness.chart("web", {"a.yaml": duplicate, "b.yaml": duplicate, "h.yaml": hooked, "s.yaml": SECRET})
        web = harness.component("web", helm=helm, exclude=("secret_admin.yaml", "Role_none.yaml"))
        runs = [harness.forge(harness.stack(web)).findings for _ in range(2)]
        assert runs[0] == runs[1]
        assert [finding.code for finding in runs[0]] == ["unused-ignore", "hook-dropped"]
        assert "Role_none.yaml" in runs[0][0].message


class TestTheLockDecides:
    """The same sources and the same build, and another result: mine, smelt and forge refuse it."""

    def test_another_result_of_the_same_sources_is_an_error(self, harness: Harness) -> None:
        stack = harness.stack(with_password(harness))
        harness.mine(stack)
        locked = harness.lock.components["web"].rendered
        del harness.files.files[f"{SOURCED}/secret_admin.yaml"]  # a new password is rendered
        before = dict(harness.files.files)
        for call in (harness.mine, harness.smelt, harness.forge):
            (error,) = harness.errors(partial(call, stack))
            assert isinstance(error, LockError)
            assert f"the lock has {locked}, the result is sha256:" in error.message
            assert "cluster-forge mine --update web" in (error.fix or "")
            assert "--no-cache" in (error.fix or "")
            assert harness.files.files == before
        harness.mine(stack, update=frozenset({"web"}))
        assert harness.lock.components["web"].rendered != locked
        assert sorted(harness.below(SOURCED)) == ["configmap_web.yaml", "secret_admin.yaml"]

    def test_a_cached_result_that_was_changed_is_an_error(self, harness: Harness) -> None:
        """As if someone had written it into a shared store."""
        stack = harness.stack(without_password(harness))
        harness.mine(stack)
        inner = harness.toolbox.renderer

        class Forged:
            version = inner.version
            required_apis = inner.required_apis
            release = inner.release

            def render(self, job: RenderJob) -> RenderedBatch:
                batch = inner.render(job)
                if job.chart is None:
                    return batch
                text = harness.config_map("web", "a: forged").encode()
                return inner.render(RenderJob(component=job.component, where=job.where, texts=[("x.yaml", text)]))

        toolbox = replace(harness.toolbox, renderer=Forged())
        for path in [path for path in harness.files.files if path.startswith(SOURCED)]:
            del harness.files.files[path]
        request = MineRequest(stack=stack, lock=harness.lock)
        (error,) = harness.errors(lambda: mine(request, toolbox, harness.sources, harness.reporter))
        assert isinstance(error, LockError)
        assert not harness.below(SOURCED)

    def test_the_order_of_sources_counts(self, harness: Harness) -> None:
        """Where a later source replaces an earlier one, it decides the result."""
        urls = [harness.url(f"{URL}?{name}", harness.config_map("web", f"a: {name}")) for name in "xy"]
        component = harness.component("web", manifests=tuple(urls), later_replaces=True)
        harness.mine(harness.stack(component))
        harness.input("web/manifests/sourced/configmap_web.yaml", "torn: [")
        harness.mine(harness.stack(replace(component, manifests=tuple(reversed(urls)))))
        assert "a: x" in harness.below(SOURCED)["configmap_web.yaml"]
        harness.input("web/manifests/sourced/configmap_web.yaml", "torn: [")
        harness.mine(harness.stack(replace(component, later_replaces=False)))
        assert sorted(harness.below(SOURCED)) == ["configmap_web.yaml", "configmap_web~2.yaml"]

    def test_a_lock_without_inputs_is_completed(self, harness: Harness) -> None:
        """Earlier versions did not write them."""
        stack = harness.stack(with_password(harness))
        harness.mine(stack)
        del harness.files.files[f"{SOURCED}/secret_admin.yaml"]
        harness.lock = Lock({"web": replace(harness.lock.components["web"], inputs=None)})
        harness.mine(stack)
        assert harness.lock.components["web"].inputs


class TestForeignFiles:
    @pytest.mark.parametrize("name", ["notes.md", "added.yaml", ".hidden", "sub/own.yaml", "configmap_own.yaml"])
    def test_a_file_that_mine_did_not_write_is_an_error(self, harness: Harness, name: str) -> None:
        stack = harness.stack(without_password(harness))
        own = f"{SOURCED}/{name}"
        harness.files.files[own] = harness.config_map("own").encode()
        for _ in range(2):
            before = dict(harness.files.files)
            (error,) = harness.errors(lambda: harness.mine(stack))
            assert (type(error), error.where) == (EditedError, f"{SOURCED}/")
            assert error.message == f"has a file that cluster-forge did not write: {name}"
            assert error.fix
            assert harness.files.files == before
            del harness.files.files[own]
            harness.mine(stack)
            harness.files.files[own] = harness.config_map("own").encode()
            harness.files.files[f"{SOURCED}/configmap_web.yaml"] = b"edited: true"

    def test_a_tree_of_an_earlier_version_is_replaced(self, harness: Harness) -> None:
        """It has no record; the component is locked, and the files are named as objects."""
        stack = harness.stack(without_password(harness))
        harness.mine(stack)
        for torn in (None, b"", b"# Written by", b"configmap_web.yaml\n"):
            del harness.files.files[f"{SOURCED}/.written"]
            if torn is not None:
                harness.files.files[f"{SOURCED}/.written"] = torn
            harness.files.files[f"{SOURCED}/configmap_web.yaml"] = b"a: b"
            harness.mine(stack)
            assert sorted(harness.below(SOURCED)) == ["configmap_more.yaml", "configmap_web.yaml"]

    def test_all_folders_are_reported_and_none_is_written(self, harness: Harness) -> None:
        other = harness.component("other", helm=harness.chart("other", {"map.yaml": harness.config_map("other")}))
        for name in ("web", "other"):
            harness.input(f"{name}/manifests/sourced/mine.txt", "x")
        before = dict(harness.files.files)
        errors = harness.errors(lambda: harness.mine(harness.stack(without_password(harness), other)))
        assert [error.where for error in errors] == [SOURCED + "/", "input/other/manifests/sourced/"]
        assert harness.files.files == before


class TestUpstream:
    def component(self, harness: Harness, **changes: object) -> Component:
        templates = {
            "map.yaml": harness.config_map("web", "who: {{ .Release.Namespace }} {{ .Values.v }}"),
            "s.yaml": SECRET,
        }
        helm = harness.chart("web", templates)
        upstream = Upstream(
            folder="web/manifests/sourced",
            namespace="upstream",
            helm=helm,
            manifests=(harness.url(URL, harness.config_map("fetched")),),
            values={"v": 1},
            exclude=("Secret_admin.yaml",),
        )
        described = harness.component("web", manifests=("web/manifests/sourced",), upstream=upstream)
        return replace(described, **changes)  # type: ignore[arg-type]

    def test_mine_regenerates_the_folder(self, harness: Harness) -> None:
        harness.input("web/manifests/sourced/old.yaml", harness.config_map("old"))
        mined = harness.mine(harness.stack(self.component(harness)))
        assert harness.below(SOURCED).keys() == {"configmap_web.yaml", "configmap_fetched.yaml"}
        assert "upstream 1" in harness.below(SOURCED)["configmap_web.yaml"]
        assert dict(mined.objects) == {"web": 3}
        assert {source.address for source in harness.lock.components["web"].sources} == {
            "https://charts.example.com web",
            URL,
        }
        assert harness.reporter.events[-1][:2] == ("finished", "mine")

    def test_forge_mines_it_only_where_the_folder_is_missing(self, harness: Harness) -> None:
        stack = harness.stack(self.component(harness))
        harness.input("web/manifests/sourced/own.yaml", harness.config_map("own"))
        harness.forge(stack)
        assert list(harness.below(SOURCED)) == ["own.yaml"]
        assert harness.sources.asked == []
        del harness.files.files[f"{SOURCED}/own.yaml"]
        harness.forge(stack)
        assert len(harness.below(SOURCED)) == 2
        assert "web/configmap_web_web.yaml" in harness.working

    def test_smelt_never_needs_the_source(self, harness: Harness) -> None:
        harness.input("web/manifests/sourced/own.yaml", harness.config_map("own"))
        smelted = harness.smelt(harness.stack(self.component(harness)))
        assert "web/configmap_web_own.yaml" in harness.working
        assert harness.sources.asked == []
        assert smelted.is_written

    def test_a_component_may_have_an_upstream_and_sources(self, harness: Harness) -> None:
        own = harness.chart("own", {"map.yaml": harness.config_map("own")})
        upstream = Upstream(folder="web/base", manifests=(harness.url(URL, harness.config_map("fetched")),))
        stack = harness.stack(harness.component("web", helm=own, manifests=("web/base",), upstream=upstream))
        mined = harness.mine(stack)
        assert {source.address for source in mined.lock.components["web"].sources} == {
            "https://charts.example.com own",
            URL,
        }
        smelted = harness.smelt(stack)
        assert smelted.reused == {"web"}
        assert {"web/configmap_web_own.yaml", "web/configmap_web_fetched.yaml"} <= harness.working.keys()


class TestFailure:
    def test_one_failure_writes_nothing(self, harness: Harness) -> None:
        failing = harness.component("failing", helm=harness.chart("failing", {"a.yaml": '{{ fail "no" }}'}))
        assert harness.errors(lambda: harness.mine(harness.stack(with_password(harness), failing)))
        assert harness.files.files == {}
        assert harness.store.entries, "what was fetched stays"

    def test_a_failed_fetch_names_the_component(self, harness: Harness) -> None:
        (error,) = harness.errors(lambda: harness.mine(harness.stack(harness.component("a", manifests=(URL,)))))
        assert isinstance(error, FetchError)
        assert error.message.startswith("component a: ")


def test_progress_is_reported(harness: Harness) -> None:
    harness.mine(harness.stack(with_password(harness)))
    assert harness.reporter.events == [
        ("started", "mine", "1"),
        ("started", "render", "1"),
        ("advanced", "mine", "web", "https://charts.example.com web 1.0.0"),
        ("advanced", "render", "web", "2 objects"),
        ("finished", "render", "1 rendered"),
        ("finished", "mine", "1 component with sources, locked in cluster-forge.lock"),
    ]


def test_a_stack_without_sources_needs_no_mining(harness: Harness) -> None:
    own = harness.component("own", manifests=(harness.input("own.yaml", "a: ["),))
    mined = harness.mine(harness.stack(own))
    assert (dict(mined.objects), mined.rendered, mined.lock) == ({}, None, Lock())
