"""The result of `deploy`, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cluster_forge.cli.output.counts import clock
from cluster_forge.cli.output.error_text import remedy
from cluster_forge.cli.output.terminal_text import one_line
from cluster_forge.foundation.errors import DeploymentError, ForgeError
from cluster_forge.foundation.names import counted
from cluster_forge.gitops.delivery_mode import TITLES, Delivery
from cluster_forge.stages.deliver.preflight import secrets
from cluster_forge.stages.deliver.results import State

if TYPE_CHECKING:
    from cluster_forge.ports.cluster import ClusterFacts
    from cluster_forge.stages.deliver.deploy import DeployResult
    from cluster_forge.stages.deliver.deployment import Deployment
    from cluster_forge.stages.deliver.preflight.problem import Problem
    from cluster_forge.stages.deliver.results import ComponentResult
    from cluster_forge.stages.deliver.trouble import Trouble


def deployed(result: DeployResult, deployment: Deployment, facts: ClusterFacts, *, is_trial: bool) -> Iterator[str]:
    """A line for each component, and one for all; ``is_trial``: nothing was changed."""
    yield from warnings(result.warnings)
    components = result.components
    yield from lines(components)
    yield from (f"  pruned: {target}" for target in result.pruned.deleted)
    yield from (f"  left the stack, and stays: {target} ({one_line(reason)})" for target, reason in result.pruned.kept)
    name = f"{deployment.name} {deployment.plan.version}"
    if is_trial:
        lacks_secrets = any(problem.code == secrets.MISSING for problem in result.warnings)
        when = " once it has the Secrets that are missing" if lacks_secrets else ""
        yield f"{name} can be deployed to {facts}{when}; nothing was changed"
    elif result.is_good:
        changed = _changed(components)
        applied = f"{counted(changed, 'object')} applied" if changed else "nothing has changed"
        if deployment.plan.delivery is not Delivery.DIRECT:
            applied = f"applied by {TITLES[deployment.plan.engine]}"
        yield f"{name} is deployed to {facts} as release {result.release}: {counted(len(components), 'component')}, {applied}"


def warnings(problems: Iterable[Problem]) -> Iterator[str]:
    """Each problem that stopped nothing, with how to mend it."""
    return (f"warning: {_problem(problem)}{remedy(problem.fix)}" for problem in problems)


def lines(components: Sequence[ComponentResult]) -> Iterator[str]:
    """A line for each component."""
    width = max((len(component.name) for component in components), default=0)
    return (_component(component, width) for component in components)


def deployed_json(
    result: DeployResult, deployment: Deployment, facts: ClusterFacts, *, is_trial: bool
) -> dict[str, Any]:
    return {
        "stack": deployment.name,
        "version": deployment.plan.version,
        "folder": deployment.folder,
        "trial": is_trial,
        "cluster": {"context": facts.context, "server": facts.server, "version": facts.version},
        "deployed": result.is_good and not is_trial,
        "release": result.release or None,
        "former": result.former or None,
        "back": result.back or None,
        "pruned": [str(target) for target in result.pruned.deleted],
        "kept": [str(target) for target, _ in result.pruned.kept],
        "components": components_json(result.components),
        "warnings": [
            {"code": problem.code, "message": problem.message, "where": problem.where, "fix": problem.fix}
            for problem in result.warnings
        ],
    }


def components_json(components: Sequence[ComponentResult]) -> list[dict[str, Any]]:
    return [_component_json(component) for component in components]


def reasons(result: DeployResult) -> Iterator[str]:
    """A line for each component that was not deployed, and why."""
    return lines([component for component in result.components if not component.state.is_good])


def errors(result: DeployResult, again: str, back: str = "") -> list[ForgeError]:
    """The error about all components that were not deployed, if there are any; ``again`` and ``back`` are what to type to go
    on, or back.
    """
    fix = f"mend what is shown above, then run `{again}` again{_way_back(result, back)}"
    return failures(result.components, fix)


def failures(components: Sequence[ComponentResult], fix: str) -> list[ForgeError]:
    """The error about all components that were not deployed, if there are any, with how to mend it."""
    bad = [component for component in components if not component.state.is_good]
    if not bad:
        return []
    failed = [component for component in bad if component.state is State.FAILED] or bad
    blocked = len(bad) - len(failed)
    waiting = f", {blocked} more need them" if blocked else ""
    changed = _changed(components)
    applied = "" if changed is None else f"; {counted(changed, 'object') if changed else 'nothing'} applied before"
    error = DeploymentError(
        f"{counted(len(failed), 'component')} of {len(components)} could not be deployed: "
        f"{', '.join(component.name for component in failed)}{waiting}{applied}",
        fix=fix,
    )
    return [error]


def _changed(components: Sequence[ComponentResult]) -> int | None:
    """The objects that were applied; None if that is not known of all."""
    numbers = [component.changed for component in components]
    return None if None in numbers else sum(filter(None, numbers))


def _way_back(result: DeployResult, back: str) -> str:
    if result.back:
        return f"; it has gone back to release {result.back}"
    going, has_way = ": it goes on where it stopped", bool(back and result.former)
    if result.back_errors:
        reasons = "; ".join(map(str, result.back_errors))
        return f"{going}; it could not go back: {reasons}" + (f"; `{back}` says how to mend that" if has_way else "")
    return f"{going}; or go back to release {result.former}: `{back}`" if has_way else going


def _component(component: ComponentResult, width: int) -> str:
    seconds = clock(component.seconds) if round(component.seconds, 1) else ""
    line = f"  {component.name:<{width}}  {component.state:<9} {seconds:>7}  {component.version}".rstrip()
    if component.state.is_good:
        return f"{line}  ({one_line(component.message)})" if component.message else line
    reasons = [text for error in component.errors for text in (_indented(str(error), 4), _indented(error.fix or "", 6))]
    return line + ("".join(reasons) + _trouble(component.trouble) or f"  {one_line(component.message)}")


def _indented(text: str, width: int) -> str:
    """Lines of others below the line of a component: none of them looks like a line of its own."""
    return "".join(f"\n{' ' * width}{line}" for line in text.splitlines())


def _trouble(trouble: Trouble) -> str:
    """What the cluster says of it: the cause, and the last events and log lines of the broken Pod."""
    lines = [f"    {trouble.sentence}"] if trouble.sentence else []
    if trouble.events and trouble.events != (trouble.sentence,):
        lines += [
            f"    last events{f' of Pod {trouble.pod}' if trouble.pod else ''}:",
            *(f"      {event}" for event in trouble.events),
        ]
    if trouble.log:
        lines += [f"    last log lines of Pod {trouble.pod}:", *(f"      {line}" for line in trouble.log)]
    return "".join(f"\n{line}" for line in lines)


def _problem(problem: Problem) -> str:
    place = f"{problem.where}: " if problem.where else ""
    return one_line(f"{place}{problem.message} ({problem.code})")


def _component_json(component: ComponentResult) -> dict[str, Any]:
    return {
        "name": component.name,
        "version": component.version,
        "state": component.state.value,
        "seconds": component.seconds,
        "objects": component.objects,
        "changed": component.changed,
        "cause": component.trouble.sentence,
        "pod": component.trouble.pod,
        "events": list(component.trouble.events),
        "log": list(component.trouble.log),
        "errors": [
            {"message": error.message, "where": error.where, "fix": error.fix, "code": error.exit_code}
            for error in component.errors
        ],
    }
