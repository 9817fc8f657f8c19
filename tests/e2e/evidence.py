"""What is left of a test that failed: the end of each server's log, and the status of Argo CD's Applications, as sections of pytest's report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import urllib3
import yaml
from tests.e2e.cluster import Cluster

APPLICATIONS = "/apis/argoproj.io/v1alpha1/applications"
LONGEST = 6_000
"""Characters of one log, or of one Application."""


def of(folder: Path, cluster: Cluster | None) -> Iterator[tuple[str, str]]:
    """Titles and texts; ``folder`` is that of the test."""
    if cluster:
        yield from _applications(cluster)
    for log in sorted(folder.rglob("*.log")):
        if text := log.read_text(errors="replace")[-LONGEST:].strip():
            yield f"the end of {log.relative_to(folder)}", text


def _applications(cluster: Cluster) -> Iterator[tuple[str, str]]:
    try:
        listed = cluster.get(APPLICATIONS)
    except (urllib3.exceptions.HTTPError, AssertionError) as error:
        yield "Applications", f"the API server does not answer: {error}"
        return
    for body in listed["items"] if listed else ():
        status = {"spec": body["spec"].get("sources") or body["spec"].get("source"), "status": body.get("status")}
        yield f"Application {body['metadata']['name']}", yaml.safe_dump(status)[:LONGEST]
