"""Needs, alternatives, exclusions and versions of a catalog's components in a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.catalog.conftest import Shelf

STORES = {"object-storage": {"endpoint": "http://${release}.${namespace}.svc.cluster.local:9000"}}


def names(shelf: Shelf, description: str, **options: Any) -> list[str]:
    return [component.name for component in shelf.load(description, **options).stack.components]


def notices(shelf: Shelf, description: str) -> list[str]:
    return [f"{notice.code} {notice.component}: {notice.message}" for notice in shelf.load(description).notices]


class TestNames:
    def test_a_name_is_a_component_of_the_catalog(self, shelf: Shelf) -> None:
        shelf.component("web", values={"a": 1}, sizes={"large": {"b": 2}}, wave=7)
        (web,) = shelf.load("target: {size: large}\ncomponents: [web]").stack.components
        assert web.helm is not None
        assert (web.helm.repository, web.helm.chart, web.helm.version) == ("https://charts.example.com", "web", "1.0.0")
        assert (web.values, web.wave, web.namespace, web.pod_security) == ({"a": 1, "b": 2}, 7, "web", "restricted")
        assert web.where == "input/config.yaml:5"

    def test_collections_of_the_catalog_and_of_the_user(self, shelf: Shelf) -> None:
        shelf.component("a").component("b").component("c").collection("inner", "b").collection("both", "a", "inner")
        assert names(shelf, "components: [both]") == ["a", "b"]
        assert names(shelf, "components: [both]\ncollections: {both: [inner, c]}") == ["b", "c"]

    def test_the_users_objects_secrets_and_needs_are_added(self, shelf: Shelf) -> None:
        def config_map(name: str, data: str) -> dict[str, Any]:
            return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": data}}

        shelf.component("db").component("mine").component(
            "web",
            needs=["db"],
            objects=[config_map("one", "catalog"), config_map("two", "catalog")],
            secrets=[{"name": "login", "keys": {"password": "it"}, "purpose": "Login."}],
        )
        more = (
            "{name: web, needs: [mine], objects: ["
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: two}, data: {a: own}},"
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: three}}],"
            "secrets: [{name: mail, keys: {password: it}, purpose: Mail.}]}"
        )
        web = shelf.load(f"components: [{more}, mine]").stack.component("web")
        assert web.needs == ("db", "mine")
        assert [body["metadata"]["name"] for body in web.objects] == ["one", "two", "three"]
        assert web.objects[1]["data"] == {"a": "own"}
        assert [secret.name for secret in web.secrets] == ["login", "mail"]
        other = "{apiVersion: example.com/v1, kind: ConfigMap, metadata: {name: two}}"
        drawn = "{apiVersion: v1, kind: ConfigMap, metadata: {generateName: x}}"
        twice = f"{{name: web, objects: [{other}, {drawn}, {drawn}]}}"
        assert len(shelf.load(f"components: [{twice}]").stack.component("web").objects) == 5
        own = "{name: login, namespace: web, keys: {password: mine}, purpose: Login.}"
        (login,) = shelf.load(f"components: [{{name: web, secrets: [{own}]}}]").stack.component("web").secrets
        assert login.keys == {"password": "mine"}
        web = shelf.load("components: [{name: web, objects: [], secrets: []}]").stack.component("web")
        assert (web.objects, web.secrets) == ((), ())

    def test_the_users_layer_wins(self, shelf: Shelf) -> None:
        shelf.component("web", values={"a": 1, "b": {"c": 1, "d": 2}})
        (web,) = shelf.load(
            "components: [{name: web, namespace: other, version: 2.0.0, valuesFiles: [v.yaml], values: {b: {d: null}}}]",
            {"input/v.yaml": "a: 5\n"},
        ).stack.components
        assert web.helm is not None
        assert (web.values, web.namespace, web.helm.version) == ({"a": 5, "b": {"c": 1, "d": None}}, "other", "2.0.0")

    def test_a_component_with_a_source_is_the_users_own(self, shelf: Shelf) -> None:
        shelf.component("web", values={"a": 1}, needs=["db"]).component("db")
        own = "components: [{name: web, helm: {repository: 'https://x.org', chart: w, version: 1.0.0}}]"
        (web,) = shelf.load(own).stack.components
        assert web.values == {}

    def test_an_unknown_name_is_an_error_with_the_nearest(self, shelf: Shelf) -> None:
        shelf.component("grafana")
        assert shelf.errors("components: [grafna]") == [
            "input/config.yaml:4: unknown component or collection 'grafna', did you mean 'grafana'?"
        ]


class TestNeeds:
    def test_a_need_is_added_with_its_reason(self, shelf: Shelf) -> None:
        shelf.component("web", needs=[{"name": "db", "reason": "It keeps its pages there."}]).component("db")
        stack = shelf.load("components: [web]").stack
        assert [component.name for component in stack.components] == ["web", "db"]
        assert stack.component("web").needs == ("db",)
        assert notices(shelf, "components: [web]") == ["pulled-in db: added: required by web: It keeps its pages there"]

    def test_needs_of_needs(self, shelf: Shelf) -> None:
        shelf.component("a", needs=["b"]).component("b", needs=["c"]).component("c")
        assert names(shelf, "components: [a]") == ["a", "b", "c"]

    def test_only_at_a_size(self, shelf: Shelf) -> None:
        shelf.component("web", needs=[{"name": "db", "sizes": ["large"]}]).component("db")
        assert names(shelf, "components: [web]") == ["web"]
        assert names(shelf, "target: {size: large}\ncomponents: [web]") == ["web", "db"]

    def test_the_preferred_provider_is_added_and_alternatives_are_named(self, shelf: Shelf) -> None:
        shelf.component("first", provides=STORES).component("second", provides=STORES)
        shelf.component("web", needs=["object-storage"])
        assert names(shelf, "components: [web]") == ["web", "first"]
        assert notices(shelf, "components: [web]") == [
            "pulled-in first: added: required by web (object-storage); alternative: second"
        ]

    def test_a_provider_in_the_stack_is_used(self, shelf: Shelf) -> None:
        shelf.component("first", provides=STORES).component("second", provides=STORES)
        shelf.component("web", needs=["object-storage"])
        assert names(shelf, "components: [web, second]") == ["web", "second"]
        assert shelf.load("components: [web, second]").stack.component("web").needs == ("second",)

    def test_another_preference_for_a_size(self, shelf: Shelf) -> None:
        shelf.component("first", provides=STORES).component("second", provides=STORES)
        shelf.component("web", needs=["object-storage"])
        shelf.capabilities["object-storage"]["sizes"] = {"small": ["second", "first"]}
        assert names(shelf, "components: [web]") == ["web", "second"]
        assert names(shelf, "target: {size: large}\ncomponents: [web]") == ["web", "first"]

    def test_an_unsupported_provider_is_not_preferred(self, shelf: Shelf) -> None:
        shelf.component("first", provides=STORES, versions=[{"version": "1.0.0", "kubernetes": "1.25-1.28"}])
        shelf.component("second", provides=STORES).component("web", needs=["object-storage"])
        assert names(shelf, "components: [web]") == ["web", "second"]
        assert names(shelf, "target: {kubernetes: '1.28'}\ncomponents: [web]") == ["web", "first"]

    def test_what_the_cluster_provides_is_not_added(self, shelf: Shelf) -> None:
        shelf.component("first", provides=STORES).component("web", needs=["object-storage"])
        assert names(shelf, "target: {provides: [object-storage]}\ncomponents: [web]") == ["web"]

    def test_a_need_without_a_provider_is_an_error(self, shelf: Shelf) -> None:
        shelf.component("web", needs=["object-storage"])
        assert shelf.errors("components: [web]") == [
            "input/config.yaml:4: web needs object-storage, which no component of the catalog provides"
        ]

    def test_a_skipped_need_is_not_added(self, shelf: Shelf) -> None:
        shelf.component("web", needs=["db"]).component("db")
        assert names(shelf, "components: [web]", skip=["db"]) == ["web"]

    def test_own_components_may_need_catalog_components(self, shelf: Shelf) -> None:
        shelf.component("db")
        own = "{name: mine, manifests: ['https://x.org/a.yaml'], needs: [db]}"
        assert names(shelf, f"components: [{own}, db]") == ["mine", "db"]
        assert shelf.errors(f"components: [{own}]") == ["input/config.yaml:4: mine needs db, which is not in the stack"]


class TestEngine:
    """With `gitops.engine` the stack needs the component that brings it (ADR 0041)."""

    @pytest.fixture
    def shelf(self, shelf: Shelf) -> Shelf:
        return shelf.component("argo-cd", provides={"argoproj.io": {}}).component("grafana")

    def test_it_is_added_with_its_reason(self, shelf: Shelf) -> None:
        parsed = shelf.load("gitops: {engine: argocd}\ncomponents: [grafana]\n")
        assert [component.name for component in parsed.stack.components] == ["grafana", "argo-cd"]
        (notice,) = parsed.notices
        assert (notice.code, notice.component) == ("pulled-in", "argo-cd")
        assert notice.message == "added: required by gitops.engine (argoproj.io)"
        assert notice.where == "input/config.yaml:4"

    @pytest.mark.parametrize(
        "gitops",
        [
            "gitops: {engine: argocd, install: false}",
            "gitops: {engine: none}",
            "gitops: {mode: ui}",
            "gitops: {engine: argocd}\ntarget: {provides: [argoproj.io]}",
        ],
    )
    def test_not_where_the_cluster_has_it_or_none_is_written(self, shelf: Shelf, gitops: str) -> None:
        parsed = shelf.load(f"{gitops}\ncomponents: [grafana]\n")
        assert [component.name for component in parsed.stack.components] == ["grafana"]

    @pytest.mark.parametrize(
        "own",
        [
            "argo-cd",
            "{name: argo-cd, namespace: gitops, manifests: [argo/]}",
            "{name: delivery, namespace: gitops, helm: {repository: 'https://charts.example.com', chart: argo-cd, version: 1.0.0}}",
            "{name: delivery, namespace: gitops, helm: {chart: ./charts/argo-cd}}",
        ],
    )
    def test_one_in_the_stack_is_enough(self, shelf: Shelf, own: str) -> None:
        parsed = shelf.load(f"gitops: {{engine: argocd}}\ncomponents: [grafana, {own}]\n")
        assert len(parsed.stack.components) == 2

    def test_a_skipped_one_is_not_added(self, shelf: Shelf) -> None:
        parsed = shelf.load("gitops: {engine: argocd}\ncomponents: [grafana]\n", skip=("argo-cd",))
        assert [component.name for component in parsed.stack.components] == ["grafana"]


def test_a_catalog_without_the_engine_is_an_error(shelf: Shelf) -> None:
    description = "gitops: {engine: argocd}\ncomponents: [grafana]\n"
    assert shelf.component("grafana").errors(description) == [
        "input/config.yaml:4: gitops.engine needs argoproj.io, which no component of the catalog provides"
    ]


class TestExclusions:
    def test_an_exclusion_names_both_components_and_the_reason(self, shelf: Shelf) -> None:
        shelf.component("a", excludes=[{"name": "b", "reason": "Both are alike."}]).component("b")
        assert shelf.errors("components: [a, b]") == ["input/config.yaml:4: a and b exclude each other: Both are alike"]

    def test_an_exclusion_by_capability_is_reported_once(self, shelf: Shelf) -> None:
        alike = {"provides": {"agent": {}}, "excludes": [{"name": "agent", "reason": "One is enough."}]}
        shelf.component("a", **alike).component("b", **alike)
        assert shelf.errors("components: [a, b]") == ["input/config.yaml:4: a and b exclude each other: One is enough"]
        assert names(shelf, "components: [a]") == ["a"]

    def test_a_provider_that_excludes_a_component_is_not_used(self, shelf: Shelf) -> None:
        shelf.component("first", provides=STORES, excludes=[{"name": "web", "reason": "No."}])
        shelf.component("second", provides=STORES).component("web", needs=["object-storage"])
        assert names(shelf, "components: [web]") == ["web", "second"]


class TestVersions:
    def test_the_newest_supported_version_is_used(self, shelf: Shelf) -> None:
        shelf.component(
            "web",
            values={"new": True},
            versions=[
                {"version": "3.0.0", "kubernetes": "1.30+"},
                {
                    "version": "2.0.0",
                    "kubernetes": "1.25-1.29",
                    "helm": {"repository": "https://old.example.com"},
                    "values": {"new": None, "old": True},
                    "sizes": {"small": {"tiny": True}},
                },
            ],
        )
        (new,) = shelf.load("components: [web]").stack.components
        (old,) = shelf.load("target: {kubernetes: '1.27'}\ncomponents: [web]").stack.components
        assert new.helm is not None
        assert old.helm is not None
        assert (new.helm.version, new.values) == ("3.0.0", {"new": True})
        assert (old.helm.version, old.helm.repository) == ("2.0.0", "https://old.example.com")
        assert old.values == {"new": None, "old": True, "tiny": True}

    def test_a_component_without_a_supported_version_is_an_error(self, shelf: Shelf) -> None:
        shelf.component("web", versions=[{"version": "3.0.0", "kubernetes": "1.30+"}])
        assert shelf.errors("target: {kubernetes: '1.27'}\ncomponents: [web]") == [
            "input/config.yaml:5: no version of web supports Kubernetes 1.27; versions: 3.0.0 (1.30+)"
        ]

    def test_an_unsupported_version_is_an_error(self, shelf: Shelf) -> None:
        versions = [{"version": "3.0.0", "kubernetes": "1.30+"}, {"version": "2.0.0", "kubernetes": "1.25-1.29"}]
        shelf.component("web", versions=versions)
        assert shelf.errors("components: [{name: web, version: 2.0.0}]") == [
            "input/config.yaml:4: web 2.0.0 does not support Kubernetes 1.33; versions: 3.0.0 (1.30+), 2.0.0 (1.25-1.29)"
        ]

    def test_manifests(self, shelf: Shelf) -> None:
        shelf.component(
            "crds", helm={}, versions=[{"version": "v1", "kubernetes": "1.25+", "manifests": ["https://x.org/v1.yaml"]}]
        )
        (crds,) = shelf.load("components: [crds]").stack.components
        assert (crds.helm, crds.manifests) == (None, ("https://x.org/v1.yaml",))


class TestRemarks:
    def test_an_eol_component_is_a_warning(self, shelf: Shelf) -> None:
        life = {"state": "eol", "date": "2026-03-02", "reason": "It is unmaintained.", "successor": "new"}
        shelf.component("old", lifecycle=life)
        (notice,) = shelf.load("components: [old]").notices
        assert (notice.code, notice.is_warning) == ("eol-component", True)
        assert notice.message == (
            "end of life since 2026-03-02: It is unmaintained; successor: new (`cluster-forge catalog switch old`)"
        )

    def test_a_missing_architecture_is_a_warning(self, shelf: Shelf) -> None:
        shelf.component("gpu", architectures=["amd64"])
        assert notices(shelf, "components: [gpu]") == ["platform-missing gpu: has images for amd64 only, not for arm64"]
        assert notices(shelf, "target: {architectures: [amd64]}\ncomponents: [gpu]") == []


def test_errors_of_a_file_have_lines(shelf: Shelf) -> None:
    shelf.component("web", podSecurity="none", wirring=[])
    assert sorted(shelf.errors("components: [web]")) == [
        "components/web.yaml:10: podSecurity: must be one of restricted, baseline, privileged, not 'none'",
        "components/web.yaml:17: unknown key 'wirring', did you mean 'wiring'?",
    ]
