from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import LockError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.stack.lock import Lock, LockedComponent, LockedSource
from cluster_forge.stack.lock_file import emit, parse

Errors = Callable[[Callable[[], object]], list[str]]

name = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True).map(ComponentName)
digest = st.binary(max_size=3).map(Digest.of)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["1.10", "^12", ">=1 <2", "y", "1e3", "*", "~1.2"]
)
source = st.builds(LockedSource, address=text.filter(bool), asked=text, version=text, digest=digest)
component = st.builds(
    LockedComponent,
    name=name,
    sources=st.lists(source, max_size=3, unique_by=lambda source: (source.address, source.asked)).map(tuple),
    rendered=st.none() | digest,
    remarks=st.lists(text, max_size=2).map(tuple),
)
catalog = st.builds(
    LockedSource,
    address=st.from_regex(r"git\+https://h/[a-z]{1,9}(//[a-z]{1,9})?", fullmatch=True),
    asked=text,
    version=text,
    digest=digest,
)
base = st.builds(LockedSource, address=text.filter(bool), asked=text, version=digest.map(str), digest=digest)
lock = st.builds(
    lambda all_of, base, catalogs: Lock(base=base, catalogs=tuple(catalogs)).having(all_of),
    st.lists(component, max_size=4),
    st.none() | base,
    st.lists(catalog, max_size=2),
)

HEX = "0" * 64


def some_lock() -> Lock:
    grafana = LockedSource(
        address="https://charts.example.com grafana", asked="^12", version="12.11.1", digest=Digest("a" * 64)
    )
    crds = LockedSource(address="https://example.com/crds.yaml", digest=Digest("b" * 64))
    return Lock().having(
        [
            LockedComponent(name=ComponentName("shop"), sources=(crds, grafana), rendered=Digest("c" * 64)),
            LockedComponent(name=ComponentName("extras"), sources=(crds,)),
        ]
    )


@given(lock)
def test_a_written_lock_is_parsed(written: Lock) -> None:
    assert parse(emit(written)) == written
    assert emit(parse(emit(written))) == emit(written)


def test_the_base_image_stands_before_the_components() -> None:
    base = LockedSource(
        address="docker.io/library/alpine:3.22", asked="amd64 arm64", version=f"sha256:{HEX}", digest=Digest("d" * 64)
    )
    text = emit(Lock(base=base))
    assert text.split("\nversion: ")[1] == (
        "1\n"
        "image:\n"
        "  base:\n"
        "    address: docker.io/library/alpine:3.22\n"
        "    asked: amd64 arm64\n"
        f"    version: sha256:{HEX}\n"
        f"    digest: sha256:{'d' * 64}\n"
        "components: {}\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image: 1", "expected a mapping"),
        ("image: {}", "'base' is missing"),
        (
            f"catalogs: [{{address: git+ext://x/y, digest: {HEX}}}]",
            "git+ext://x/y: it is not an address like git+https://git.example.com/team/repo.git@v1.2.3//path",
        ),
        ("catalogs: {}", "expected a list"),
        ("image: {basis: 1}", "unknown key 'basis', did you mean 'base'?"),
        (
            f"image: {{base: {{address: a, digest: {HEX}, version: '3.22'}}}}",
            "the version of the base image is not a sha256 digest: '3.22'",
        ),
    ],
)
def test_a_damaged_base_image_or_catalog_is_reported(text: str, message: str) -> None:
    with pytest.raises((LockError, ExceptionGroup)) as error:
        parse(f"version: 1\n{text}\ncomponents: {{}}\n")
    problems = error.value.exceptions if isinstance(error.value, ExceptionGroup) else [error.value]
    assert f"cluster-forge.lock:2: the lock is damaged: {message}" in map(str, problems)


def test_every_line_has_one_fact_and_lines_are_sorted() -> None:
    body = emit(some_lock()).split("\nversion: ")[1]
    assert body == (
        "1\n"
        "components:\n"
        "  extras:\n"
        "    sources:\n"
        "    - address: https://example.com/crds.yaml\n"
        f"      digest: sha256:{'b' * 64}\n"
        "\n"
        "  shop:\n"
        f"    rendered: sha256:{'c' * 64}\n"
        "    sources:\n"
        "    - address: https://charts.example.com grafana\n"
        '      asked: "^12"\n'
        "      version: 12.11.1\n"
        f"      digest: sha256:{'a' * 64}\n"
        "    - address: https://example.com/crds.yaml\n"
        f"      digest: sha256:{'b' * 64}\n"
    )


def test_a_source_is_looked_up_by_component_address_and_range() -> None:
    locked = some_lock()
    entry = locked.source("shop", "https://charts.example.com grafana", "^12")
    assert entry is not None
    assert entry.version == "12.11.1"
    assert locked.source("shop", "https://charts.example.com grafana", "^13") is None
    assert locked.source("unknown", "https://example.com/crds.yaml") is None
    extras = locked.component("extras")
    assert extras is not None
    assert extras.source("https://example.com/crds.yaml") is not None


def test_components_are_replaced_and_removed() -> None:
    locked = some_lock()
    changed = locked.having([LockedComponent(name=ComponentName("shop"))])
    assert changed.component("shop") == LockedComponent(name=ComponentName("shop"))
    assert changed.component("extras") == locked.component("extras")
    assert list(locked.only(["shop", "unknown"]).components) == ["shop"]


@pytest.mark.parametrize("content", ["", "# nothing yet\n", "version: 1\ncomponents: {}\n"])
def test_an_empty_file_is_an_empty_lock(content: str) -> None:
    assert parse(content) == Lock()


def test_a_merge_conflict_is_reported_with_its_line(errors_of: Errors) -> None:
    ours = emit(some_lock()).replace("  extras:", "<<<<<<< HEAD\n  extras:\n=======\n  extra:\n>>>>>>> other")
    assert errors_of(lambda: parse(ours)) == ["cluster-forge.lock:5: the lock has a merge conflict"]


@pytest.mark.parametrize(
    ("content", "errors"),
    [
        ("version: 2\ncomponents: {}", ["l:1: a lock of version 2 cannot be read; this cluster-forge reads version 1"]),
        ("version: x\ncomponents: {}", ["l:1: a lock of version x cannot be read; this cluster-forge reads version 1"]),
        ("components: {}", ["l:1: the lock is damaged: 'version' is missing"]),
        ("- a", ["l:1: the lock is damaged: expected a mapping"]),
        ("a: [", ["l:1: the lock is damaged: a value is missing here"]),
        (
            "a: 1\na: 2\na: 3",
            [
                "l:2: the lock is damaged: duplicate key 'a', first used in line 1",
                "l:3: the lock is damaged: duplicate key 'a', first used in line 1",
            ],
        ),
        (
            "version: 1\ncomponents:\n  a: {source: []}",
            ["l:3: the lock is damaged: unknown key 'source', did you mean 'sources'?"],
        ),
        ("version: 1\ncomponents:\n  a: {sources: {}}", ["l:3: the lock is damaged: expected a list"]),
        (
            "version: 1\ncomponents:\n  A_: {}",
            ["l:3: the lock is damaged: 'A_' is not a DNS label (lower-case letters, digits and hyphens, at most 63)"],
        ),
        (
            "version: 1\ncomponents:\n  a:\n    rendered: md5:1\n    sources:\n    - address: 5\n      digest: 7\n    - address: x\n",
            [
                "l:6: the lock is damaged: expected text",
                "l:7: the lock is damaged: not a sha256 digest: '7'",
                "l:8: the lock is damaged: 'digest' is missing",
                "l:4: the lock is damaged: not a sha256 digest: 'md5:1'",
            ],
        ),
        (
            f"version: 1\ncomponents:\n  a:\n    sources:\n    - {{address: x, digest: 'sha256:{HEX}'}}\n    - {{address: x, digest: 'sha256:{HEX}'}}\n",
            ["l:3: the lock is damaged: a has the same source twice"],
        ),
    ],
)
def test_damage_is_reported_with_its_place(content: str, errors: list[str], errors_of: Errors) -> None:
    assert sorted(errors_of(lambda: parse(content, "l"))) == sorted(errors)


def test_damage_is_a_lock_error() -> None:
    with pytest.raises(LockError) as caught:
        parse("a: [")
    assert caught.value.exit_code == 12
    assert caught.value.fix is not None


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 2), (0, 2)])
def test_two_branches_that_update_two_components_merge(tmp_path: Path, first: int, second: int) -> None:
    """Neighbors, too: each fact has a line, and a blank line is between components."""

    def updated(*numbers: int) -> Lock:
        return Lock().having(
            LockedComponent(
                name=ComponentName(f"c{number}"),
                sources=(
                    LockedSource(
                        address=f"https://charts.example.com c{number}",
                        asked="^1",
                        version="1.1.0" if number in numbers else "1.0.0",
                        digest=Digest.of(f"{number} {number in numbers}".encode()),
                    ),
                ),
                rendered=Digest.of(f"rendered {number} {number in numbers}".encode()),
                inputs=Digest.of(f"inputs {number} {number in numbers}".encode()),
            )
            for number in range(3)
        )

    files = {"ours": updated(first), "base": updated(), "theirs": updated(second)}
    for name, content in files.items():
        (tmp_path / name).write_text(emit(content))
    merged = subprocess.run(
        ["git", "merge-file", "-p", "ours", "base", "theirs"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert merged.returncode == 0, merged.stdout
    assert merged.stdout == emit(updated(first, second))
