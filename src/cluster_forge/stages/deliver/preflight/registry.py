"""All checks, and running them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

from cluster_forge.foundation.errors import RefusedError
from cluster_forge.manifests.finding import Severity
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.preflight import (
    apis,
    central,
    claim_size,
    default_classes,
    engine,
    engine_login,
    engine_pauses,
    environment,
    host_ports,
    node_fit,
    owners,
    permissions,
    pod_admission,
    pod_security,
    records,
    secrets,
    terminating,
    trial,
    version,
)
from cluster_forge.stages.deliver.preflight.problem import NOT_CHECKED, Problem
from cluster_forge.stages.deliver.preflight.situation import Situation


class Check(Protocol):
    """A module with one check."""

    LOOKS_AT: str
    """What the cluster is asked about, for the message where it does not answer."""
    IS_NEEDED: bool
    """Whether a deployment must not begin without the answer."""
    CODES: Mapping[str, str]
    """The codes of its problems, and what they mean."""

    def problems(self, situation: Situation, /) -> Iterator[Problem]:
        """What keeps the cluster from running the stack."""


CHECKS: Final[Sequence[Check]] = (
    version,
    apis,
    environment,
    terminating,
    permissions,
    records,
    owners,
    claim_size,
    engine,
    engine_login,
    engine_pauses,
    central,
    secrets,
    default_classes,
    node_fit,
    host_ports,
    pod_admission,
    pod_security,
    trial,
)


CODES: Final[Mapping[str, str]] = {
    **{code: meaning for check in CHECKS for code, meaning in check.CODES.items()},
    NOT_CHECKED: "The user may not see what a check looks at.",
}


def check(situation: Situation, checks: Sequence[Check] = CHECKS) -> tuple[Problem, ...]:
    """The problems of the checks, errors first; those that an option allows are warnings. What an error says of an object no
    warning says again.

    Raises:
        ClusterError: if the cluster cannot be reached, or does not know the user.
    """
    situation.cluster.about()
    unseen: list[tuple[Check, RefusedError]] = []
    seen = [problem for check in checks for problem in _of(check, situation, unseen)]
    problems = [_judged(problem, situation.options) for problem in (*seen, *_merged(unseen))]
    errors = [problem for problem in problems if problem.is_error]
    known = {(problem.code, problem.where) for problem in errors}
    warnings = [problem for problem in problems if not problem.is_error and (problem.code, problem.where) not in known]
    return tuple(dict.fromkeys([*errors, *warnings]))


def _of(check: Check, situation: Situation, unseen: list[tuple[Check, RefusedError]]) -> Iterator[Problem]:
    """The problems of a check, as far as the user may look; ``unseen`` gets why not."""
    try:
        yield from check.problems(situation)
    except RefusedError as error:
        unseen.append((check, error))
    except ExceptionGroup as group:
        refusals, others = group.split(RefusedError)
        if others or not refusals:
            raise
        unseen.append((check, next(error for error in refusals.exceptions if isinstance(error, RefusedError))))


def _merged(unseen: Sequence[tuple[Check, RefusedError]]) -> Iterator[Problem]:
    """What cannot be seen, once for each refusal: several checks look at the same."""
    same: dict[tuple[str | None, str], list[tuple[Check, RefusedError]]] = {}
    for check, error in unseen:
        same.setdefault((error.where, error.message), []).append((check, error))
    for refused in same.values():
        severity = Severity.ERROR if any(check.IS_NEEDED for check, _ in refused) else Severity.WARNING
        yield Problem.unseen(", ".join(dict.fromkeys(check.LOOKS_AT for check, _ in refused)), refused[0][1], severity)


def _judged(problem: Problem, options: DeployOptions) -> Problem:
    is_passed = problem.option and (problem.code in options.allowed or problem.option in _passed(options))
    return replace(problem, severity=Severity.WARNING) if is_passed and problem.is_error else problem


def _passed(options: DeployOptions) -> Iterator[str]:
    """The options of `deploy` that let problems pass."""
    given = {
        "--adopt": options.adopt,
        "--force-conflicts": options.force_conflicts,
        "--force-version": options.force_version,
        "--force-environment": options.force_environment,
        "--allow-missing-apis": options.allow_missing_apis,
        "--allow-missing-secrets": options.allow_missing_secrets or options.is_trial,
        "--recreate": options.recreate,
    }
    return (option for option, is_given in given.items() if is_given)
