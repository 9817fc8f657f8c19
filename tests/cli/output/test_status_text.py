"""A stack's status as a table of 80 columns, as JSON and as metrics: safe to show, and in a fixed order."""

from __future__ import annotations

import re

import click

from cluster_forge.cli.output import status_text
from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops.release import Release, Result
from cluster_forge.stages.deliver.look.component_status import ComponentStatus, Condition, Sync
from cluster_forge.stages.deliver.status import StackStatus

HOSTILE = 'a\x1b[31m"\\\nb'


def component(
    name: str, condition: Condition = Condition.HEALTHY, *messages: str, version: str = "1.0"
) -> ComponentStatus:
    sync = Sync.SYNCED if condition is Condition.HEALTHY else Sync.OUT_OF_SYNC
    return ComponentStatus(
        name=ComponentName(name), version=version, deployed="0.9", sync=sync, condition=condition, messages=messages
    )


def stack(*components: ComponentStatus) -> StackStatus:
    release = Release(number=3, stack="demo", version="v-1", result=Result.DEPLOYED)
    return StackStatus(stack="demo", version="v-2", release=release, components=components)


def test_the_table() -> None:
    degraded = component("web", Condition.DEGRADED, "Deployment.apps/shop/web: 0 of 2 replicas available")
    assert click.unstyle("\n".join(status_text.lines(stack(component("base"), degraded)))) == (
        "COMPONENT  DEPLOYED  STACK  SYNC       HEALTH\n"
        "base       0.9       1.0    Synced     Healthy\n"
        "web        0.9       1.0    OutOfSync  Degraded\n"
        "    Deployment.apps/shop/web: 0 of 2 replicas available\n"
        "demo v-2: 1 of 2 components healthy, 1 out of sync\n"
        "release 3: v-1, deployed"
    )


def test_long_and_hostile_texts_fit_and_are_not_obeyed() -> None:
    long = component("a" * 60, Condition.DEGRADED, f"{HOSTILE} {'word ' * 100}", version="1" * 60)
    shown = click.unstyle("\n".join(status_text.lines(stack(long))))
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_metrics() -> None:
    lines = list(status_text.prometheus(stack(component("base"), component("web", Condition.MISSING, version=HOSTILE))))
    sample = re.compile(r'cluster_forge_\w+\{(\w+="(?:[^"\\\n]|\\["\\n])*",?)+\} \d+')
    assert all(line.startswith("# ") or sample.fullmatch(line) for line in lines)
    assert 'cluster_forge_component_healthy{stack="demo",component="base"} 1' in lines
    assert 'cluster_forge_component_healthy{stack="demo",component="web"} 0' in lines
    assert 'cluster_forge_release{stack="demo",version="v-1",result="deployed"} 3' in lines
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names)) == 4


def test_json() -> None:
    answer = status_text.json(stack(component("web", Condition.MISSING, "why")))
    assert (answer["healthy"], answer["release"]["number"]) == (False, 3)
    assert answer["components"] == [
        {
            "name": "web",
            "version": "1.0",
            "deployed": "0.9",
            "sync": "OutOfSync",
            "health": "Missing",
            "messages": ["why"],
        }
    ]
