"""A user's own catalog in the workspace: over the packaged one, and preferred to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.catalog.conftest import Shelf

if TYPE_CHECKING:
    from cluster_forge.stack.parse import ParsedDescription


def files(own: Shelf) -> dict[str, str]:
    _ = own.library  # writes what it has of capabilities and collections
    kept = {path: text for path, text in own.folder.files.items() if text != "{}\n"}
    return {f"input/catalog/{path}": text for path, text in kept.items()}


def load(shelf: Shelf, own: Shelf, components: str) -> ParsedDescription:
    there = files(own)

    def listed(path: str) -> list[str] | None:
        return sorted(name for name in there if name.startswith(f"{path}/")) or None

    return shelf.load(f"catalogs: [./catalog]\ncomponents: [{components}]", there, list_files=listed)


def test_own_components_are_added_and_replace_others(shelf: Shelf) -> None:
    shelf.component("web", values={"from": "packaged"}).component("db")
    own = Shelf().component("web", values={"from": "own"}).component("cache").collection("all", "web", "cache", "db")
    stack = load(shelf, own, "all").stack
    assert [component.name for component in stack.components] == ["web", "cache", "db"]
    assert stack.component("web").values == {"from": "own"}


def test_providers_of_an_own_catalog_are_preferred(shelf: Shelf) -> None:
    shelf.component("web", needs=["redis"]).component("valkey", provides={"redis": {}})
    own = Shelf().component("dragonfly", provides={"redis": {}})
    own.capabilities.clear()
    assert [component.name for component in load(shelf, own, "web").stack.components] == ["web", "dragonfly"]


def test_a_missing_catalog_is_an_error_with_its_line(shelf: Shelf) -> None:
    assert shelf.errors("catalogs: [./nowhere]\ncomponents: []", list_files=lambda _: None) == [
        "input/config.yaml:4: no catalog in input/nowhere"
    ]


def test_a_catalog_at_another_address_is_an_error(shelf: Shelf) -> None:
    assert shelf.errors(
        "catalogs: ['https://catalogs.example.com/catalog']\ncomponents: []", list_files=lambda _: None
    ) == [
        "input/config.yaml:4: a catalog is a folder, in Git or in a registry, and https://catalogs.example.com/catalog is none of them"
    ]


def test_a_file_has_the_name_of_its_component(shelf: Shelf) -> None:
    own = Shelf().component("web")
    own.folder.files["components/other.yaml"] = own.folder.files["components/web.yaml"]
    there = files(own)
    found = shelf.errors_with(
        "catalogs: [catalog]\ncomponents: [other]",
        there,
        list_files=lambda path: [n for n in there if n.startswith(path)],
    )
    assert found == ["input/catalog/components/other.yaml: `name: web` differs from the file's name"]
