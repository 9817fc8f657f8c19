"""Values for Secrets: read, compared, sent, and never shown."""

from __future__ import annotations

import pytest
from tests.fake_cluster import FakeCluster, FakeRequest
from tests.gitops.conftest import body
from tests.stages.deliver.preflight.situations import namespace, planned, tools, workload

from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import DescriptionError, RefusedError
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.stack.component import ExpectedSecret
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.preflight import secrets as secrets_check
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation
from cluster_forge.stages.deliver.secrets import expected as secrets
from cluster_forge.stages.deliver.secrets import given as given_secrets
from cluster_forge.stages.deliver.secrets.given import GivenSecrets

DB = ExpectedSecret(name="db", namespace="shop", keys={"user": "", "password": ""})
TLS = ExpectedSecret(name="web-tls", namespace="shop", keys={"tls.crt": "", "tls.key": ""})
VALUE = "hunter2-very-secret"


def parsed(text: str) -> GivenSecrets:
    return given_secrets.parse(text, "secrets.yaml", [DB, TLS], PurePythonYaml())


@pytest.mark.parametrize(
    "text",
    [
        f"shop/db:\n  password: {VALUE}\n",
        f'{{"shop/db": {{"password": "{VALUE}"}}}}',
        f"# mine\nshop/db/password={VALUE}\n",
        f"shop/db/password='{VALUE}'\n",
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: db, namespace: shop}}\nstringData: {{password: {VALUE}}}\n",
        "---\nkind: Secret\nmetadata: {name: db, namespace: shop}\ndata: {password: aHVudGVyMi12ZXJ5LXNlY3JldA==}\n",
    ],
    ids=["YAML", "JSON", "dotenv", "quoted dotenv", "stringData", "data"],
)
def test_values_are_read_in_each_form(text: str) -> None:
    given = parsed(text)
    assert given.of(DB) == {"password": VALUE.encode()}
    assert VALUE not in repr(given)


def test_a_value_of_several_lines_stays_as_it_is() -> None:
    pem = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n"
    indented = pem.replace("\n", "\n    ")
    assert parsed(f"shop/web-tls:\n  tls.crt: |\n    {indented}\n").of(TLS)["tls.crt"].decode() == pem


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"shop/dc: {{password: {VALUE}}}", "expects no Secret shop/dc"),
        ("shop/db: {password: 12345678}", "shop/db/password is not a text"),
        ("shop/db: {password: ''}", "shop/db/password is empty: give it a value"),
        ("shop/db/password=", "shop/db/password is empty: give it a value"),
        (f"shop/db: [{VALUE}]", "is not NAMESPACE/NAME with keys and values"),
        (f"password: {VALUE}", "is not NAMESPACE/NAME with keys and values"),
        (f"- {VALUE}", "is not a mapping"),
        (f"shop/db: {{password: {VALUE}", "is not YAML or JSON"),
        ("kind: Secret\nmetadata: {name: db, namespace: shop}\ndata: {password: 'no base64!'}", "is not a text"),
    ],
)
def test_what_is_wrong_is_said_without_the_value(text: str, says: str) -> None:
    with pytest.raises((DescriptionError, ExceptionGroup)) as caught:
        parsed(text)
    errors = list(leaves(caught.value))  # type: ignore[arg-type]
    assert says in str(errors[0])
    assert VALUE not in "".join(f"{error}{getattr(error, 'fix', '')}{error.__cause__}" for error in errors)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        parsed("shop/a: {k: v}\nshop/b: {k: v}\nshop/db: {user: 1}\n")
    assert len(caught.value.exceptions) == 3


def test_values_come_from_variables() -> None:
    given = given_secrets.from_environment([DB, TLS], {"CLUSTER_FORGE_SECRET_SHOP_DB_PASSWORD": VALUE})
    assert given.of(DB) == {"password": VALUE.encode()}


def test_an_empty_variable_is_refused() -> None:
    variables = {"CLUSTER_FORGE_SECRET_SHOP_DB_PASSWORD": VALUE, "CLUSTER_FORGE_SECRET_SHOP_DB_USER": ""}
    with pytest.raises(DescriptionError, match="CLUSTER_FORGE_SECRET_SHOP_DB_USER is empty"):
        given_secrets.from_environment([DB, TLS], variables)


def test_a_variable_of_two_keys_is_refused() -> None:
    twin = ExpectedSecret(name="b", namespace="shop-d", keys={"user": ""})
    twins = [ExpectedSecret(name="d-b", namespace="shop", keys={"user": ""}), twin]
    with pytest.raises(DescriptionError, match="CLUSTER_FORGE_SECRET_SHOP_D_B_USER would be the value of several keys"):
        given_secrets.from_environment(twins, {"CLUSTER_FORGE_SECRET_SHOP_D_B_USER": "x"})


def test_no_variable_at_all_names_those_to_set() -> None:
    with pytest.raises(DescriptionError) as caught:
        given_secrets.from_environment([DB], {})
    assert "CLUSTER_FORGE_SECRET_SHOP_DB_USER" in str(caught.value.fix)


def given(**keys: str) -> GivenSecrets:
    return GivenSecrets({("shop", "db"): {key: value.encode() for key, value in keys.items()}})


def secret(cluster: FakeCluster, name: str = "db") -> dict[str, object]:
    return dict(cluster.objects()[ObjectId(group="", kind="Secret", namespace="shop", name=name)])


def test_a_secret_and_its_namespace_are_made() -> None:
    cluster = FakeCluster()
    assert secrets.make([DB, TLS], given(user="a", password=VALUE), cluster) == ("Secret/shop/db: password, user",)
    assert secret(cluster)["type"] == "Opaque"
    assert secret(cluster)["data"] == {"user": "YQ==", "password": "aHVudGVyMi12ZXJ5LXNlY3JldA=="}


def test_a_certificate_has_the_type_of_one() -> None:
    cluster = FakeCluster()
    secrets.make([TLS], GivenSecrets({("shop", "web-tls"): {"tls.crt": b"a", "tls.key": b"b"}}), cluster)
    assert secret(cluster, "web-tls")["type"] == "kubernetes.io/tls"


def test_keys_are_added_and_the_others_stay() -> None:
    cluster = FakeCluster()
    secrets.make([DB], given(user="a"), cluster)
    assert secrets.make([DB], given(password="b"), cluster) == ("Secret/shop/db: password",)
    assert secret(cluster)["data"] == {"user": "YQ==", "password": "Yg=="}
    assert secrets.make([DB], given(user="a", password="b"), cluster) == ()


def test_those_that_were_made_are_left_by_a_removal_with_a_word() -> None:
    cluster = FakeCluster()
    assert secrets.left([DB, TLS], cluster) == ()
    secrets.make([DB], given(user="a"), cluster)
    cluster.put(body("v1", "Secret", TLS.name, TLS.namespace, data={}), manager="kubectl")
    ((target, reason),) = secrets.left([DB, TLS], cluster)
    assert (str(target), "values from --secrets" in reason) == ("Secret/shop/db", True)


def test_a_refusal_does_not_show_the_value() -> None:
    def before(request: FakeRequest) -> None:
        if request.target.kind == "Secret" and request.verb == "apply":
            assert request.body is not None
            raise RefusedError(f"bad {VALUE} {request.body['data']}", status=422)

    with pytest.raises(RefusedError) as caught:
        secrets.make([DB], given(password=VALUE), FakeCluster(before=before))
    shown = f"{caught.value}{caught.value.__cause__}"
    assert VALUE not in shown
    assert "aHVudGVy" not in shown


def problems(cluster: FakeCluster, values: GivenSecrets) -> list[str]:
    return [problem.code for problem in found(cluster, values)]


def found(cluster: FakeCluster, values: GivenSecrets) -> list[Problem]:
    plan = planned(workload("Deployment", "web"), secrets=[DB])
    situation = Situation(plan=plan, tools=tools(cluster), options=DeployOptions(), given=values)
    return list(secrets_check.problems(situation))


def test_given_values_count_as_there() -> None:
    assert problems(FakeCluster(), given(user="a", password="b")) == []
    assert problems(FakeCluster(), given(user="a")) == ["missing-secret"]


def test_a_value_that_is_there_is_never_replaced() -> None:
    cluster = FakeCluster()
    cluster.put(namespace("shop"), body("v1", "Secret", "db", "shop", data={"user": "YQ==", "password": "Yg=="}))
    assert problems(cluster, given(user="a")) == []
    assert problems(cluster, given(user="other")) == ["secret-value"]


def test_a_mistyped_key_is_shown_and_what_is_not_there_is_created() -> None:
    (problem,) = found(FakeCluster(), given(user="joe", pasword=VALUE))
    assert problem.message.endswith("it is not there; --secrets has pasword, user for it")
    assert "create secret generic db" in problem.fix
    assert VALUE not in f"{problem.fix}{problem.message}"


def test_a_key_that_is_given_is_not_asked_for() -> None:
    cluster = FakeCluster()
    cluster.put(namespace("shop"), body("v1", "Secret", "db", "shop", data={}))
    (problem,) = found(cluster, given(user="joe"))
    assert problem.message.endswith("it lacks password; --secrets has user for it")
    assert '"user"' not in problem.fix


def test_another_value_comes_with_the_command_that_takes_the_old_one_out() -> None:
    cluster = FakeCluster()
    cluster.put(namespace("shop"), body("v1", "Secret", "db", "shop", data={"user": "YQ==", "password": "Yg=="}))
    (problem,) = found(cluster, given(user="other"))
    command = """kubectl --context fake patch secret db --namespace shop --patch '{"data": {"user": null}}'"""
    assert problem.fix.endswith(f"\n{command}")


@pytest.mark.parametrize("text", ["", "# nothing\n", "shop/db: {}\n"])
def test_no_value_at_all_is_an_error(text: str) -> None:
    with pytest.raises(DescriptionError, match="has no value of a Secret"):
        parsed(text)


def test_a_secret_that_is_not_expected_is_to_be_listed() -> None:
    with pytest.raises(DescriptionError, match="expects no Secret shop/dbx, did you mean 'shop/db'") as caught:
        parsed("shop/dbx: {password: x}\n")
    assert "list the Secret under `secrets`" in str(caught.value.fix)
