"""Releases of a stack in a fake cluster: written, listed, chosen, read again, trimmed."""

from __future__ import annotations

import base64
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gitops.conftest import part
from tests.stages.deliver.deliveries import Delivery, deployment, identity, settings, web

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ReleaseError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops import release
from cluster_forge.gitops.release import Folder, Release, Result
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.stages.deliver import deployment as deployments
from cluster_forge.stages.deliver import rollback
from cluster_forge.stages.deliver.cluster_records import release_files, releases
from cluster_forge.stages.deliver.deployment import Deployment
from cluster_forge.stages.deliver.rollback import RollbackRequest

SHOP = part("shop", [web(), settings()])
RUN = "host/1/0"


def stack(version: str = "v-1", **data: str) -> Deployment:
    """Two components, of which only the second one differs."""
    return deployment([part("base", [settings("base", "base")]), part("shop", [settings(**data)])], version)


def released(delivery: Delivery, count: int, result: Result = Result.DEPLOYED) -> tuple[Release, ...]:
    for number in range(count):
        begun = releases.begin(stack(f"v-{number}", a=str(number)), delivery.tools, run=RUN).release
        releases.end(begun, result, delivery.tools)
    return releases.listed(delivery.cluster, "demo")


def contents(delivery: Delivery) -> dict[str, Any]:
    """The Secrets with files, by name."""
    objects = delivery.cluster.objects().items()
    return {key.name: body for key, body in objects if body.get("type") == release.CONTENT_TYPE}


def test_a_release_says_who_deployed_what_and_when() -> None:
    delivery = Delivery()
    begun = releases.begin(stack(), delivery.tools, run=RUN, cause="rollback to 3").release
    assert releases.listed(delivery.cluster, "demo") == (begun,)
    assert (begun.number, begun.version, begun.user, begun.run) == (1, "v-1", "tester", RUN)
    assert [component.name for component in begun.components] == ["base", "shop"]
    delivery.clock.sleep(60)
    ended = releases.end(begun, Result.FAILED, delivery.tools, message="shop is not ready")
    assert releases.listed(delivery.cluster, "demo") == (ended,)
    assert ended.began < ended.ended
    assert (ended.result, ended.message, ended.cause) == (Result.FAILED, "shop is not ready", "rollback to 3")


def test_the_files_of_a_release_are_those_that_were_deployed() -> None:
    delivery, deployed = Delivery(), stack()
    begun = releases.begin(deployed, delivery.tools, run=RUN).release
    files = release_files.files(begun, delivery.tools)
    assert files == deployed.files
    assert deployments.of(files, "release 1").plan == deployed.plan


def test_components_that_are_the_same_are_kept_once() -> None:
    delivery = Delivery()
    first = releases.begin(stack("v-1", a="1"), delivery.tools, run=RUN).release
    before = contents(delivery)
    second = releases.begin(stack("v-2", a="2"), delivery.tools, run=RUN).release
    assert (len(before), len(contents(delivery))) == (1, 2)
    new = contents(delivery).keys() - before.keys()
    # the shop, and what is not of a component
    assert sum(len(contents(delivery)[name]["data"]) for name in new) == 2
    assert {one.digest for one in first.folders} & {one.digest for one in second.folders}
    assert release_files.files(second, delivery.tools) == stack("v-2", a="2").files


def test_a_component_that_has_another_place_in_the_order_is_not_kept_again() -> None:
    delivery = Delivery()
    small, last = part("shop", [settings(a="1")], wave=5), part("last", [settings("x", "last")], wave=9)
    releases.begin(deployment([small, last], "v-1"), delivery.tools, run=RUN)
    between = part("between", [settings("y", "between")], wave=7)
    moved = deployment([small, between, last], "v-2")
    release_of = releases.begin(moved, delivery.tools, run=RUN).release
    paths = {folder.path: folder.group for folder in release_of.folders}
    assert (
        paths["bootstrap/waves/002-last"] == paths["bootstrap/waves/000-shop"] != paths["bootstrap/waves/001-between"]
    )
    assert release_files.files(release_of, delivery.tools) == moved.files


def test_a_large_folder_is_cut_into_secrets_under_the_limit() -> None:
    digits = "".join(f"{(number * 2654435761) % 2**32:08x}" for number in range(400_000))
    large = release.kept("bootstrap/waves/000-a", FileTree({"objects.yaml": digits.encode()}))
    small = [
        release.kept(f"bootstrap/waves/00{number}-b", FileTree({"objects.yaml": f"{number}".encode()}))
        for number in (1, 2)
    ]
    groups = list(release.grouped([small[0], large, small[1]]))
    assert [len(group) for group in groups] == [1, 1, 1]
    bodies = list(release.contents("demo", groups[1]))
    assert len(bodies) == large[0].parts > 1
    assert all(len(base64.b64decode(body["data"]["packed"])) <= 700 * 1024 for body in bodies)
    assert release.unpacked(large[0], iter(bodies)).files == {"bootstrap/waves/000-a/objects.yaml": digits.encode()}


def test_a_stack_of_several_mebibytes_comes_back_byte_for_byte() -> None:
    """Of one component that fills several Secrets, and of many that share some; the fake cluster takes 1 MiB in each."""
    digits = random.Random(1)

    def map_of(name: str, size: int) -> dict[str, Any]:
        return settings(name, "shop", a=digits.randbytes(size).hex())

    large = part("large", [map_of(f"large-{number}", 400_000) for number in range(6)])
    small = [part(f"small-{number}", [map_of(f"small-{number}", 40_000)], wave=1) for number in range(60)]
    delivery = Delivery()
    first, second = (
        deployment([large, *small, part("last", [settings(a=one)], wave=2)], one) for one in ("v-1", "v-2")
    )
    kept = releases.begin(first, delivery.tools, run=RUN).release
    parts = {folder.path: folder.parts for folder in kept.folders}
    before = contents(delivery)
    assert parts["bootstrap/waves/000-large"] > 2
    assert len(before) > parts["bootstrap/waves/000-large"] + 2, "those that are shared are several, too"
    releases.end(kept, Result.DEPLOYED, delivery.tools)
    releases.begin(second, delivery.tools, run=RUN)
    assert len(contents(delivery)) == len(before) + 1, "what both have is kept once"
    chosen, back = rollback.target(RollbackRequest(stack="demo", to=1), delivery.tools)
    assert (chosen.version, back.files) == ("v-1", first.files)


@given(st.lists(st.integers(1, 900_000), max_size=12))
def test_folders_that_share_a_secret_stay_under_the_limit(sizes: list[int]) -> None:
    packed = [
        (
            Folder(path=f"p{number}", digest=Digest.of(f"{number}".encode()), parts=-(-size // 716_800), size=size),
            b"x" * size,
        )
        for number, size in enumerate(sizes)
    ]
    groups = [group for group in release.grouped(packed) if group]
    assert [content for group in groups for _, content in group] == [content for _, content in packed]
    for group in groups:
        bodies = list(release.contents("demo", group))
        assert {ObjectId.of(body) for body in bodies} == set(release.content_ids("demo", group[0][0]))
        assert all(sum(len(base64.b64decode(value)) for value in body["data"].values()) <= 716_800 for body in bodies)


def test_a_release_of_before_folders_shared_secrets_can_be_deployed() -> None:
    delivery, deployed = Delivery(), stack()
    begun = releases.begin(deployed, delivery.tools, run=RUN).release
    for name in contents(delivery):
        delivery.cluster.delete(release.secret_id(name))
    for path, files in release.folders(deployed.files).items():
        for body in release.contents("demo", [release.kept(path, files)]):
            delivery.cluster.create(body)
    old = replace(begun, folders=tuple(replace(folder, group="") for folder in begun.folders))
    assert release_files.files(old, delivery.tools) == deployed.files


def test_the_last_ten_are_kept_and_what_only_they_have() -> None:
    delivery = Delivery()
    kept = released(delivery, 13)
    assert [one.number for one in kept] == list(range(4, 14))
    used = {identity.name for one in kept for folder in one.folders for identity in release.content_ids("demo", folder)}
    assert set(contents(delivery)) == used


def test_the_last_good_one_is_never_deleted() -> None:
    delivery = Delivery()
    released(delivery, 1)
    kept = released(delivery, 12, Result.FAILED)
    assert [one.number for one in kept] == [1, *range(4, 14)]
    assert release_files.files(kept[0], delivery.tools) == stack("v-0", a="0").files


def test_one_that_was_running_was_interrupted() -> None:
    delivery = Delivery()
    releases.begin(stack(), delivery.tools, run=RUN)
    releases.begin(stack(), delivery.tools, run=RUN)
    assert [one.result for one in releases.listed(delivery.cluster, "demo")] == [Result.INTERRUPTED, Result.RUNNING]


def test_the_release_to_go_back_to() -> None:
    delivery = Delivery()
    released(delivery, 2)
    kept = released(delivery, 1, Result.FAILED)
    assert releases.chosen(kept, None).number == 2
    assert releases.chosen(kept, 1).number == 1
    kept = released(delivery, 1)
    assert releases.chosen(kept, None).number == 2


@pytest.mark.parametrize("to", [0, 4, 99])
def test_a_release_that_is_not_there_is_refused_with_those_that_are(to: int) -> None:
    delivery = Delivery()
    kept = released(delivery, 3)
    with pytest.raises(ReleaseError, match=rf"there is no release {to}: this cluster has 1 \(v-0, deployed\), 2"):
        releases.chosen(kept, to)


def test_without_a_good_release_there_is_no_way_back() -> None:
    delivery = Delivery()
    with pytest.raises(ReleaseError, match="has no releases"):
        releases.chosen((), None)
    with pytest.raises(ReleaseError, match="no good release before 1"):
        releases.chosen(released(delivery, 1), None)


def test_a_release_of_deploy_sh_cannot_be_deployed_again() -> None:
    bare = replace(released(Delivery(), 1)[0], folders=())
    with pytest.raises(ReleaseError, match=r"deployed by deploy\.sh, which keeps no files"):
        releases.chosen((bare,), 1)


def test_damaged_and_missing_parts_are_named() -> None:
    delivery = Delivery()
    (kept,) = released(delivery, 1)
    [(name, body)] = contents(delivery).items()
    rest, base, _ = (folder.digest.hex[:32] for folder in kept.folders)
    data = {rest: body["data"][rest], base: base64.b64encode(b"nonsense").decode()}  # and no shop
    delivery.cluster.put({**body, "data": data})
    with pytest.raises(ExceptionGroup) as caught:
        release_files.files(kept, delivery.tools)
    messages = [str(error) for error in caught.value.exceptions]
    assert "000-base of the release is damaged" in messages[0]
    assert "001-shop of the release is damaged" in messages[1]
    delivery.cluster.delete(release.secret_id(name))
    with pytest.raises(ExceptionGroup) as caught:
        release_files.files(kept, delivery.tools)
    assert len(caught.value.exceptions) == 3
    assert all("is not in the cluster any more" in str(error) for error in caught.value.exceptions)


def test_a_secret_that_holds_no_release_is_named() -> None:
    delivery = Delivery()
    (kept,) = released(delivery, 1)
    delivery.cluster.put({**delivery.cluster.objects()[kept.id], "data": {"release": "bm9uc2Vuc2U="}})
    with pytest.raises(ReleaseError, match="is not a release as this version keeps it"):
        releases.listed(delivery.cluster, "demo")


def test_all_of_a_stack_is_removed_and_nothing_of_another_one() -> None:
    delivery = Delivery()
    released(delivery, 2)
    other = identity("Secret", "release.other.1", "cluster-forge")
    delivery.cluster.put(release.secret(Release(number=1, stack="other", version="v-1")))
    releases.remove("demo", delivery.tools)
    assert [key for key in delivery.cluster.objects() if key.kind == "Secret"] == [other]
    assert releases.stacks(delivery.cluster) == ("other",)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"stack": "other"}, r"it says that it is Secret/cluster-forge/release\.other\.1"),
        ({"number": 9}, r"it says that it is Secret/cluster-forge/release\.demo\.9"),
        ({"parts": 10**9}, "a folder of it is larger than one can be"),
        ({"size": -1}, "a folder of it is larger than one can be"),
    ],
)
def test_a_release_that_others_wrote_is_not_believed(changed: dict[str, Any], message: str) -> None:
    delivery = Delivery()
    (good,) = released(delivery, 1)
    folder = replace(good.folders[0], **{key: value for key, value in changed.items() if key in ("parts", "size")})
    record = replace(
        good, **{key: value for key, value in changed.items() if key in ("stack", "number")}, folders=(folder,)
    )
    secret = release.secret(record)
    delivery.cluster.put({**secret, "metadata": {**secret["metadata"], "name": "release.demo.1", "labels": labels()}})
    with pytest.raises(ReleaseError, match=message):
        releases.listed(delivery.cluster, "demo")


def labels() -> dict[str, str]:
    return {"cluster-forge/stack": "demo", release.NUMBER_LABEL: "1"}


def test_a_release_with_the_files_of_another_stack_is_not_deployed() -> None:
    delivery = Delivery()
    (good,) = released(delivery, 1)
    assert releases.deployment(good, delivery.tools).plan.version == "v-0"
    with pytest.raises(ReleaseError, match="its files are those of demo v-0"):
        releases.deployment(replace(good, version="v-9"), delivery.tools)


def test_the_last_good_release_of_the_whole_stack_is_kept() -> None:
    delivery = Delivery()
    released(delivery, 1)
    for number in range(12):
        narrowed = deployment([part("shop", [settings(a=str(number))])], f"v-{number}", narrowed="component shop")
        releases.end(releases.begin(narrowed, delivery.tools, run=RUN).release, Result.DEPLOYED, delivery.tools)
    kept = releases.listed(delivery.cluster, "demo")
    assert [one.number for one in kept if not one.narrowed] == [1]
    assert len(kept) == releases.KEPT + 1
