"""Strategic merge patches as ``kubectl patch --local`` applies them, the judge of what they mean."""

from __future__ import annotations

import copy
import json
import random
import shutil
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.patches.trees import DEPLOYMENT

from cluster_forge.patches import strategic
from cluster_forge.patches.sameness import same
from cluster_forge.patches.smallest import StrategicPatch, smallest

KUBECTL = shutil.which("kubectl")
pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")
CASES = 40

Pair = tuple[Any, Any]


def by_kubectl(pairs: Iterable[Pair], folder: Path) -> list[Any]:
    """What kubectl makes of each object and its patch."""

    def patched(case: tuple[int, Pair]) -> Any:
        number, (body, patch) = case
        file = folder / f"{number}.json"
        file.write_text(json.dumps(body))
        command = [str(KUBECTL), "patch", "--local", "--type=strategic", "-f", str(file), "-p", json.dumps(patch)]
        done = subprocess.run([*command, "-o", "json"], capture_output=True, text=True, check=False, env={})
        assert done.returncode == 0, f"{done.stderr}\n{json.dumps(body)}\n{json.dumps(patch)}"
        return json.loads(done.stdout)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(patched, enumerate(pairs)))


def deployment(chance: random.Random) -> Any:
    """A Deployment of random content, as the API server would take it."""

    def some(names: str) -> list[str]:
        return chance.sample(names, chance.randint(0, len(names)))

    def container(name: str) -> Any:
        return {
            "name": name,
            "image": f"image:{chance.randint(1, 2)}",
            "args": some("vwx"),
            "env": [{"name": key, "value": chance.choice("12")} for key in some("ABCD")],
            "ports": [{"containerPort": 80 + ord(key), "name": key} for key in some("pqr")],
            "volumeMounts": [{"mountPath": f"/{key}", "name": key} for key in some("stu")],
            "resources": {"limits": {key: chance.choice("12") for key in some("cm")}},
        }

    spec = {
        "containers": [container(name) for name in some("abcd")],
        "volumes": [{"name": name, chance.choice(["emptyDir", "configMap"]): {}} for name in some("stu")],
        "tolerations": [{"key": key} for key in some("kl")],
        "imagePullSecrets": [{"name": name} for name in some("yz")],
        "nodeSelector": {key: chance.choice("12") for key in some("nop")},
        "hostAliases": [{"ip": f"10.0.0.{ord(key)}", "hostnames": some("hi")} for key in some("12")],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": dict.fromkeys(some("lm"), "x"), "finalizers": some("abc")},
        "spec": {
            "replicas": chance.randint(1, 2),
            "strategy": chance.choice(
                [{"type": "Recreate"}, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}]
            ),
            "template": {"spec": {name: value for name, value in spec.items() if value or chance.random() < 0.5}},
        },
    }


def with_directives(patch: Any, body: Any, chance: random.Random) -> Any:
    """The patch with some entries deleted, lists and mappings replaced, keys retained, fields set to null.

    Only in entries that are there: kubectl keeps the directives of new ones as fields.
    """
    spec, there = (tree["spec"]["template"]["spec"] for tree in (patch, body))
    for entry in entries_in_both("containers", spec, there):
        match chance.randint(0, 5):
            case 0:
                entry["$patch"] = "delete"
            case 1:
                entry["env"] = [{"$patch": "replace"}, *entry["env"]]
            case 2:
                entry["resources"] = {"$patch": "replace", "limits": {"c": "9"}}
            case 3:
                entry["args"] = None
    for entry in entries_in_both("volumes", spec, there):
        if chance.random() < 0.4:
            entry["$retainKeys"] = list(entry)
    if chance.random() < 0.3:
        spec["nodeSelector"] = None
    if chance.random() < 0.5:
        patch["metadata"]["$deleteFromPrimitiveList/finalizers"] = patch["metadata"].pop("finalizers")
    return patch


def entries_in_both(name: str, spec: Any, there: Any) -> list[Any]:
    known = {entry["name"] for entry in there.get(name, ())}
    return [entry for entry in spec.get(name, ()) if entry["name"] in known]


def test_a_smallest_patch_means_the_same_to_kubectl(tmp_path: Path) -> None:
    chance = random.Random(22)
    pairs: list[Pair] = []
    expected: list[Any] = []
    while len(pairs) < CASES:
        before, after = deployment(chance), deployment(chance)
        patch = smallest(before, after, DEPLOYMENT)
        if isinstance(patch, StrategicPatch):
            pairs.append((before, patch.body))
            expected.append(after)
    results = by_kubectl(pairs, tmp_path)
    for result, after, pair in zip(results, expected, pairs, strict=True):
        assert same(result, after), pair


def test_directives_mean_what_they_mean_to_kubectl(tmp_path: Path) -> None:
    chance = random.Random(23)
    bodies = [deployment(chance) for _ in range(CASES)]
    pairs = [(body, with_directives(copy.deepcopy(deployment(chance)), body, chance)) for body in bodies]
    for result, (body, patch) in zip(by_kubectl(pairs, tmp_path), pairs, strict=True):
        assert same(strategic.apply(body, patch, DEPLOYMENT), result), (body, patch)
