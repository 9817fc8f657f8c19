"""The kinds of Argo CD, as a cluster has them."""

from __future__ import annotations

from tests.gitops.conftest import crd_of

KINDS = [crd_of("argoproj.io", kind) for kind in ("Application", "AppProject", "ApplicationSet")]
