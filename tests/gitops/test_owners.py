"""Whose the objects of a stack are: the rules in Python, and those of deploy.sh on the same facts."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster_forge.gitops import owners, script_source
from cluster_forge.gitops.owners import Claimed, Facts, LiveApplication, LiveObject, Verdict
from cluster_forge.manifests.identity import ObjectId

SHELL = shutil.which("dash") or "sh"
WEB = ObjectId(group="apps", kind="Deployment", namespace="shop", name="web")
KEY = ObjectId(group="", kind="Secret", namespace="shop", name="key")
SPACE = ObjectId(group="", kind="Namespace", namespace="", name="shop")
DATA = ObjectId(group="", kind="PersistentVolumeClaim", namespace="shop", name="data")
WANTED = {WEB: "demo.shop", KEY: "demo.shop", SPACE: "demo.definitions"}
DIRECT = dict.fromkeys(WANTED, "-")


def argo(live: LiveObject | None = None, *, claims: tuple[Claimed, ...] = (), **applications: str) -> Facts:
    """Facts of a stack that Argo CD applies; ``applications`` are names (``_`` for ``.``) with their stacks."""
    known = tuple(
        LiveApplication(name=name.replace("__", "-").replace("_", "."), stack=stack, path=name)
        for name, stack in applications.items()
    )
    return Facts(
        stack="demo",
        root="demo.argo-apps",
        wanted=WANTED,
        claims=claims,
        applications=known,
        live=(live,) if live else (),
    )


def direct(live: LiveObject | None = None, *, claims: tuple[Claimed, ...] = ()) -> Facts:
    return Facts(stack="demo", root="", wanted=DIRECT, claims=claims, live=(live,) if live else ())


def claimed(identity: ObjectId, stack: str = "other", application: str = "-") -> Claimed:
    return Claimed(stack=stack, id=identity, application=application)


def web(tracking: str = "", release: str = "", *managers: str) -> LiveObject:
    return LiveObject(
        id=WEB,
        tracking_id=f"{tracking}:apps/Deployment:shop/web" if tracking else "",
        release=release,
        managers=managers,
    )


REFUSED = [
    (direct(web("", "", "kubectl-edit", "k3s")), "no stack (its fields are those of kubectl-edit k3s)", False),
    (direct(web()), "no stack (its fields are those of unknown managers)", False),
    (direct(web("", "shop", "helm")), "the Helm release shop", False),
    (argo(web("gone")), "the former Application gone", False),
    (argo(web("gone"), claims=(claimed(WEB),)), "the former Application gone of the stack other", False),
    (direct(claims=(claimed(WEB),)), "the stack other", False),
    (direct(web("", "", "cluster-forge"), claims=(claimed(WEB),)), "the stack other", False),
    (direct(web("", "", "helm"), claims=(claimed(WEB, application="stays-behind"),)), "the stack other", False),
    (argo(web("other.web"), other_web="other"), "the Application other.web of the stack other", True),
    (argo(web("argocd_other.web"), other_web="other"), "the Application other.web of the stack other", True),
    (argo(web("web"), web=""), "the Application web", True),
]
ACCEPTED = [
    direct(),
    direct(web("", "", "helm", "cluster-forge")),
    direct(web("", "shop", "helm"), claims=(claimed(WEB, "demo"),)),
    direct(LiveObject(id=SPACE, managers=("kubectl-create",))),
    direct(claims=(claimed(WEB, application="stays-behind"),)),
    argo(web("demo.shop", "", "argocd-controller")),
    argo(web("demo.gone")),
    argo(web("", "", "argocd-controller"), shop="demo", demo="demo"),
]


@pytest.mark.parametrize(("facts", "owner", "is_at_work"), REFUSED)
def test_what_is_of_others_is_named_with_its_owner(facts: Facts, owner: str, is_at_work: bool) -> None:
    (foreign,) = owners.judge(facts).foreign
    assert (foreign.subject, foreign.owner, foreign.is_at_work) == (str(WEB), owner, is_at_work)


@pytest.mark.parametrize("facts", ACCEPTED)
def test_what_is_new_or_of_the_stack_belongs_to_it(facts: Facts) -> None:
    assert owners.judge(facts).foreign == ()


def test_an_application_with_a_name_of_the_stack_is_never_taken_over() -> None:
    (foreign,) = owners.judge(argo(demo_shop="")).foreign
    assert (foreign.subject, foreign.owner, foreign.is_at_work) == ("Application/demo.shop", "no stack", True)


def test_what_argo_cd_applies_is_not_applied_directly() -> None:
    facts = Facts(
        stack="demo", root="", wanted=DIRECT, applications=(LiveApplication(name="demo.argo-apps", stack="demo"),)
    )
    assert [foreign.owner for foreign in owners.judge(facts).foreign] == ["this stack as Argo CD delivers it"]


def test_an_object_of_another_component_of_the_stack_moves() -> None:
    (move,) = owners.judge(argo(web("argocd_demo.web"), demo_web="demo")).moves
    assert (move.former, move.new) == ("demo.web", "demo.shop")
    assert move.new_tracking_id == "demo.shop:apps/Deployment:shop/web"


def test_data_that_has_left_the_stack_stays() -> None:
    facts = direct(claims=(claimed(DATA, "demo"), claimed(KEY, "demo"), claimed(DATA, "other")))
    assert owners.judge(facts).staying == (DATA,)


def test_applications_of_the_older_naming_come_root_first() -> None:
    facts = argo()
    older = (
        LiveApplication(name="a", stack="demo", path="a"),
        LiveApplication(name="demo", stack="demo", path="argo-apps"),
        LiveApplication(name="demo.shop", stack="demo", path="shop"),
    )
    assert owners.judge(Facts(stack="demo", root=facts.root, wanted=WANTED, applications=older)).older == ("demo", "a")


def test_the_shell_judges_as_python_does(tmp_path: Path) -> None:
    """On each combination of what an object can be, drawn with a fixed seed."""
    source = tmp_path / "ownership.sh"
    source.write_text(script_source.read("ownership"))
    cases = [*(facts for facts, _, _ in REFUSED), *ACCEPTED, *drawn(random.Random(18), 400)]
    script = [f". {source}"]
    for number, facts in enumerate(cases):
        (tmp_path / f"{number}").write_text("".join(f"{line}\n" for line in lines(facts)))
        script.append(f"stack={facts.stack} root={facts.root}; echo '== {number}'; judge <{tmp_path}/{number}")
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    finished = subprocess.run(
        [SHELL, "-eu", "-c", "\n".join(script)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment,
    )
    assert finished.returncode == 0, finished.stderr
    by_shell = finished.stdout.split("== ")[1:]
    assert len(by_shell) == len(cases)
    for facts, verdict in zip(cases, by_shell, strict=True):
        assert sorted(verdict.splitlines()[1:]) == sorted(words(owners.judge(facts), facts)), facts


def drawn(random: random.Random, count: int) -> Iterator[Facts]:
    """Facts of every kind in any combination."""
    names = ["demo.shop", "demo.web", "demo.argo-apps", "shop", "demo", "web", "other.web", "other"]
    stacks = ["demo", "other", "third", ""]
    for _ in range(count):
        known = random.sample(names, random.randrange(4))
        is_argo = random.random() < 0.7
        yield Facts(
            stack="demo",
            root="demo.argo-apps" if is_argo else "",
            wanted=WANTED if is_argo else DIRECT,
            claims=tuple(
                {
                    (stack, identity): claimed(identity, stack, random.choice(["-", "demo.shop", "stays-behind"]))
                    for stack, identity in [
                        (random.choice(["demo", "other"]), random.choice([WEB, KEY, SPACE, DATA])) for _ in range(2)
                    ]
                }.values()
            ),
            applications=tuple(
                LiveApplication(name=name, stack=random.choice(stacks), path=random.choice(["x", "apps/argo-apps"]))
                for name in known
            ),
            live=tuple(
                LiveObject(
                    id=identity,
                    tracking_id=random.choice(
                        ["", *(f"{prefix}{name}:a/b:c/d" for prefix in ("", "ns_") for name in names)]
                    ),
                    release=random.choice(["", "", "rel"]),
                    managers=tuple(random.sample(["helm", "argocd-controller", "cluster-forge", "kubectl"], 2)),
                )
                for identity in random.sample([WEB, KEY, SPACE], random.randrange(4))
            ),
        )


def lines(facts: Facts) -> Iterator[str]:
    """The facts as deploy.sh has them from kubectl."""
    for application in facts.applications:
        yield f"A {application.name} {application.stack or '<none>'} {application.path}"
    for claim in facts.claims:
        yield f"C {claim.stack} {kind(claim.id)} {claim.id.namespace or '-'} {claim.id.name} {claim.application}"
    for identity, applied in facts.wanted.items():
        yield f"W {kind(identity)} {identity.namespace or '-'} {identity.name} {applied}"
    for item in facts.live:
        api = f"{item.id.group}/v1" if item.id.group else "v1"
        managers = ",".join(item.managers)
        yield (
            f"L {item.id.kind} {api} {item.id.namespace or '<none>'} {item.id.name} "
            f"{item.tracking_id or '<none>'} {item.release or '<none>'} <none> <none> {managers}"
        )


def words(verdict: Verdict, facts: Facts) -> Iterator[str]:
    """The verdict as deploy.sh writes it."""
    for foreign in verdict.foreign:
        yield f"{'never' if foreign.is_at_work else 'adopt'} {foreign.subject}|{foreign.owner}"
    for move in verdict.moves:
        place = f"{kind(move.id)} {move.id.namespace or '-'} {move.id.name}"
        yield f"move {place} {move.new} {move.former} {move.tracking_id}"
    for identity in verdict.staying:
        yield f"stays {kind(identity)} {identity.namespace or '-'} {identity.name}"
    roots = {item.name for item in facts.applications if item.path.endswith("argo-apps")}
    for name in verdict.older:
        yield f"{'older-root' if name in roots else 'older'} {name}"


def kind(identity: ObjectId) -> str:
    return f"{identity.kind}.{identity.group}" if identity.group else identity.kind
