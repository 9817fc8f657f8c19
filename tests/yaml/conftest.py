from __future__ import annotations

from collections.abc import Callable

import pytest

from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import ForgeError


@pytest.fixture
def errors_of() -> Callable[[Callable[[], object]], list[str]]:
    """The errors that a call raises, as ``where: message``."""

    def of(call: Callable[[], object]) -> list[str]:
        try:
            call()
        except (ForgeError, ExceptionGroup) as error:
            return [str(leaf) for leaf in leaves(error)]
        pytest.fail("no error was raised")

    return of
