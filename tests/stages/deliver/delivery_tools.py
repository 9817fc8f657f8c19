"""What the stages of a delivery get in tests: a fake cluster, and quiet everything else."""

from __future__ import annotations

from tests.fake_cluster import FakeCluster
