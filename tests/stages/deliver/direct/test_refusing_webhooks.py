"""Which object asks again a webhook that could not be called, for all components."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cluster_forge.foundation.errors import RefusedError
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.stages.deliver.direct.refusing_webhooks import Refused, RefusingWebhooks
from cluster_forge.stages.deliver.direct.step_documents import StepDocument

UNCALLED = RefusedError('failed calling webhook "mutate.example.com": connection refused', status=500)
ANOTHER = RefusedError('failed calling webhook "check.example.com": connection refused', status=500)
ABSENT = RefusedError('namespaces "shop" not found', status=404)


def document(name: str) -> StepDocument:
    identity = ObjectId(group="", kind="ConfigMap", namespace="shop", name=name)
    return StepDocument(id=identity, digest=name, content=b"")


OURS, OUR_SECOND, THEIRS = map(document, ("ours", "our-second", "theirs"))


@pytest.fixture
def webhooks() -> RefusingWebhooks:
    return RefusingWebhooks()


@pytest.fixture
def ours(webhooks: RefusingWebhooks) -> Iterator[Refused]:
    with webhooks.refused() as refused:
        yield refused


@pytest.fixture
def theirs(webhooks: RefusingWebhooks) -> Iterator[Refused]:
    """Those of another component."""
    with webhooks.refused() as refused:
        yield refused


def test_one_asks_for_all_until_it_has_another_answer(ours: Refused, theirs: Refused) -> None:
    ours.note({OURS: UNCALLED, OUR_SECOND: UNCALLED})
    theirs.note({THEIRS: UNCALLED})
    assert ours.due() == [OURS]
    assert theirs.due() == []
    ours.note({OURS: UNCALLED})
    assert theirs.due() == []
    ours.note({OURS: None})
    assert theirs.due() == [THEIRS]
    assert ours.due() == [OUR_SECOND]


def test_another_webhook_is_asked_by_another_object(ours: Refused, theirs: Refused) -> None:
    ours.note({OURS: UNCALLED, OUR_SECOND: UNCALLED})
    theirs.note({THEIRS: ANOTHER})
    assert ours.due() == [OURS]
    assert theirs.due() == [THEIRS]
    ours.note({OURS: ANOTHER})
    assert ours.due() == [OUR_SECOND], "the first webhook has answered, and theirs asks the other one"


def test_what_is_refused_for_something_else_waits_for_none(ours: Refused, theirs: Refused) -> None:
    ours.note({OURS: UNCALLED})
    theirs.note({THEIRS: ABSENT})
    assert ours.due() == [OURS]
    assert theirs.due() == [THEIRS]


def test_who_gives_up_is_replaced(webhooks: RefusingWebhooks, theirs: Refused) -> None:
    theirs.note({THEIRS: UNCALLED})
    with webhooks.refused() as ours:
        ours.note({OURS: UNCALLED})
        assert ours.due() == [OURS]
        assert theirs.due() == []
    assert theirs.due() == [THEIRS]


def test_a_webhook_that_cannot_be_called_again_is_asked_by_one_again(ours: Refused, theirs: Refused) -> None:
    ours.note({OURS: UNCALLED})
    assert ours.due() == [OURS]
    ours.note({OURS: None})
    theirs.note({THEIRS: UNCALLED, OUR_SECOND: UNCALLED})
    assert theirs.due() == [THEIRS]


def test_only_what_is_refused_still_is_kept(ours: Refused) -> None:
    ours.note({OURS: UNCALLED, OUR_SECOND: ABSENT})
    ours.note({OURS: None})
    assert ours.errors == {OUR_SECOND: ABSENT}
