"""Secrets in plain text: found in every place, and what only looks like one is passed over. No value is ever shown."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.checks.security.secret_forms import FORMS, KEY, NEAR_FORMS, RANDOM, basic
from tests.checks.security.security_objects import manifest, stack, workload
from tests.proportion import assert_in_proportion

from cluster_forge.checks.security import plaintext_secret, secret_text
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.manifest import Manifest

GITHUB = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" * 2


def secret(**data: str) -> Manifest:
    encoded = {key.replace("__", "."): base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return manifest("v1", "Secret", data=encoded)


def config(**data: str) -> Manifest:
    return manifest("v1", "ConfigMap", data={key.replace("__", "."): value for key, value in data.items()})


def variable(name: str, value: Any) -> Manifest:
    return workload(container={"env": [{"name": name, "value": value}]})


def arguments(*args: Any) -> Manifest:
    return workload(container={"args": list(args)})


def annotated(**annotations: str) -> Manifest:
    return manifest("v1", "Service", metadata={"annotations": annotations})


def text(content: str) -> Manifest:
    """A script or a configuration file in a ConfigMap."""
    return config(file=content)


def custom(**spec: Any) -> Manifest:
    return manifest("example.com/v1", "Database", spec=spec)


@pytest.mark.parametrize(
    ("made", "values"),
    [
        (secret(password="hunter2x"), ["hunter2x"]),
        (secret(anything="hunter2x"), ["hunter2x"]),
        (secret(tls__key=KEY), ["MIIB"]),
        (secret(password="493817"), ["493817"]),
        (secret(config__yaml="user: x\ndb_password: hunter2x\n"), ["hunter2x"]),
        (manifest("v1", "Secret", stringData={"token": RANDOM}), [RANDOM]),
        (manifest("v1", "Secret", data={"keystore": base64.b64encode(b"\xff\xfe\x00\x01").decode()}), []),
        (config(application__properties="spring.datasource.password=hunter2x\n"), ["hunter2x"]),
        (config(password="hunter2x"), ["hunter2x"]),
        (config(id_rsa=KEY), ["MIIB"]),
        (config(settings__json=json.dumps({"clientSecret": RANDOM})), [RANDOM]),
        (config(url="see postgres://shop:hunter2x@db:5432/shop"), ["hunter2x"]),
        (config(script__sh=f"git clone https://x-access-token:{GITHUB}@github.com/a/b\n"), [GITHUB]),
        (variable("DB_PASSWORD", "hunter2x"), ["hunter2x"]),
        (variable("ADMIN_PASSWORD", "admin"), []),
        (variable("AWS_SECRET_ACCESS_KEY", RANDOM * 2), [RANDOM]),
        (variable("DSN", "postgres://shop:hunter2x@db/shop"), ["hunter2x"]),
        (variable("ANY", GITHUB), [GITHUB]),
        (arguments("--password=hunter2x"), ["hunter2x"]),
        (arguments("--admin-password", "hunter2x"), ["hunter2x"]),
        (arguments("-c", "export API_TOKEN=" + RANDOM), [RANDOM]),
        (custom(auth={"password": "hunter2x"}), ["hunter2x"]),
        (custom(parameters=[{"name": "adminPassword", "value": "hunter2x"}]), ["hunter2x"]),
    ],
)
def test_secrets_are_found_and_never_shown(made: Manifest, values: list[str]) -> None:
    (finding,) = plaintext_secret.findings(stack(made))
    assert (finding.code, finding.severity) == ("plaintext-secret", Severity.WARNING)
    assert finding.field
    for value in values:
        assert value not in str(finding)
        assert base64.b64encode(value.encode()).decode() not in str(finding)


@pytest.mark.parametrize("form", FORMS)
def test_the_forms_of_programs_are_found_in_files_scripts_and_variables(form: str) -> None:
    makers = [text(f"begin\n{form}\nend\n"), arguments("sh", "-c", form), custom(script=form), annotated(note=form)]
    for made in [*makers, *([] if "\n" in form else [variable("ANY", form)])]:
        (finding,) = plaintext_secret.findings(stack(made))
        for hidden in ("hunter2x", RANDOM, basic(), "MIIB"):
            assert hidden not in str(finding)


@pytest.mark.parametrize("form", NEAR_FORMS)
def test_what_only_looks_like_a_form_is_passed_over(form: str) -> None:
    for made in (text(f"begin\n{form}\nend\n"), arguments("sh", "-c", form), custom(script=form), annotated(note=form)):
        assert list(plaintext_secret.findings(stack(made))) == []


@pytest.mark.parametrize(
    ("made", "field"),
    [
        (annotated(**{"example.com/db-password": "hunter2x"}), 'metadata.annotations["example.com/db-password"]'),
        (annotated(**{"example.com/api-token": RANDOM}), 'metadata.annotations["example.com/api-token"]'),
        (
            workload(metadata={"annotations": {"example.com/password": "hunter2x"}}),
            'spec.template.metadata.annotations["example.com/password"]',
        ),
        (variable("PGPASSWORD", "hunter2x"), 'spec.template.spec.containers[name="web"].env[name="PGPASSWORD"].value'),
        (
            arguments("curl", "-u", "shop:hunter2x", "https://api"),
            'spec.template.spec.containers[name="web"].args',
        ),
        (
            workload(container={"command": ["redis-cli"], "args": ["-a", "hunter2x"]}),
            'spec.template.spec.containers[name="web"].args',
        ),
        (
            workload(container={"livenessProbe": {"exec": {"command": ["redis-cli", "-a", "hunter2x", "ping"]}}}),
            'spec.template.spec.containers[name="web"].livenessProbe.exec.command',
        ),
        (
            workload(
                container={
                    "readinessProbe": {
                        "httpGet": {
                            "port": 80,
                            "httpHeaders": [{"name": "Authorization", "value": f"Basic {basic()}"}],
                        }
                    }
                }
            ),
            'spec.template.spec.containers[name="web"].readinessProbe.httpGet.httpHeaders[0].value',
        ),
        (
            workload(
                {"volumes": [{"name": "x", "csi": {"driver": "x", "volumeAttributes": {"adminPassword": "hunter2x"}}}]}
            ),
            "spec.template.spec.volumes[0].csi.volumeAttributes.adminPassword",
        ),
        (
            manifest(
                "storage.k8s.io/v1", "StorageClass", namespace="", provisioner="x", parameters={"pwd": "hunter2x"}
            ),
            "parameters.pwd",
        ),
        (manifest("v1", "ConfigMap", binaryData={"x": basic("password=hunter2x")}), "binaryData.x"),
        (config(__dockerconfigjson=json.dumps({"auths": {"r": {"auth": basic()}}})), 'data[".dockerconfigjson"]'),
        (config(__pgpass="db:5432:shop:shop:hunter2x\n# pgpass\n"), 'data[".pgpass"]'),
    ],
)
def test_secrets_are_found_wherever_they_stand(made: Manifest, field: str) -> None:
    (finding,) = plaintext_secret.findings(stack(made))
    assert finding.field == field
    assert "hunter2x" not in str(finding)


@pytest.mark.parametrize(
    "made",
    [
        annotated(**{"checksum/secret": "0123456789abcdef" * 4, "checksum/api-token": "a1b2c3d4" * 8}),
        annotated(**{"nginx.ingress.kubernetes.io/auth-secret": "basic-auth", "example.com/password-file": "/x/y"}),
        annotated(**{"alm-examples": '[{"spec": {"password": "hunter2x"}}]'}),
        arguments("--password", "--verbose"),
        arguments("--user", "1000:1000"),
        manifest("bitnami.com/v1alpha1", "SealedSecret", spec={"encryptedData": {"password": RANDOM * 4}}),
        custom(data=[{"secretKey": RANDOM, "remoteRef": {"key": "db"}}]),
        manifest(
            "apiextensions.k8s.io/v1", "CustomResourceDefinition", metadata={"annotations": {"password": "hunter2x"}}
        ),
    ],
)
def test_what_is_made_of_a_secret_or_names_one_is_passed_over(made: Manifest) -> None:
    assert list(plaintext_secret.findings(stack(made))) == []


@pytest.mark.parametrize(
    "made",
    [
        secret(password=""),
        secret(username="shop", host="db.example.com", port="5432", url="http://db:8080", flag="true"),
        secret(tls__crt="-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", ca__crt="x"),
        secret(password="$(DB_PASSWORD)"),
        secret(app__ini="ENABLED=false\nROOT=/data"),
        secret(config__yaml="target:\n  host: http://loki:3100\n"),
        manifest("v1", "Secret", data={"password": "*not base64*"}),
        manifest("v1", "Secret", data=None, stringData=[]),
        config(config__yaml="password: ${DB_PASSWORD}\ntoken: {{ .token }}\n# password: example1\n"),
        config(config__yaml="secret: my-tls\npassword_file: /etc/x/password\ntokenReview: true\nallowPassword: yes"),
        config(realm__json='{"secret": "__CLIENT_SECRET__", "accessTokenLifespan": 300}'),
        config(script__sh='PASSWORD="$(cat /run/secrets/x)"\nif [ "$SECRET" == "$1" ]; then :; fi'),
        config(image="example.com/token-service:v1.2.3"),
        variable("DB_PASSWORD_FILE", "/etc/secrets/password"),
        variable("SECRET_NAME", "webhook-certs"),
        variable("ADMIN_PASSWORD_MODE", "keepUpdated"),
        variable("ALLOW_EMPTY_PASSWORD", "no"),
        variable("TLS_SECRET", "cert-manager-webhook-ca"),
        variable("TOKEN_URL", "https://idp.example.com/token"),
        variable("DB_PASSWORD", None),
        variable("DB_PASSWORD", 3),
        workload(container={"env": [{"name": "P", "valueFrom": {"secretKeyRef": {"name": "x", "key": "password"}}}]}),
        arguments("--dynamic-serving-ca-secret-name=cert-manager-webhook-ca", "--secret-namespace", "web", 3, None),
        arguments("--token-expiry=24h", "--password-file=/x"),
        custom(data=[{"secretKey": "password", "remoteRef": {"key": "db", "property": "password"}}]),
        custom(passwordSecretRef={"name": "db", "key": "password"}),
        custom(template={"data": {"password": "{{ .password }}"}}),
    ],
)
def test_what_only_looks_like_a_secret_is_passed_over(made: Manifest) -> None:
    assert list(plaintext_secret.findings(stack(made))) == []


@given(st.text(alphabet="eyJ.-_AKIAghp_password=: \n\"'://@{}", max_size=400))
def test_any_text_is_read(text: str) -> None:
    assert all(isinstance(kind, str) for kind in secret_text.secrets_in(text))


PARTS = (
    *("curl -u ", "mysql -p ", "docker login ", "a:b@c:", "Basic ", "auth: ", "Bearer ", "machine a login b password "),
    *(
        "a:1:b:c:",
        "<password>",
        "<name>a</name>",
        "name: a value: ",
        "CREATE USER a ",
        "user a on ",
        "--password ",
        "LS0tLS1CRUdJT",
    ),
)


@pytest.mark.parametrize(
    "part", ["eyJ", "password=", "://a:", "-----BEGIN ", "passwordpassword", "glpat-", "a.b@", *PARTS]
)
def test_the_time_is_linear(part: str) -> None:
    """A megabyte of what a pattern begins with."""

    def run(size: int) -> None:
        list(secret_text.secrets_in(part * (size // len(part))))

    assert_in_proportion(run, 1_000_000)
