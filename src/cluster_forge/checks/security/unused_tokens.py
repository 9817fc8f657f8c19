"""The workloads whose Pods get the token of a ServiceAccount without a role that makes use of it.

Programs may use the token without a role: to be recognized by others, or to see which APIs there are. So this is part of the
security page, and not a finding.
"""

from __future__ import annotations

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.security import grants, service_accounts
from cluster_forge.checks.security.service_accounts import RunningAs


def of(checked: CheckedStack) -> list[RunningAs]:
    """The workloads whose Pods get the token of a ServiceAccount that no binding gives a role."""
    used = service_accounts.with_rights(grants.of(checked))
    return [
        running
        for running in service_accounts.of(checked)
        if running.gets_token and not used & {running.place, (running.place[0], "")}
    ]
