"""What is said of an object that is not ready, from Pods as nodes report them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fake_cluster import FakeCluster
from tests.gitops.conftest import body
from tests.stages.deliver.deliveries import identity

from cluster_forge.stages.deliver import trouble
from cluster_forge.stages.deliver.trouble import Trouble

WEB = identity("Deployment", "web", "shop", "apps")
IMAGE = "registry.example.com/team/shop:1"


def cluster(status: dict[str, Any], *events: tuple[str, str]) -> FakeCluster:
    """A Deployment with one Pod of this status, and warnings about the Pod."""
    selector = {"matchLabels": {"app": "web"}}
    made = FakeCluster()
    made.put(
        body("v1", "Namespace", "shop"),
        body("apps/v1", "Deployment", "web", "shop", spec={"selector": selector}),
        {**body("v1", "Pod", "web-1", "shop", labels={"app": "web"}), "status": status},
        {**body("v1", "Pod", "web-2", "shop", labels={"app": "web"}), "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}},
        *(
            body("v1", "Event", f"e{number}", "shop", type="Warning", reason=reason, message=message, involvedObject={"name": "web-1"}, lastTimestamp=f"2026-01-01T00:00:0{number}Z")
            for number, (reason, message) in enumerate(events)
        ),
    )  # fmt: skip
    return made


def waiting(reason: str, message: str = "", **more: Any) -> dict[str, Any]:
    container = {"name": "app", "image": IMAGE, "state": {"waiting": {"reason": reason, "message": message}}, **more}
    return {"phase": "Pending", "containerStatuses": [container]}


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (f'failed to resolve reference "{IMAGE}": unexpected status from HEAD request: 401 Unauthorized', "answers 401 for image"),
        ("dial tcp: lookup registry.example.com: no such host", "cannot be found: no such host (image"),
        ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "has a certificate that the node"),
        ("dial tcp 10.0.0.1:443: connect: connection refused", "refuses the connection (image"),
        ("dial tcp 10.0.0.1:443: i/o timeout", "does not answer (image"),
        ("pull access denied, repository does not exist or may require authorization", "answers 401 (image"),
        ("manifest unknown", "does not have the image (image"),
    ],
)  # fmt: skip
def test_an_image_that_cannot_be_pulled(said: str, cause: str) -> None:
    found = trouble.of(WEB, cluster(waiting("ImagePullBackOff", "Back-off pulling image"), ("Failed", said)))
    assert found.sentence.startswith(f"ImagePullBackOff: registry.example.com {cause}")
    assert IMAGE in found.sentence
    assert (found.pod, found.log) == ("web-1", ())


def test_a_container_that_crashes_has_its_last_log() -> None:
    ended = {"lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}
    made = cluster(waiting("CrashLoopBackOff", "back-off 5m0s", **ended))
    made.container_logs["shop", "web-1", "app", True] = "".join(f"line {number}\n" for number in range(30))
    found = trouble.of(WEB, made)
    assert found.sentence == "CrashLoopBackOff: container app ended with exit code 137 (OOMKilled)"
    assert (found.log[0], found.log[-1]) == ("line 20", "line 29")


def test_a_pod_without_a_place() -> None:
    status = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/3 nodes are available",
    }
    found = trouble.of(WEB, cluster({"phase": "Pending", "conditions": [status]}))
    assert found.sentence == "Unschedulable: 0/3 nodes are available"


def test_a_missing_secret() -> None:
    found = trouble.of(WEB, cluster(waiting("CreateContainerConfigError", 'secret "password" not found')))
    assert found.sentence == 'CreateContainerConfigError: secret "password" not found'


def test_pods_that_are_refused_are_events_of_the_workload() -> None:
    made = FakeCluster()
    event = {
        "type": "Warning",
        "reason": "FailedCreate",
        "message": "exceeded quota: small",
        "involvedObject": {"name": "web-5d"},
    }
    made.put(
        body("v1", "Namespace", "shop"),
        body("apps/v1", "Deployment", "web", "shop", spec={"selector": {"matchLabels": {"app": "web"}}}),
        body("v1", "Event", "e", "shop", **event),
    )
    assert trouble.of(WEB, made) == Trouble(
        sentence="FailedCreate: exceeded quota: small", events=("FailedCreate: exceeded quota: small",)
    )


def test_events_that_differ_in_the_name_of_a_pod_are_one() -> None:
    refused = [("FailedCreate", f'pods "web-1-{end}" is forbidden: exceeded quota') for end in ("7zn22", "5lq8b")]
    combined = ("FailedCreate", '(combined from similar events): pods "web-1-kxs5v" is forbidden: exceeded quota')
    found = trouble.of(WEB, cluster(waiting("", ""), *refused, combined))
    assert found.events == ('FailedCreate: pods "web-1-kxs5v" is forbidden: exceeded quota',)


def test_a_line_of_others_is_one_short_line() -> None:
    found = trouble.of(WEB, cluster(waiting("CreateContainerError", "a\n\x1b[31mb" + "c" * 1000)))
    assert "\n" not in found.sentence
    assert len(found.sentence) < 400


def test_nothing_is_said_of_what_is_not_there() -> None:
    assert trouble.of(WEB, FakeCluster()) == Trouble()
