"""Releases of a stack in a fake cluster: written, listed, chosen, read again, trimmed."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from tests.gitops.conftest import part
from tests.stages.deliver.deliveries import Delivery, deployment, identity, settings, web

from cluster_forge.foundation.errors import ReleaseError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops import release
from cluster_forge.gitops.release import Release, Result
from cluster_forge.stages.deliver import deployment as deployments
from cluster_forge.stages.deliver.cluster_records import releases
from cluster_forge.stages.deliver.deployment import Deployment

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


def contents(delivery: Delivery) -> list[str]:
    return [key.name for key, body in delivery.cluster.objects().items() if body.get("type") == release.CONTENT_TYPE]


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
    files = releases.files(begun, delivery.tools)
    assert files == deployed.files
    assert deployments.of(files, "release 1").plan == deployed.plan


def test_components_that_are_the_same_are_kept_once() -> None:
    delivery = Delivery()
    releases.begin(stack("v-1", a="1"), delivery.tools, run=RUN)
    first = set(contents(delivery))
    releases.begin(stack("v-2", a="2"), delivery.tools, run=RUN)
    assert len(first) == 3
    assert len(set(contents(delivery)) - first) == 2  # the shop, and what is not of a component


def test_a_large_folder_is_cut_into_secrets_under_the_limit() -> None:
    noise = base64.b64encode(bytes(range(256)) * 1).decode()
    digits = "".join(f"{(number * 2654435761) % 2**32:08x}" for number in range(400_000))
    folder, packed = release.kept("bootstrap/waves/000-a", FileTree({"objects.yaml": (noise + digits).encode()}))
    bodies = list(release.contents("demo", folder, packed))
    assert len(bodies) == folder.parts > 1
    assert all(len(base64.b64decode(body["data"]["packed"])) <= 700 * 1024 for body in bodies)
    assert release.unpacked(folder, iter(bodies)).files == {
        "bootstrap/waves/000-a/objects.yaml": (noise + digits).encode()
    }


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
    assert releases.files(kept[0], delivery.tools) == stack("v-0", a="0").files


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
    first, second, _ = (release.content_ids("demo", folder)[0] for folder in kept.folders)
    body = delivery.cluster.objects()[second]
    delivery.cluster.put({**body, "data": {"packed": base64.b64encode(b"nonsense").decode()}})
    delivery.cluster.delete(first)
    with pytest.raises(ExceptionGroup) as caught:
        releases.files(kept, delivery.tools)
    messages = [str(error) for error in caught.value.exceptions]
    assert "is not in the cluster any more" in messages[0]
    assert "bootstrap/waves/000-base of the release is damaged" in messages[1]


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
    releases.remove("demo", delivery.cluster)
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
