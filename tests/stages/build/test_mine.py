"""mine: what is fetched, locked and written; when what was written is read back; upstreams of the first format."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import FetchError, LockError
from cluster_forge.stack import lock_file
from cluster_forge.stack.lock import FILE, Lock
from cluster_forge.stack.model import Component, HelmSource, KubernetesVersion, Target, Upstream

if TYPE_CHECKING:
    from tests.stages.conftest import Harness

URL = "https://example.com/a.yaml"
SECRET = (
    "apiVersion: v1\nkind: Secret\nmetadata: {name: admin}\n"
    'stringData: {password: {{ randAlphaNum 20 | quote }}, user: {{ .Values.user | default "root" | quote }}}\n'
)
SOURCED = "input/web/manifests/sourced"


def inventing(harness: Harness, **changes: object) -> Component:
    """A component whose chart invents a password at each render."""
    helm = harness.chart("web", {"secret.yaml": SECRET, "map.yaml": harness.config_map("web")})
    return harness.component("web", **{"helm": helm, **changes})


def ranged(version: str) -> HelmSource:
    return HelmSource(chart="web", release="web", repository="https://charts.example.com", version=version)


class TestFolder:
    def test_one_object_lies_in_one_file_as_it_was_rendered(self, harness: Harness) -> None:
        mined = harness.mine(harness.stack(inventing(harness)))
        assert sorted(harness.below(SOURCED)) == ["configmap_web.yaml", "secret_admin.yaml"]
        assert "namespace" not in harness.below(SOURCED)["configmap_web.yaml"]
        assert dict(mined.objects) == {"web": 2}
        assert mined.reused == frozenset()
        assert mined.chart("web") == mined.sources[inventing(harness).name].chart
        assert mined.chart("nobody") is None

    def test_what_is_gone_from_the_chart_is_gone_from_the_folder(self, harness: Harness) -> None:
        harness.mine(harness.stack(inventing(harness)))
        helm = harness.chart("web", {"map.yaml": harness.config_map("other")}, version="2.0.0")
        harness.mine(harness.stack(harness.component("web", helm=helm)))
        assert list(harness.below(SOURCED)) == ["configmap_other.yaml"]

    def test_twins_that_differ_both_lie_there(self, harness: Harness) -> None:
        twins = [harness.config_map("web", f"a: {value}") for value in ("one", "two", "one")]
        helm = harness.chart("web", {f"{number}.yaml": twin for number, twin in enumerate(twins)})
        stack = harness.stack(harness.component("web", helm=helm))
        harness.mine(stack)
        assert sorted(harness.below(SOURCED)) == ["configmap_web.yaml", "configmap_web~2.yaml"]
        findings = [harness.smelt(stack).findings for _ in range(2)]
        assert [each.code for each in findings[0]] == ["duplicate-object"]
        assert findings[0] == findings[1]

    def test_objects_of_urls_lie_beside_those_of_the_chart(self, harness: Harness) -> None:
        url = harness.url(URL, harness.config_map("fetched"))
        harness.mine(harness.stack(inventing(harness, manifests=(url,))))
        assert sorted(harness.below(SOURCED)) == ["configmap_fetched.yaml", "configmap_web.yaml", "secret_admin.yaml"]


class TestLock:
    def test_it_tells_every_source_to_the_byte(self, harness: Harness) -> None:
        harness.chart("web", {"map.yaml": harness.config_map("web")}, version="1.2.0")
        told = '{{ .Capabilities.APIVersions.Has "b/v1" }}{{ .Capabilities.APIVersions.Has "a/v1" }}'
        asking = harness.chart("asks", {"map.yaml": harness.config_map("asks", f"a: {told}")})
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
        assert [(each.address, each.asked, each.version, each.digest) for each in web.sources] == [
            ("https://charts.example.com web", "^1", "1.2.0", Digest.of(harness.sources.charts["web", "1.2.0"])),
            (URL, "", "", Digest.of(harness.sources.urls[URL])),
        ]
        assert web.rendered
        assert [each.required_apis for each in lock.components.values()] == [("*",), ("a/v1", "b/v1"), ()]

    def test_it_is_written_only_if_it_changed(self, harness: Harness) -> None:
        stack = harness.stack(inventing(harness))
        harness.mine(stack)
        writes = harness.files.writes
        before = dict(harness.files.files)
        harness.mine(stack)
        assert harness.files.files == before
        assert harness.files.writes == writes + 1, "the empty exchange of no trees"

    def test_components_that_were_not_asked_for_stay_in_it(self, harness: Harness) -> None:
        other = harness.component("other", helm=harness.chart("other", {"map.yaml": harness.config_map("other")}))
        harness.mine(harness.stack(inventing(harness), other))
        before = harness.lock.components["other"]
        harness.mine(harness.stack(inventing(harness)))
        assert harness.lock.components["other"] == before

    def test_what_changed_upstream_is_an_error_until_update_is_said(self, harness: Harness) -> None:
        url = harness.url(URL, harness.config_map("a"))
        stack = harness.stack(harness.component("a", manifests=(url,)))
        harness.mine(stack)
        harness.url(URL, harness.config_map("b"))
        harness.store.entries.clear()
        before = dict(harness.files.files)
        assert [type(each) for each in harness.errors(lambda: harness.mine(stack))] == [LockError]
        assert harness.files.files == before
        harness.mine(stack, update=frozenset({"a"}))
        assert list(harness.below("input/a/manifests/sourced")) == ["configmap_b.yaml"]

    def test_update_moves_only_whom_it_names(self, harness: Harness) -> None:
        harness.chart("web", {"map.yaml": harness.config_map("web")}, version="1.0.0")
        stack = harness.stack(
            harness.component("one", helm=replace(ranged("1.x"), release="one")),
            harness.component("two", helm=replace(ranged("1.x"), release="two")),
        )
        harness.mine(stack)
        harness.chart("web", {"map.yaml": harness.config_map("newer")}, version="1.1.0")
        harness.mine(stack)
        assert [each.sources[0].version for each in harness.lock.components.values()] == ["1.0.0", "1.0.0"]
        mined = harness.mine(stack, update=frozenset({"two"}))
        assert [each.sources[0].version for each in harness.lock.components.values()] == ["1.0.0", "1.1.0"]
        assert mined.reused == {"one"}


class TestReadBack:
    def test_a_chart_that_invents_passwords_invents_them_once(self, harness: Harness) -> None:
        stack = harness.stack(inventing(harness))
        harness.forge(stack)
        first = harness.working
        again = harness.again()
        smelted = again.forge(stack)
        assert again.working == first
        assert smelted.reused == {"namespaces", "web"}
        assert again.engine.requests == []
        assert again.smelt(stack).record == smelted.record
        assert again.working == first

    def test_the_verbs_one_by_one_give_what_forge_gives(self, harness: Harness) -> None:
        crds = harness.component("crds", manifests=(harness.input("crds.yaml", harness.crd("Widget")),))
        told = SECRET + 'x: {{ .Capabilities.APIVersions.Has "example.com/v1" }}\n'
        web = harness.component("web", helm=harness.chart("web", {"secret.yaml": told}))
        stack = harness.stack(crds, web)
        harness.mine(stack)
        renders = harness.engine.renders_of("web")
        harness.smelt(stack)
        first = harness.working
        assert "x: true" in first["web/secret_web_admin.yaml"]
        harness.forge(stack)
        assert harness.working == first
        assert harness.engine.renders_of("web") == renders

    def test_an_edited_folder_is_not_trusted(self, harness: Harness) -> None:
        stack = harness.stack(inventing(harness))
        harness.forge(stack)
        for edit in (
            {"configmap_web.yaml": harness.config_map("web", "a: edited")},
            {"added.yaml": harness.config_map("added")},
            {"secret_admin.yaml": None},
        ):
            for name, content in edit.items():
                if content is None:
                    del harness.files.files[f"{SOURCED}/{name}"]
                else:
                    harness.files.files[f"{SOURCED}/{name}"] = content.encode()
            smelted = harness.forge(stack)
            assert smelted.reused == frozenset()
            assert sorted(harness.below(SOURCED)) == ["configmap_web.yaml", "secret_admin.yaml"]
            assert "a: b" in harness.working["web/configmap_web_web.yaml"]

    def test_an_edited_folder_is_not_trusted_by_smelt_either(self, harness: Harness) -> None:
        stack = harness.stack(inventing(harness))
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
    def test_a_changed_description_is_rendered_anew(self, harness: Harness, change: dict[str, object]) -> None:
        web = inventing(harness)
        harness.forge(harness.stack(web))
        password = harness.working["web/secret_web_admin.yaml"]
        harness.chart("web", {"secret.yaml": SECRET}, version="2.0.0")
        smelted = harness.forge(harness.stack(replace(web, **change)))  # type: ignore[arg-type]
        assert smelted.reused == frozenset()
        assert password not in harness.working.values()

    def test_another_target_or_engine_is_rendered_anew(self, harness: Harness) -> None:
        stack = harness.stack(inventing(harness))
        harness.forge(stack)
        assert harness.forge(replace(stack, target=Target(kubernetes=KubernetesVersion(1, 30)))).reused == frozenset()
        harness.engine.version = "helm-sdk v9"
        assert harness.forge(stack).reused == frozenset()

    def test_what_the_chart_does_not_depend_on_changes_nothing(self, harness: Harness) -> None:
        web = inventing(harness)
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

    def test_another_components_new_crd_is_heard_of(self, harness: Harness) -> None:
        told = harness.config_map("web", 'a: {{ .Capabilities.APIVersions.Has "example.com/v1" | quote }}')
        web = harness.component("web", helm=harness.chart("web", {"map.yaml": told}))
        harness.forge(harness.stack(web))
        crds = harness.component("crds", manifests=(harness.input("crds.yaml", harness.crd("Widget")),))
        assert harness.forge(harness.stack(web, crds)).reused == frozenset()
        assert "true" in harness.working["web/configmap_web_web.yaml"]
        assert harness.forge(harness.stack(web)).reused == frozenset()
        assert "false" in harness.working["web/configmap_web_web.yaml"]

    def test_a_folder_without_a_lock_is_rendered_anew(self, harness: Harness) -> None:
        stack = harness.stack(inventing(harness))
        harness.forge(stack)
        harness.lock = Lock()
        assert harness.forge(stack).reused == frozenset()

    def test_findings_are_the_same_on_every_run(self, harness: Harness) -> None:
        hooked = harness.config_map("hook", annotations="helm.sh/hook: test")
        twin = harness.config_map("twin")
        helm = harness.chart("web", {"a.yaml": twin, "b.yaml": twin, "h.yaml": hooked, "s.yaml": SECRET})
        web = harness.component("web", helm=helm, exclude=("secret_admin.yaml", "Role_none.yaml"))
        runs = [harness.forge(harness.stack(web)).findings for _ in range(2)]
        assert runs[0] == runs[1]
        assert [each.code for each in runs[0]] == ["hook-dropped", "unused-ignore"]
        assert "Role_none.yaml" in runs[0][1].message


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

    def test_mine_makes_the_folder_anew(self, harness: Harness) -> None:
        harness.input("web/manifests/sourced/old.yaml", harness.config_map("old"))
        mined = harness.mine(harness.stack(self.component(harness)))
        assert harness.below(SOURCED).keys() == {"configmap_web.yaml", "configmap_fetched.yaml"}
        assert "upstream 1" in harness.below(SOURCED)["configmap_web.yaml"]
        assert dict(mined.objects) == {"web": 3}
        assert {each.address for each in harness.lock.components["web"].sources} == {
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

    def test_a_component_may_have_sources_of_its_own_besides(self, harness: Harness) -> None:
        own = harness.chart("own", {"map.yaml": harness.config_map("own")})
        upstream = Upstream(folder="web/base", manifests=(harness.url(URL, harness.config_map("fetched")),))
        stack = harness.stack(harness.component("web", helm=own, manifests=("web/base",), upstream=upstream))
        mined = harness.mine(stack)
        assert {each.address for each in mined.lock.components["web"].sources} == {
            "https://charts.example.com own",
            URL,
        }
        smelted = harness.smelt(stack)
        assert smelted.reused == {"web"}
        assert {"web/configmap_web_own.yaml", "web/configmap_web_fetched.yaml"} <= harness.working.keys()


class TestFailure:
    def test_nothing_is_written_if_one_fails(self, harness: Harness) -> None:
        failing = harness.component("failing", helm=harness.chart("failing", {"a.yaml": '{{ fail "no" }}'}))
        assert harness.errors(lambda: harness.mine(harness.stack(inventing(harness), failing)))
        assert harness.files.files == {}
        assert harness.store.entries, "what was fetched stays"

    def test_what_cannot_be_fetched_is_named(self, harness: Harness) -> None:
        (error,) = harness.errors(lambda: harness.mine(harness.stack(harness.component("a", manifests=(URL,)))))
        assert isinstance(error, FetchError)
        assert error.message.startswith("component a: ")


def test_progress_is_told(harness: Harness) -> None:
    harness.mine(harness.stack(inventing(harness)))
    assert harness.reporter.events == [
        ("started", "mine", "1"),
        ("advanced", "mine", "web", "https://charts.example.com web 1.0.0"),
        ("started", "render", "1"),
        ("advanced", "render", "web", "2 objects"),
        ("finished", "render", "1 rendered"),
        ("finished", "mine", "1 component with sources, locked in cluster-forge.lock"),
    ]


def test_a_stack_without_sources_needs_no_mining(harness: Harness) -> None:
    own = harness.component("own", manifests=(harness.input("own.yaml", "a: ["),))
    mined = harness.mine(harness.stack(own))
    assert (dict(mined.objects), mined.contents, mined.lock) == ({}, None, Lock())
