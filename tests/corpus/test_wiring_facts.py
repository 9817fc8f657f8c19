"""The purposes of the catalog's wirings, checked in rendered objects: what reads, sends and stores where."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.corpus.reading import files_of, members, object_of, objects_of

from cluster_forge.checks.inventory import Inventory, strings_in
from cluster_forge.manifests.pods import containers_of, pod_of

if TYPE_CHECKING:
    from cluster_forge.stages.catalog.trial_stack import TrialStack, TrialStacks

pytestmark = pytest.mark.corpus
PROMETHEUS = "http://kube-prometheus-stack-prometheus.monitoring.svc.cluster.local:9090"
MIMIR = "http://mimir-gateway.mimir.svc.cluster.local"
LOKI = "http://loki-gateway.loki.svc.cluster.local"
TEMPO = "tempo.tempo.svc.cluster.local"
OPENOBSERVE = "http://openobserve.openobserve.svc.cluster.local:5080"
SOURCES = {
    "kube-prometheus-stack": ("Prometheus", "prometheus", PROMETHEUS),
    "mimir": ("Mimir", "prometheus", f"{MIMIR}/prometheus"),
    "loki": ("Loki", "loki", LOKI),
    "tempo": ("Tempo", "tempo", f"http://{TEMPO}:3200"),
    "openobserve": ("OpenObserve", "prometheus", f"{OPENOBSERVE}/api/default/prometheus"),
}
ALERTS = ("Alertmanager", "alertmanager", "http://kube-prometheus-stack-alertmanager.monitoring.svc.cluster.local:9093")


def data_sources(stack: TrialStack, name: str) -> set[tuple[str, str, str]]:
    """Name, type and address, without the slash at its end."""
    files = [
        text
        for manifest in objects_of(stack, name, "ConfigMap")
        for text in files_of(manifest).values()
        if "\ndatasources:" in text
    ]
    found = [source for text in files for source in yaml.safe_load(text)["datasources"]]
    return {(source["name"], source["type"], source["url"].rstrip("/")) for source in found}


@pytest.mark.parametrize(
    "others",
    [[], *([other] for other in SOURCES), ["mimir", "loki"], list(SOURCES)],
    ids=lambda others: "-".join(others) or "none",
)
def test_grafana_reads_from_the_backends_in_the_stack(small_stacks: TrialStacks, others: list[str]) -> None:
    stack = small_stacks.of("grafana", *others, minor=35, about=["grafana"])
    expected = {SOURCES[other] for other in others}
    if "kube-prometheus-stack" in others:
        expected |= {ALERTS}
    elif "mimir" in others:  # the store of metrics is Mimir then
        expected |= {("Prometheus", "prometheus", f"{MIMIR}/prometheus")}
    assert data_sources(stack, "grafana") == expected
    assert stack.findings_about("grafana") == []


@pytest.mark.parametrize("others", [[], ["loki"], ["mimir", "tempo"], ["loki", "mimir", "tempo", "openobserve"]])
def test_the_bundled_grafana_reads_from_the_backends_in_the_stack(small_stacks: TrialStacks, others: list[str]) -> None:
    name = "kube-prometheus-stack"
    stack = small_stacks.of(name, *others, minor=35, about=[name])
    assert data_sources(stack, name) == {ALERTS, *(SOURCES[source] for source in (name, *others))}
    assert stack.findings_about(name) == []


def test_grafana_reads_from_prometheus_without_an_operator(small_stacks: TrialStacks) -> None:
    stack = small_stacks.of("grafana", "prometheus", minor=35, about=["grafana"])
    at = "svc.cluster.local"
    assert data_sources(stack, "grafana") == {
        ("Prometheus", "prometheus", f"http://prometheus-server.monitoring.{at}"),
        ("Alertmanager", "alertmanager", f"http://prometheus-alertmanager.monitoring.{at}:9093"),
    }
    assert stack.findings_about("grafana") == []


@pytest.mark.parametrize("grafana", ["grafana", "kube-prometheus-stack"])
def test_the_sidecar_loads_all_dashboards(small_stacks: TrialStacks, grafana: str) -> None:
    """The label that it looks for is on the dashboards of all who have some."""
    providers = ("loki", "mimir", "cnpg-operator", "kyverno", "policy-reporter", "seaweedfs")
    names = dict.fromkeys((grafana, *providers, "prometheus-operator-crds"))
    stack = small_stacks.of(*names, minor=35, about=[grafana, *providers])
    containers = [
        container for manifest in objects_of(stack, grafana, "Deployment") for container in containers_of(manifest.body)
    ]
    (sidecar,) = [container for container in containers if container["name"] == "grafana-sc-dashboard"]
    looks_for = {variable["name"]: variable.get("value") for variable in sidecar["env"]}
    assert looks_for["NAMESPACE"] == "ALL"
    for name in providers:
        dashboards = [
            text
            for manifest in objects_of(stack, name, "ConfigMap")
            if (manifest.body["metadata"].get("labels") or {}).get(looks_for["LABEL"]) == looks_for["LABEL_VALUE"]
            for text in files_of(manifest).values()
        ]
        assert dashboards, name
        assert all(json.loads(dashboard)["title"] for dashboard in dashboards), name


def alloy_targets(stack: TrialStack) -> set[str]:
    """The addresses that Alloy's configuration sends to; those that it listens at are numbers."""
    text = "".join(files_of(object_of(stack, "alloy", "ConfigMap", "alloy")).values())
    return {
        target for target in re.findall(r'(?:url|endpoint)\s*=\s*"([^"]+)"', text) if not target.startswith("0.0.0.0")
    }


@pytest.mark.parametrize(
    ("others", "targets"),
    [
        ([], []),
        (["loki"], [f"{LOKI}/loki/api/v1/push"]),
        (["mimir"], [f"{MIMIR}/api/v1/push"]),
        (["tempo"], [f"{TEMPO}:4317"]),
        (["openobserve"], [f"{OPENOBSERVE}/api/default/loki/api/v1/push", f"{OPENOBSERVE}/api/default"]),
        (["loki", "openobserve"], [f"{LOKI}/loki/api/v1/push", f"{OPENOBSERVE}/api/default"]),
        (["loki", "mimir", "tempo"], [f"{LOKI}/loki/api/v1/push", f"{MIMIR}/api/v1/push", f"{TEMPO}:4317"]),
    ],
    ids=str,
)
def test_alloy_sends_to_the_backends_in_the_stack(
    small_stacks: TrialStacks, others: list[str], targets: list[str]
) -> None:
    stack = small_stacks.of("alloy", *others, minor=35, about=["alloy"])
    assert alloy_targets(stack) == set(targets)
    assert stack.findings_about("alloy") == []


def test_promtail_sends_to_loki(small_stacks: TrialStacks) -> None:
    stack = small_stacks.of("promtail", "loki", about=["promtail"])
    (text,) = files_of(object_of(stack, "promtail", "Secret", "promtail")).values()
    assert [client["url"] for client in yaml.safe_load(text)["clients"]] == [f"{LOKI}/loki/api/v1/push"]
    assert stack.findings_about("promtail") == []


COLLECTORS = {
    "tempo": ("traces", {f"{TEMPO}:4317"}),
    "loki": ("logs", {f"{LOKI}/otlp"}),
    "mimir": ("metrics", {f"{MIMIR}/api/v1/push"}),
    "kube-prometheus-stack": ("metrics", {f"{PROMETHEUS}/api/v1/write"}),
    "openobserve": ("openobserve", {f"{OPENOBSERVE}/api/default"}),
    "otel-lgtm-stack": ("lgtm", {"http://lgtm.otel-lgtm-stack.svc.cluster.local:4318"}),
}


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize("other", COLLECTORS)
def test_collectors_send_to_the_backends_in_the_stack(small_stacks: TrialStacks, other: str, size: str) -> None:
    name = "opentelemetry-operator"
    stack = small_stacks.of(name, other, "cert-manager", minor=35, size=size, about=[name])
    called, targets = COLLECTORS[other]
    (collector,) = objects_of(stack, name, "OpenTelemetryCollector")
    config = collector.body["spec"]["config"]
    assert collector.id.name == called
    assert {exporter["endpoint"] for exporter in config["exporters"].values()} == targets
    for pipeline in config["service"]["pipelines"].values():
        assert set(pipeline["receivers"]) <= set(config["receivers"])
        assert set(pipeline["processors"]) <= set(config["processors"])
        assert set(pipeline["exporters"]) == set(config["exporters"])
    assert stack.findings_about(name) == []


def senders_of_metrics(stack: TrialStack) -> set[str]:
    """Who writes to Mimir: Prometheus or Alloy."""
    target, found = f"{MIMIR}/api/v1/push", set()
    for name in set(stack.parts) - {"mimir"}:
        for manifest in stack.parts[name]:
            said = (
                [*members(manifest.body, "remoteWrite"), *files_of(manifest).values()]
                if manifest.id.kind != "Secret"
                else []
            )
            if any(target in text for text in strings_in(said)):
                found.add(name)
    return found


@pytest.mark.parametrize("prometheus", ["", "kube-prometheus-stack", "prometheus"])
@pytest.mark.parametrize("agent", ["", "alloy"])
def test_one_sends_metrics_to_mimir(small_stacks: TrialStacks, prometheus: str, agent: str) -> None:
    names = [sender for sender in (prometheus, agent) if sender]
    if names:
        stack = small_stacks.of(*names, "mimir", minor=35, about=names)
        assert senders_of_metrics(stack) == {names[0]}


def test_prometheus_accepts_remote_writes(small_stacks: TrialStacks) -> None:
    """Prometheus accepts metrics of others only if it is configured to."""
    (operated,) = objects_of(small_stacks.of("kube-prometheus-stack"), "kube-prometheus-stack", "Prometheus")
    assert operated.body["spec"]["enableRemoteWriteReceiver"] is True
    alone = small_stacks.of("prometheus", minor=35)
    arguments = [
        argument for manifest in alone.parts["prometheus"] for argument in strings_in([*members(manifest.body, "args")])
    ]
    assert "--web.enable-remote-write-receiver" in arguments


STORES = {
    "seaweedfs": "seaweedfs-s3.seaweedfs.svc.cluster.local:8333",
    "minio-tenant": "minio.minio-tenant-default.svc.cluster.local:80",
}
CNPG = ("gitea", "harbor", "keycloak")
BUCKETS = {
    "loki": {"loki-chunks", "loki-ruler"},
    "mimir": {"mimir-blocks", "mimir-ruler", "mimir-alertmanager"},
    "tempo": {"tempo"},
    "velero": {"velero"},
    "harbor": {"harbor", "cnpg-backups"},
    "openobserve": {"openobserve"},
    "gitea": {"cnpg-backups"},
    "keycloak": {"cnpg-backups"},
}


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("name", BUCKETS)
def test_object_storage_is_that_of_the_stacks_store(small_stacks: TrialStacks, name: str, store: str) -> None:
    """The endpoint and the buckets are the store's, and the credentials a Secret that is expected."""
    names = [name, store, *(["cnpg-operator", "cert-manager"] if name in CNPG else []), "minio-operator"]
    stack = small_stacks.of(*names, size="large", minor=35, about=[name, store])
    config = "".join(settings(stack, name))
    assert STORES[store] in config
    assert not any(host in config for other, host in STORES.items() if other != store)
    named = re.findall(r"\b(?:bucket|bucketnames|bucket_name|ZO_S3_BUCKET_NAME)\"?: \"?([a-z-]+)", config)
    named += re.findall(r"s3://([a-z-]+)/", config)
    assert set(named) == BUCKETS[name]
    assert BUCKETS[name] <= buckets_of(stack, store)
    expected = {secret for namespace, secret in stack.secrets if namespace == stack.context.components[name].namespace}
    assert (
        {text for manifest in stack.parts[name] for text in strings_in(manifest.body)}
        & expected
        & {
            "object-storage",
            "object-storage-credentials",
        }
    )
    assert stack.findings_about(name) == []


def settings(stack: TrialStack, name: str) -> list[str]:
    """The configuration of a component, as texts."""
    texts = [text for manifest in objects_of(stack, name, "ConfigMap") for text in files_of(manifest).values()]
    texts += [
        f"{key}: {text}\n"
        for manifest in objects_of(stack, name, "ConfigMap")
        for key, text in files_of(manifest).items()
    ]
    return texts + [manifest.text.decode() for manifest in objects_of(stack, name, "Cluster", "BackupStorageLocation")]


def buckets_of(stack: TrialStack, store: str) -> set[str]:
    """The buckets that a store makes when it begins."""
    if store == "minio-tenant":
        (tenant,) = objects_of(stack, store, "Tenant")
        return {bucket["name"] for bucket in tenant.body["spec"]["buckets"]}
    said = "\n".join(text for manifest in objects_of(stack, store, "Job") for text in strings_in(manifest.body))
    return set(re.findall(r"s3\.bucket\.create --name ([a-z-]+)", said))


@pytest.mark.parametrize(("size", "instances"), [("medium", 2), ("large", 3)])
@pytest.mark.parametrize("name", CNPG)
def test_databases_come_from_cloudnativepg(small_stacks: TrialStacks, name: str, size: str, instances: int) -> None:
    stack = small_stacks.whole(name, size=size, minor=35)
    (cluster,) = objects_of(stack, name, "Cluster")
    assert cluster.body["spec"]["instances"] == instances
    host = f"{cluster.id.name}-rw.{cluster.id.namespace}.svc.cluster.local"
    files = [
        text for manifest in objects_of(stack, name, "ConfigMap", "Secret") for text in files_of(manifest).values()
    ]
    said = [text for manifest in stack.parts[name] for text in strings_in([pod_of(manifest.body)])]
    assert any(host in text for text in (*files, *said))
    references = [
        reference for manifest in stack.parts[name] for reference in members([pod_of(manifest.body)], "secretKeyRef")
    ]
    assert f"{cluster.id.name}-app" in {reference["name"] for reference in references}
    assert stack.findings_about(name) == []


def test_at_small_gitea_has_a_database_of_its_own(small_stacks: TrialStacks) -> None:
    assert objects_of(small_stacks.of("gitea", "cnpg-operator", minor=35, about=["gitea"]), "gitea", "Cluster") == []


ALWAYS = {"batch/job", "pod", "deployment", "statefulset"}
QUEUED = {
    "kuberay-operator": {"ray.io/raycluster", "ray.io/rayjob"},
    "jobset": {"jobset.x-k8s.io/jobset"},
    "lws": {"leaderworkerset.x-k8s.io/leaderworkerset"},
    "appwrapper": {"workload.codeflare.dev/appwrapper"},
}


@pytest.mark.parametrize("minor", [28, 35])
@pytest.mark.parametrize("others", [[], *([other] for other in QUEUED), ["jobset", "lws"], list(QUEUED)], ids=str)
def test_kueue_queues_the_workloads_of_the_stack(small_stacks: TrialStacks, others: list[str], minor: int) -> None:
    stack = small_stacks.of("kueue", *others, "cert-manager", minor=minor, about=["kueue"])
    (text,) = files_of(object_of(stack, "kueue", "ConfigMap", "kueue-manager-config")).values()
    frameworks = yaml.safe_load(text)["integrations"]["frameworks"]
    assert sorted(frameworks) == sorted(ALWAYS.union(*(QUEUED[other] for other in others)))


GPUS = {"amd-gpu-operator": "amd.com/gpu", "nvidia-gpu-operator": "nvidia.com/gpu"}


@pytest.mark.parametrize("operator", GPUS)
def test_kueue_has_a_queue_for_the_gpus_of_the_stack(small_stacks: TrialStacks, operator: str) -> None:
    stack = small_stacks.of("kueue", operator, minor=35, about=["kueue"])
    (flavor,), (queue,) = objects_of(stack, "kueue", "ResourceFlavor"), objects_of(stack, "kueue", "ClusterQueue")
    (local,) = objects_of(stack, "kueue", "LocalQueue")
    (group,) = queue.body["spec"]["resourceGroups"]
    assert set(group["coveredResources"]) - {"cpu", "memory"} == {GPUS[operator]}
    for group_flavor in group["flavors"]:
        assert group_flavor["name"] == flavor.id.name
        assert [resource["name"] for resource in group_flavor["resources"]] == group["coveredResources"]
    assert local.body["spec"]["clusterQueue"] == queue.id.name
    assert objects_of(small_stacks.of("kueue", minor=35), "kueue", "ClusterQueue") == []


@pytest.mark.parametrize("operator", GPUS)
@pytest.mark.parametrize(
    ("storage", "class_name"), [("longhorn", "longhorn"), ("local-path-provisioner", "local-path")]
)
def test_kaiwo_uses_the_gpus_and_the_volumes_of_the_stack(
    small_stacks: TrialStacks, operator: str, storage: str, class_name: str
) -> None:
    names = ["kaiwo", operator, storage, "kueue", "cert-manager", "kuberay-operator", "appwrapper"]
    stack = small_stacks.of(*names, minor=35, about=["kaiwo", "kueue", storage])
    (config,) = objects_of(stack, "kaiwo", "KaiwoConfig")
    assert config.body["spec"]["nodes"]["defaultGpuResourceKey"] == GPUS[operator]
    assert config.body["spec"]["storage"]["defaultStorageClass"] == class_name
    assert Inventory(stack.manifests).has_storage_class(class_name)
    assert objects_of(stack, "kueue", "ClusterQueue") == []  # Kaiwo makes its own


@pytest.mark.parametrize(
    ("operator", "kind", "exporter"),
    [
        ("amd-gpu-operator", "DeviceConfig", ("metricsExporter", "enable")),
        ("nvidia-gpu-operator", "ClusterPolicy", ("dcgmExporter", "enabled")),
    ],
)
def test_metrics_of_gpus_reach_prometheus(
    small_stacks: TrialStacks, operator: str, kind: str, exporter: tuple[str, str]
) -> None:
    """The operator makes the exporter, and its ServiceMonitor where the API is there."""
    part, switch = exporter

    def exporter_spec(*others: str) -> dict[str, Any]:
        (found,) = objects_of(small_stacks.of(operator, *others, minor=35, about=[operator]), operator, kind)
        return {**found.body["spec"][part], **found.body["spec"][part].get("prometheus", {})}

    assert exporter_spec()[switch] is True
    assert exporter_spec("kube-prometheus-stack")["serviceMonitor"][switch] is True
    assert not exporter_spec().get("serviceMonitor", {}).get(switch)


@pytest.mark.parametrize("name", CNPG)
def test_monitors_of_databases_name_the_database(small_stacks: TrialStacks, name: str) -> None:
    """No manifest has the pods; CloudNativePG labels them with the name of their cluster."""
    names = [*small_stacks.whole(name, size="medium", minor=35).context.components, "prometheus-operator-crds"]
    stack = small_stacks.of(*names, size="medium", minor=35, about=[name])
    (cluster,) = objects_of(stack, name, "Cluster")
    selectors = [manifest.body["spec"]["selector"]["matchLabels"] for manifest in objects_of(stack, name, "PodMonitor")]
    assert cluster.id.name in {selector.get("cnpg.io/cluster") for selector in selectors}


def test_the_monitor_of_minio_selects_the_operators_labels(small_stacks: TrialStacks) -> None:
    name = "minio-tenant"
    stack = small_stacks.of(name, "minio-operator", "prometheus-operator-crds", minor=35, about=[name])
    (tenant,), (monitor,) = objects_of(stack, name, "Tenant"), objects_of(stack, name, "ServiceMonitor")
    labels = tenant.body["spec"]["serviceMetadata"]["minioServiceLabels"]
    assert monitor.body["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert monitor.id.namespace == tenant.id.namespace
