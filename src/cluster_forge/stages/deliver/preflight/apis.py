"""The cluster serves every kind that the stack uses and does not define itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cluster_forge.manifests.identity import group_of
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation

LOOKS_AT: Final = "which kinds the cluster serves"
IS_NEEDED: Final = True
CODES: Final[Mapping[str, str]] = {
    "missing-api": "The cluster does not serve a kind that the stack uses and does not define (`--allow-missing-apis`).",
}
CODE: Final = "missing-api"


def problems(situation: Situation) -> Iterator[Problem]:
    for api in situation.plan.apis:
        api_version, _, kind = api.rpartition("/")
        group, version = group_of(api_version), api_version.rpartition("/")[2]
        if situation.served.find(group, kind, version):
            continue
        is_down = group in situation.served.stale
        yield Problem(
            code=CODE,
            message=f"the cluster does not serve {api}, which the stack needs"
            + (f": the API {group} does not answer" if is_down else ""),
            where=api,
            fix=(
                f"see why: kubectl get apiservice {version}.{group}"
                if is_down
                else "install what defines the kind, or set `target.kubernetes` and forge again"
            ),
            option="--allow-missing-apis",
        )
