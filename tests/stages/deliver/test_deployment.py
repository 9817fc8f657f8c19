from __future__ import annotations

import orjson
import pytest
from tests.gitops.conftest import body, part, workload

from cluster_forge.foundation.errors import EditedError, StaleError
from cluster_forge.foundation.file_tree import FileTree, join
from cluster_forge.gitops import bootstrap, planning
from cluster_forge.stack.model import GitOps, GitOpsEngine, Stack
from cluster_forge.stages.deliver import deployment

STACK = Stack(name="demo", gitops=GitOps(engine=GitOpsEngine.NONE))
PARTS = (part("shop", [workload("Deployment", "web", "shop"), body("v1", "ConfigMap", "settings", "shop")]),)


def cast(version: str = "v-1") -> FileTree:
    """A folder as `cast` writes it, without image and repository."""
    planned = planning.of(STACK, PARTS, FileTree({"HEAD": b"x"}), "c" * 40, "v-1")
    about = {"version": version, "image": {"digest": "sha256:" + "a" * 64}}
    return join(bootstrap.tree(planned), FileTree({"stack.json": orjson.dumps(about)}))


def test_a_cast_stack_is_read_with_the_documents_of_its_steps() -> None:
    read = deployment.of(cast(), "stacks/demo")
    (shop,) = read.plan.components
    documents = [document for step in shop.steps for document in getattr(step, "documents", ())]
    assert (read.name, str(read.image), len(documents)) == ("demo", "sha256:" + "a" * 64, 3)
    assert [item.id.kind for item in read.plan.parts[0].objects] == ["Deployment", "ConfigMap"]


def test_a_folder_that_was_not_cast_is_refused() -> None:
    with pytest.raises(StaleError) as caught:
        deployment.of(bootstrap.tree(planning.of(STACK, PARTS, FileTree({}), "", "v-1")), "stacks/demo")
    assert caught.value.where == "stacks/demo/stack.json"


def test_files_of_two_casts_are_refused() -> None:
    with pytest.raises(EditedError, match="is of version v-0, and bootstrap/ of version v-1"):
        deployment.of(cast("v-0"), "stacks/demo")


def test_a_folder_of_another_version_is_refused() -> None:
    files = cast()
    about = orjson.dumps({**orjson.loads(files["stack.json"]), "schema": "cluster-forge/stack/v9"})
    with pytest.raises(StaleError, match="'cluster-forge/stack/v9': another version of Cluster-Forge wrote it"):
        deployment.of(FileTree({**files.files, "stack.json": about}), "stacks/demo")
