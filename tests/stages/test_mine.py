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
    from tests.stages.conftest import Workshop

URL = "https://example.com/a.yaml"
SECRET = (
    "apiVersion: v1\nkind: Secret\nmetadata: {name: admin}\n"
    'stringData: {password: {{ randAlphaNum 20 | quote }}, user: {{ .Values.user | default "root" | quote }}}\n'
)
SOURCED = "input/web/manifests/sourced"


def inventing(workshop: Workshop, **changes: object) -> Component:
    """A component whose chart invents a password at each render."""
    helm = workshop.chart("web", {"secret.yaml": SECRET, "map.yaml": workshop.config_map("web")})
    return workshop.component("web", **{"helm": helm, **changes})


def ranged(version: str) -> HelmSource:
    return HelmSource(chart="web", release="web", repository="https://charts.example.com", version=version)


class TestFolder:
    def test_one_object_lies_in_one_file_as_it_was_rendered(self, workshop: Workshop) -> None:
        mined = workshop.mine(workshop.stack(inventing(workshop)))
        assert sorted(workshop.below(SOURCED)) == ["configmap_web.yaml", "secret_admin.yaml"]
        assert "namespace" not in workshop.below(SOURCED)["configmap_web.yaml"]
        assert dict(mined.objects) == {"web": 2}
        assert mined.reused == frozenset()
        assert mined.chart("web") == mined.pins[inventing(workshop).name].chart
        assert mined.chart("nobody") is None

    def test_what_is_gone_from_the_chart_is_gone_from_the_folder(self, workshop: Workshop) -> None:
        workshop.mine(workshop.stack(inventing(workshop)))
        helm = workshop.chart("web", {"map.yaml": workshop.config_map("other")}, version="2.0.0")
        workshop.mine(workshop.stack(workshop.component("web", helm=helm)))
        assert list(workshop.below(SOURCED)) == ["configmap_other.yaml"]

    def test_twins_that_differ_both_lie_there(self, workshop: Workshop) -> None:
        twins = [workshop.config_map("web", f"a: {value}") for value in ("one", "two", "one")]
        helm = workshop.chart("web", {f"{number}.yaml": twin for number, twin in enumerate(twins)})
        stack = workshop.stack(workshop.component("web", helm=helm))
        workshop.mine(stack)
        assert sorted(workshop.below(SOURCED)) == ["configmap_web.yaml", "configmap_web~2.yaml"]
        findings = [workshop.smelt(stack).findings for _ in range(2)]
        assert [each.code for each in findings[0]] == ["duplicate-object"]
        assert findings[0] == findings[1]

    def test_objects_of_urls_lie_beside_those_of_the_chart(self, workshop: Workshop) -> None:
        url = workshop.url(URL, workshop.config_map("fetched"))
        workshop.mine(workshop.stack(inventing(workshop, manifests=(url,))))
        assert sorted(workshop.below(SOURCED)) == ["configmap_fetched.yaml", "configmap_web.yaml", "secret_admin.yaml"]


class TestLock:
    def test_it_tells_every_source_to_the_byte(self, workshop: Workshop) -> None:
        workshop.chart("web", {"map.yaml": workshop.config_map("web")}, version="1.2.0")
        told = '{{ .Capabilities.APIVersions.Has "b/v1" }}{{ .Capabilities.APIVersions.Has "a/v1" }}'
        asking = workshop.chart("asks", {"map.yaml": workshop.config_map("asks", f"a: {told}")})
        workshop.chart("any", {"map.yaml": "{{ $x := .Capabilities.APIVersions }}" + workshop.config_map("any")})
        workshop.mine(
            workshop.stack(
                workshop.component("web", helm=ranged("^1"), manifests=(workshop.url(URL, workshop.config_map("x")),)),
                workshop.component("asks", helm=asking),
                workshop.component("any", helm=replace(asking, chart="any")),
                workshop.component("own", manifests=(workshop.input("own.yaml", workshop.config_map("own")),)),
            )
        )
        lock = lock_file.parse((workshop.files.read(FILE) or b"").decode())
        assert lock == workshop.lock
        assert list(lock.components) == ["any", "asks", "web"]
        web = lock.components["web"]
        assert [(each.address, each.asked, each.version, each.digest) for each in web.sources] == [
            ("https://charts.example.com web", "^1", "1.2.0", Digest.of(workshop.sources.charts["web", "1.2.0"])),
            (URL, "", "", Digest.of(workshop.sources.urls[URL])),
        ]
        assert web.rendered
        assert [each.asks for each in lock.components.values()] == [("*",), ("a/v1", "b/v1"), ()]

    def test_it_is_written_only_if_it_changed(self, workshop: Workshop) -> None:
        stack = workshop.stack(inventing(workshop))
        workshop.mine(stack)
        writes = workshop.files.writes
        before = dict(workshop.files.files)
        workshop.mine(stack)
        assert workshop.files.files == before
        assert workshop.files.writes == writes + 1, "the empty exchange of no trees"

    def test_components_that_were_not_asked_for_stay_in_it(self, workshop: Workshop) -> None:
        other = workshop.component("other", helm=workshop.chart("other", {"map.yaml": workshop.config_map("other")}))
        workshop.mine(workshop.stack(inventing(workshop), other))
        before = workshop.lock.components["other"]
        workshop.mine(workshop.stack(inventing(workshop)))
        assert workshop.lock.components["other"] == before

    def test_what_changed_upstream_is_an_error_until_update_is_said(self, workshop: Workshop) -> None:
        url = workshop.url(URL, workshop.config_map("a"))
        stack = workshop.stack(workshop.component("a", manifests=(url,)))
        workshop.mine(stack)
        workshop.url(URL, workshop.config_map("b"))
        workshop.store.entries.clear()
        before = dict(workshop.files.files)
        assert [type(each) for each in workshop.errors(lambda: workshop.mine(stack))] == [LockError]
        assert workshop.files.files == before
        workshop.mine(stack, update=frozenset({"a"}))
        assert list(workshop.below("input/a/manifests/sourced")) == ["configmap_b.yaml"]

    def test_update_moves_only_whom_it_names(self, workshop: Workshop) -> None:
        workshop.chart("web", {"map.yaml": workshop.config_map("web")}, version="1.0.0")
        stack = workshop.stack(
            workshop.component("one", helm=replace(ranged("1.x"), release="one")),
            workshop.component("two", helm=replace(ranged("1.x"), release="two")),
        )
        workshop.mine(stack)
        workshop.chart("web", {"map.yaml": workshop.config_map("newer")}, version="1.1.0")
        workshop.mine(stack)
        assert [each.sources[0].version for each in workshop.lock.components.values()] == ["1.0.0", "1.0.0"]
        mined = workshop.mine(stack, update=frozenset({"two"}))
        assert [each.sources[0].version for each in workshop.lock.components.values()] == ["1.0.0", "1.1.0"]
        assert mined.reused == {"one"}


class TestReadBack:
    def test_a_chart_that_invents_passwords_invents_them_once(self, workshop: Workshop) -> None:
        stack = workshop.stack(inventing(workshop))
        workshop.forge(stack)
        first = workshop.working
        again = workshop.again()
        smelted = again.forge(stack)
        assert again.working == first
        assert smelted.reused == {"namespaces", "web"}
        assert again.engine.requests == []
        assert again.smelt(stack).record == smelted.record
        assert again.working == first

    def test_the_verbs_one_by_one_give_what_forge_gives(self, workshop: Workshop) -> None:
        crds = workshop.component("crds", manifests=(workshop.input("crds.yaml", workshop.crd("Widget")),))
        told = SECRET + 'x: {{ .Capabilities.APIVersions.Has "example.com/v1" }}\n'
        web = workshop.component("web", helm=workshop.chart("web", {"secret.yaml": told}))
        stack = workshop.stack(crds, web)
        workshop.mine(stack)
        renders = workshop.engine.renders_of("web")
        workshop.smelt(stack)
        first = workshop.working
        assert "x: true" in first["web/secret_web_admin.yaml"]
        workshop.forge(stack)
        assert workshop.working == first
        assert workshop.engine.renders_of("web") == renders

    def test_an_edited_folder_is_not_trusted(self, workshop: Workshop) -> None:
        stack = workshop.stack(inventing(workshop))
        workshop.forge(stack)
        for edit in (
            {"configmap_web.yaml": workshop.config_map("web", "a: edited")},
            {"added.yaml": workshop.config_map("added")},
            {"secret_admin.yaml": None},
        ):
            for name, content in edit.items():
                if content is None:
                    del workshop.files.files[f"{SOURCED}/{name}"]
                else:
                    workshop.files.files[f"{SOURCED}/{name}"] = content.encode()
            smelted = workshop.forge(stack)
            assert smelted.reused == frozenset()
            assert sorted(workshop.below(SOURCED)) == ["configmap_web.yaml", "secret_admin.yaml"]
            assert "a: b" in workshop.working["web/configmap_web_web.yaml"]

    def test_an_edited_folder_is_not_trusted_by_smelt_either(self, workshop: Workshop) -> None:
        stack = workshop.stack(inventing(workshop))
        workshop.mine(stack)
        workshop.files.files[f"{SOURCED}/configmap_web.yaml"] = workshop.config_map("web", "a: edited").encode()
        smelted = workshop.smelt(stack)
        assert smelted.reused == frozenset()
        assert "a: b" in workshop.working["web/configmap_web_web.yaml"]

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
    def test_a_changed_description_is_rendered_anew(self, workshop: Workshop, change: dict[str, object]) -> None:
        web = inventing(workshop)
        workshop.forge(workshop.stack(web))
        password = workshop.working["web/secret_web_admin.yaml"]
        workshop.chart("web", {"secret.yaml": SECRET}, version="2.0.0")
        smelted = workshop.forge(workshop.stack(replace(web, **change)))  # type: ignore[arg-type]
        assert smelted.reused == frozenset()
        assert password not in workshop.working.values()

    def test_another_target_or_engine_is_rendered_anew(self, workshop: Workshop) -> None:
        stack = workshop.stack(inventing(workshop))
        workshop.forge(stack)
        assert workshop.forge(replace(stack, target=Target(kubernetes=KubernetesVersion(1, 30)))).reused == frozenset()
        workshop.engine.version = "helm-sdk v9"
        assert workshop.forge(stack).reused == frozenset()

    def test_what_the_chart_does_not_depend_on_changes_nothing(self, workshop: Workshop) -> None:
        web = inventing(workshop)
        workshop.forge(workshop.stack(web))
        first = workshop.working["web/secret_web_admin.yaml"]
        others = (
            workshop.component("crds", manifests=(workshop.input("crds.yaml", workshop.crd("Widget")),)),
            replace(web, wave=7, exclude=("configmap_web.yaml",), needs=(), extra_namespaces=("more",)),
        )
        smelted = workshop.forge(workshop.stack(*others))
        assert smelted.reused == {"web"}
        assert workshop.working["web/secret_web_admin.yaml"] == first
        assert "web/configmap_web_web.yaml" not in workshop.working

    def test_another_components_new_crd_is_heard_of(self, workshop: Workshop) -> None:
        told = workshop.config_map("web", 'a: {{ .Capabilities.APIVersions.Has "example.com/v1" | quote }}')
        web = workshop.component("web", helm=workshop.chart("web", {"map.yaml": told}))
        workshop.forge(workshop.stack(web))
        crds = workshop.component("crds", manifests=(workshop.input("crds.yaml", workshop.crd("Widget")),))
        assert workshop.forge(workshop.stack(web, crds)).reused == frozenset()
        assert "true" in workshop.working["web/configmap_web_web.yaml"]
        assert workshop.forge(workshop.stack(web)).reused == frozenset()
        assert "false" in workshop.working["web/configmap_web_web.yaml"]

    def test_a_folder_without_a_lock_is_rendered_anew(self, workshop: Workshop) -> None:
        stack = workshop.stack(inventing(workshop))
        workshop.forge(stack)
        workshop.lock = Lock()
        assert workshop.forge(stack).reused == frozenset()

    def test_findings_are_the_same_on_every_run(self, workshop: Workshop) -> None:
        hooked = workshop.config_map("hook", annotations="helm.sh/hook: test")
        twin = workshop.config_map("twin")
        helm = workshop.chart("web", {"a.yaml": twin, "b.yaml": twin, "h.yaml": hooked, "s.yaml": SECRET})
        web = workshop.component("web", helm=helm, exclude=("secret_admin.yaml", "Role_none.yaml"))
        runs = [workshop.forge(workshop.stack(web)).findings for _ in range(2)]
        assert runs[0] == runs[1]
        assert [each.code for each in runs[0]] == ["hook-dropped", "unused-ignore"]
        assert "Role_none.yaml" in runs[0][1].message


class TestUpstream:
    def component(self, workshop: Workshop, **changes: object) -> Component:
        templates = {
            "map.yaml": workshop.config_map("web", "who: {{ .Release.Namespace }} {{ .Values.v }}"),
            "s.yaml": SECRET,
        }
        helm = workshop.chart("web", templates)
        upstream = Upstream(
            folder="web/manifests/sourced",
            namespace="upstream",
            helm=helm,
            manifests=(workshop.url(URL, workshop.config_map("fetched")),),
            values={"v": 1},
            exclude=("Secret_admin.yaml",),
        )
        described = workshop.component("web", manifests=("web/manifests/sourced",), upstream=upstream)
        return replace(described, **changes)  # type: ignore[arg-type]

    def test_mine_makes_the_folder_anew(self, workshop: Workshop) -> None:
        workshop.input("web/manifests/sourced/old.yaml", workshop.config_map("old"))
        mined = workshop.mine(workshop.stack(self.component(workshop)))
        assert workshop.below(SOURCED).keys() == {"configmap_web.yaml", "configmap_fetched.yaml"}
        assert "upstream 1" in workshop.below(SOURCED)["configmap_web.yaml"]
        assert dict(mined.objects) == {"web": 3}
        assert {each.address for each in workshop.lock.components["web"].sources} == {
            "https://charts.example.com web",
            URL,
        }
        assert workshop.heard.events[-1][:2] == ("finished", "mine")

    def test_forge_mines_it_only_where_the_folder_is_missing(self, workshop: Workshop) -> None:
        stack = workshop.stack(self.component(workshop))
        workshop.input("web/manifests/sourced/own.yaml", workshop.config_map("own"))
        workshop.forge(stack)
        assert list(workshop.below(SOURCED)) == ["own.yaml"]
        assert workshop.sources.asked == []
        del workshop.files.files[f"{SOURCED}/own.yaml"]
        workshop.forge(stack)
        assert len(workshop.below(SOURCED)) == 2
        assert "web/configmap_web_web.yaml" in workshop.working

    def test_smelt_never_needs_the_source(self, workshop: Workshop) -> None:
        workshop.input("web/manifests/sourced/own.yaml", workshop.config_map("own"))
        smelted = workshop.smelt(workshop.stack(self.component(workshop)))
        assert "web/configmap_web_own.yaml" in workshop.working
        assert workshop.sources.asked == []
        assert smelted.is_written

    def test_a_component_may_have_sources_of_its_own_besides(self, workshop: Workshop) -> None:
        own = workshop.chart("own", {"map.yaml": workshop.config_map("own")})
        upstream = Upstream(folder="web/base", manifests=(workshop.url(URL, workshop.config_map("fetched")),))
        stack = workshop.stack(workshop.component("web", helm=own, manifests=("web/base",), upstream=upstream))
        mined = workshop.mine(stack)
        assert {each.address for each in mined.lock.components["web"].sources} == {
            "https://charts.example.com own",
            URL,
        }
        smelted = workshop.smelt(stack)
        assert smelted.reused == {"web"}
        assert {"web/configmap_web_own.yaml", "web/configmap_web_fetched.yaml"} <= workshop.working.keys()


class TestFailure:
    def test_nothing_is_written_if_one_fails(self, workshop: Workshop) -> None:
        failing = workshop.component("failing", helm=workshop.chart("failing", {"a.yaml": '{{ fail "no" }}'}))
        assert workshop.errors(lambda: workshop.mine(workshop.stack(inventing(workshop), failing)))
        assert workshop.files.files == {}
        assert workshop.store.entries, "what was fetched stays"

    def test_what_cannot_be_fetched_is_named(self, workshop: Workshop) -> None:
        (error,) = workshop.errors(lambda: workshop.mine(workshop.stack(workshop.component("a", manifests=(URL,)))))
        assert isinstance(error, FetchError)
        assert error.message.startswith("component a: ")


def test_progress_is_told(workshop: Workshop) -> None:
    workshop.mine(workshop.stack(inventing(workshop)))
    assert workshop.heard.events == [
        ("started", "mine", "1"),
        ("advanced", "mine", "web", "https://charts.example.com web 1.0.0"),
        ("started", "render", "1"),
        ("advanced", "render", "web", "2 objects"),
        ("finished", "render", "1 made"),
        ("finished", "mine", "1 component with sources, pinned in cluster-forge.lock"),
    ]


def test_a_stack_without_sources_needs_no_mining(workshop: Workshop) -> None:
    own = workshop.component("own", manifests=(workshop.input("own.yaml", "a: ["),))
    mined = workshop.mine(workshop.stack(own))
    assert (dict(mined.objects), mined.contents, mined.lock) == ({}, None, Lock())
