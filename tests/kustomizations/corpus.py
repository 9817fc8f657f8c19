"""Kustomizations as files: ``top/`` is the one that is built."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent
from typing import Final

DEPLOYMENT: Final = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: runner
      containers:
      - name: server
        image: example.com/web:1.0
        args: [--listen, ':8080']
        env:
        - {name: LEVEL, valueFrom: {configMapKeyRef: {name: settings, key: level}}}
        - {name: HOST, value: localhost}
        volumeMounts: [{name: secrets, mountPath: /secrets}]
      - name: sidecar
        image: registry.example.com:5000/team/sidecar@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
      volumes:
      - {name: secrets, secret: {secretName: login}}
"""
SERVICE: Final = """\
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web}}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]
"""
ACCESS: Final = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: runner}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, name: runner, namespace: default}]
"""
CRD: Final = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""
WIDGET: Final = """\
apiVersion: example.com/v1
kind: Widget
metadata: {name: gear}
spec:
  configName: settings
  config: {name: settings}
  image: {repository: example.com/web, tag: '1.0'}
  parts: [{name: a, size: 1}, {name: b, size: 2}]
"""
BASE: Final = {
    "base/kustomization.yaml": "resources: [deployment.yaml, service.yaml, access.yaml]\n",
    "base/deployment.yaml": DEPLOYMENT,
    "base/service.yaml": SERVICE,
    "base/access.yaml": ACCESS,
}


def over(text: str, **files: str) -> dict[str, str]:
    """An overlay of the base; ``files`` are those of its folder, with ``__`` for the dot and ``_in_`` for the slash."""
    named = {f"top/{name.replace('_in_', '/').replace('__', '.')}": dedent(content) for name, content in files.items()}
    return {**BASE, "top/kustomization.yaml": "resources: [../base]\n" + dedent(text), **named}


def alone(text: str, **files: str) -> dict[str, str]:
    """A kustomization without a base."""
    return {path: content for path, content in over("", **files).items() if path.startswith("top/")} | {
        "top/kustomization.yaml": dedent(text)
    }


KUSTOMIZATIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "resources": over(""),
    "kustomization.yml": {**BASE, "top/kustomization.yml": "resources: [../base]\n"},
    "Kustomization": {**BASE, "top/Kustomization": "resources: [../base]\n"},
    "with apiVersion and kind": over(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nmetadata: {name: ours}\n"
    ),
    "deprecated bases": {**BASE, "top/kustomization.yaml": "bases: [../base]\nnamePrefix: a-\n"},
    "bases of bases": over("nameSuffix: -outer\n")
    | {
        "top/kustomization.yaml": "resources: [../middle]\nnameSuffix: -outer\n",
        "middle/kustomization.yaml": "resources: [../base/]\nnamePrefix: middle-\n",
    },
    "a base used twice": {
        **BASE,
        "a/kustomization.yaml": "resources: [../base]\nnamePrefix: a-\n",
        "b/kustomization.yaml": "resources: [../base]\nnamePrefix: b-\n",
        "top/kustomization.yaml": "resources: [../a, ../b]\n",
    },
    "a base below the folder": {
        "top/kustomization.yaml": "resources: [./inner/base, inner/one.yaml]\n",
        "top/inner/base/kustomization.yaml": "resources: [s.yaml]\n",
        "top/inner/base/s.yaml": SERVICE,
        "top/inner/one.yaml": ACCESS,
    },
    "several objects in a file, a List, JSON": alone(
        "resources: [many.yaml, list.yaml, one.json]\n",
        many__yaml=ACCESS,
        list__yaml="apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n",
        one__json='{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}, "data": {"n": "012"}}',
    ),
    "anchors and numbers": alone(
        "resources: [a.yaml]\n",
        a__yaml="""\
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: a, labels: &labels {x: "1"}, annotations: *labels}
            data: {octal: "0644", yes: "yes", no: 'null', float: "1.10", text: "a: b # c"}
            """,
    ),
    "only local configuration": alone(
        "resources: [a.yaml, b.yaml]\n",
        a__yaml="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {config.kubernetes.io/local-config: 'true'}}\n",
        b__yaml="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n",
    ),
    "nothing": alone("namespace: a\n"),
    "namespace": over("namespace: shop\n"),
    "namespace, prefix and suffix": over("namespace: shop\nnamePrefix: p-\nnameSuffix: -s\n"),
    "commonLabels": over("commonLabels: {team: blue}\n"),
    "labels": over("labels: [{pairs: {team: blue}}]\n"),
    "labels in selectors": over("labels: [{pairs: {team: blue}, includeSelectors: true}]\n"),
    "labels in templates": over("labels: [{pairs: {team: blue}, includeTemplates: true}, {pairs: {b: c}}]\n"),
    "labels in other fields": over(
        "labels:\n- pairs: {team: blue}\n  fields: [{path: spec/template/metadata/labels, create: true, kind: Deployment}]\n"
    ),
    "commonAnnotations": over("commonAnnotations: {owner: 'blue: team', number: '1'}\n"),
    "images": over(
        """\
        images:
        - {name: example.com/web, newName: mirror.example.com/web, newTag: '2.10'}
        - name: registry.example.com:5000/team/sidecar
          digest: sha256:fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9
        """
    ),
    "images, suffix of the tag": over("images: [{name: example.com/web, tagSuffix: -fips}]\n"),
    "replicas": over("replicas: [{name: web, count: 5}]\n"),
    "a strategic merge patch in a file": over(
        "patches: [{path: patch.yaml}]\n",
        patch__yaml="""\
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: web}
            spec:
              template:
                spec:
                  containers:
                  - {name: server, resources: {limits: {memory: 1Gi}}, env: [{name: HOST, $patch: delete}]}
                  - {name: sidecar, $patch: delete}
            """,
    ),
    "a strategic merge patch in the kustomization": over(
        """\
        patches:
        - patch: |-
            apiVersion: v1
            kind: Service
            metadata: {name: web}
            spec: {type: NodePort, ports: [{port: 80, nodePort: 30080}]}
        """
    ),
    "a JSON patch with a target": over(
        """\
        patches:
        - target: {group: apps, version: v1, kind: Deployment, name: web}
          path: patches/web.json
        - target: {kind: Service, labelSelector: app=web}
          patch: |-
            - {op: replace, path: /spec/ports/0/port, value: 8080}
            - {op: add, path: /metadata/annotations, value: {a.b/c: x}}
        """,
        patches_in_web__json='[{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--debug"}]',
    ),
    "a patch for names that match": over(
        """\
        patches:
        - target: {kind: ServiceAccount|Service, name: r.*|web}
          patch: |-
            apiVersion: v1
            kind: Any
            metadata: {name: any, annotations: {patched: "yes"}}
        """
    ),
    "a patch that changes name and kind": over(
        """\
        patches:
        - target: {kind: Deployment, name: web}
          options: {allowNameChange: true, allowKindChange: true}
          patch: |-
            - {op: replace, path: /kind, value: StatefulSet}
            - {op: replace, path: /metadata/name, value: store}
            - {op: add, path: /spec/serviceName, value: web}
        """
    ),
    "a patch that deletes": over(
        "patches:\n- patch: |-\n    $patch: delete\n    apiVersion: v1\n    kind: Service\n    metadata: {name: web}\n"
    ),
    "patchesStrategicMerge": over(
        """\
        patchesStrategicMerge:
        - replicas.yaml
        - |-
          apiVersion: v1
          kind: Service
          metadata: {name: web, labels: {inline: "yes"}}
        """,
        replicas__yaml="apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n",
    ),
    "patchesJson6902": over(
        """\
        patchesJson6902:
        - target: {version: v1, kind: Service, name: web}
          path: port.yaml
        - target: {group: apps, version: v1, kind: Deployment, name: web}
          patch: '[{"op": "replace", "path": "/spec/replicas", "value": 4}]'
        """,
        port__yaml="- {op: replace, path: /spec/ports/0/port, value: 81}\n",
    ),
    "configMapGenerator": over(
        """\
        configMapGenerator:
        - name: settings
          literals: [level=debug, "quoted='a b'", empty=]
          files: [app.ini, other=config/server.conf]
          envs: [settings.env]
        """,
        app__ini="[a]\nb = 1\n",
        config_in_server__conf="listen 80;\n",
        settings__env="# comment\nA=1\nB=two words\n",
    ),
    "configMapGenerator, one env": over(
        "configMapGenerator: [{name: settings, env: settings.env}]\n", settings__env="level=info\n"
    ),
    "secretGenerator": over(
        """\
        secretGenerator:
        - {name: login, literals: [password=secret], type: Opaque}
        - name: certificate
          type: kubernetes.io/tls
          files: [tls.crt, tls.key=private.key]
        """,
        tls__crt="certificate\n",
        private__key="key\n",
    ),
    "generators that merge and replace": {
        **BASE,
        "mid/kustomization.yaml": "resources: [../base]\n"
        "configMapGenerator: [{name: settings, literals: [level=info, a=1]}, {name: other, literals: [x=1]}]\n"
        "secretGenerator: [{name: login, literals: [p=1]}]\n",
        "top/kustomization.yaml": "resources: [../mid]\nnamePrefix: t-\n"
        "configMapGenerator: [{name: settings, behavior: merge, literals: [level=debug]},"
        " {name: other, behavior: replace, literals: [y=2]}, {name: new, behavior: create, literals: [z=3]}]\n"
        "secretGenerator: [{name: login, behavior: merge, literals: [q=2]}]\n",
    },
    "generators without suffix, immutable, with labels": over(
        """\
        generatorOptions: {disableNameSuffixHash: true, labels: {generated: "yes"}, annotations: {a: b}, immutable: true}
        configMapGenerator:
        - {name: settings, literals: [level=debug]}
        - {name: hashed, literals: [a=1], options: {disableNameSuffixHash: false, labels: {own: "1"}, immutable: false}}
        """
    ),
    "the suffix in a namespace": over("namespace: shop\nconfigMapGenerator: [{name: settings, literals: [level=1]}]\n"),
    "generated in another namespace": over(
        "configMapGenerator: [{name: settings, namespace: other, literals: [level=1]}]\n"
    ),
    "binary files": over("configMapGenerator: [{name: settings, files: [data.bin]}]\n", data__bin="\x00\x01\u00ff"),
    "replacements in the kustomization": over(
        """\
        replacements:
        - source: {kind: Service, name: web, fieldPath: metadata.name}
          targets:
          - select: {kind: Deployment}
            fieldPaths: ["spec.template.spec.containers.[name=server].env.[name=HOST].value"]
        """
    ),
    "replacements in a file": over(
        "replacements: [{path: replacements.yaml}]\nconfigMapGenerator: [{name: settings, literals: [level=7]}]\n",
        replacements__yaml="""\
            - source: {kind: ConfigMap, name: settings, fieldPath: data.level}
              targets:
              - select: {kind: Deployment}
                options: {delimiter: ':', index: 1}
                fieldPaths: [spec.template.spec.containers.0.image]
            """,
    ),
    "vars": over(
        """\
        namePrefix: p-
        vars:
        - {name: SERVICE, objref: {apiVersion: v1, kind: Service, name: web}, fieldref: {fieldpath: metadata.name}}
        patches:
        - target: {kind: Deployment}
          patch: '[{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "$(SERVICE)"}]'
        """
    ),
    "a component": {
        **BASE,
        "top/kustomization.yaml": "resources: [../base]\ncomponents: [../parts/debug, ../parts/tls]\n",
        "parts/debug/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
        "patches: [{path: debug.yaml}]\n",
        "parts/debug/debug.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 9}\n",
        "parts/tls/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
        "secretGenerator: [{name: login, files: [tls.crt]}]\nimages: [{name: example.com/web, newTag: tls}]\n",
        "parts/tls/tls.crt": "certificate",
    },
    "components whose order matters": {
        **BASE,
        "top/kustomization.yaml": "resources: [../base]\ncomponents: [../one, ../two]\nnamePrefix: x-\n",
        "one/kustomization.yaml": "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n"
        "replicas: [{name: web, count: 2}]\n",
        "two/kustomization.yaml": "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n"
        "replicas: [{name: web, count: 3}]\nresources: [more.yaml]\n",
        "two/more.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n",
    },
    "custom resources and configurations": alone(
        "resources: [crd.yaml, widget.yaml]\nconfigurations: [config.yaml]\nnamePrefix: p-\n"
        "configMapGenerator: [{name: settings, literals: [a=1]}]\nimages: [{name: example.com/web, newTag: '2'}]\n",
        crd__yaml=CRD,
        widget__yaml=WIDGET,
        config__yaml="nameReference:\n- kind: ConfigMap\n  version: v1\n  fieldSpecs:\n  - {kind: Widget, path: spec/configName}\n",
    ),
    "crds with references": alone(
        "resources: [widget.yaml]\ncrds: [types.json]\nnamePrefix: p-\nconfigMapGenerator: [{name: settings, literals: [a=1]}]\n",
        widget__yaml=WIDGET,
        types__json="""\
            {"example.com/v1.Widget": {"Schema": {"properties": {
              "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
              "spec": {"$ref": "example.com/v1.WidgetSpec"}}}},
             "example.com/v1.WidgetSpec": {"Schema": {"properties": {"config": {
              "x-kubernetes-object-ref-api-version": "v1", "x-kubernetes-object-ref-kind": "ConfigMap",
              "x-kubernetes-object-ref-name-key": "name", "type": "object", "properties": {"name": {"type": "string"}}}}}}}
            """,
    ),
    "an OpenAPI schema for a merge key": alone(
        """\
        resources: [widget.yaml]
        openapi: {path: schema.json}
        patches:
        - patch: |-
            apiVersion: example.com/v1
            kind: Widget
            metadata: {name: gear}
            spec: {parts: [{name: a, size: 7}]}
        """,
        widget__yaml=WIDGET,
        schema__json="""\
            {"definitions": {"com.example.v1.Widget": {"type": "object",
              "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Widget"}],
              "properties": {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
                "spec": {"type": "object", "properties": {"parts": {"type": "array",
                  "x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge",
                  "items": {"type": "object", "properties": {"name": {"type": "string"}, "size": {"type": "integer"}}}}}}}}}}
            """,
    ),
    "a merge of custom resources without a schema": alone(
        "resources: [widget.yaml]\npatches: [{path: patch.yaml}]\n",
        widget__yaml=WIDGET,
        patch__yaml="apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: gear}\nspec: {parts: [{name: c}]}\n",
    ),
    "transformers in files": over(
        "transformers: [labels.yaml, patch.yaml, plugins]\n",
        labels__yaml="""\
            apiVersion: builtin
            kind: LabelTransformer
            metadata: {name: labels}
            labels: {team: blue}
            fieldSpecs: [{path: metadata/labels, create: true}]
            ---
            apiVersion: builtin
            kind: PrefixTransformer
            metadata: {name: prefix}
            prefix: t-
            fieldSpecs: [{path: metadata/name}]
            """,
        patch__yaml="apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: p}\npath: replicas.yaml\n"
        "target: {kind: Deployment}\n",
        replicas__yaml="apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: any}\nspec: {replicas: 6}\n",
        plugins_in_kustomization__yaml="resources: [merge.yaml]\n",
        plugins_in_merge__yaml="apiVersion: builtin\nkind: PatchStrategicMergeTransformer\nmetadata: {name: m}\n"
        "paths: [port.yaml]\n",
        port__yaml="apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: LoadBalancer}\n",
    ),
    "transformers in the kustomization": over(
        """\
        transformers:
        - |-
          apiVersion: builtin
          kind: AnnotationsTransformer
          metadata: {name: annotations}
          annotations: {inline: "yes"}
          fieldSpecs: [{path: metadata/annotations, create: true}]
        - |-
          apiVersion: builtin
          kind: NamespaceTransformer
          metadata: {name: ns, namespace: elsewhere}
          setRoleBindingSubjects: allServiceAccounts
          unsetOnly: true
        """
    ),
    "generators in files": over(
        "generators: [map.yaml]\n",
        map__yaml="""\
            apiVersion: builtin
            kind: ConfigMapGenerator
            metadata: {name: settings}
            files: [level=level.txt]
            envs: [more.env]
            ---
            apiVersion: builtin
            kind: SecretGenerator
            metadata: {name: login}
            literals: [a=b]
            """,
        level__txt="debug",
        more__env="A=1\n",
    ),
    "replacements as a transformer": over(
        "transformers: [replace.yaml]\n",
        replace__yaml="apiVersion: builtin\nkind: ReplacementTransformer\nmetadata: {name: r}\n"
        "replacements: [{path: what.yaml}]\n",
        what__yaml="source: {kind: Service, name: web, fieldPath: spec.ports.0.port}\n"
        "targets: [{select: {kind: Deployment}, fieldPaths: [spec.replicas]}]\n",
    ),
    "sortOptions": over(
        "sortOptions: {order: legacy, legacySortOptions: {orderFirst: [Service], orderLast: [Deployment]}}\n"
    ),
    "sorted first in, first out": over("sortOptions: {order: fifo}\n"),
    "buildMetadata": over("buildMetadata: [originAnnotations, transformerAnnotations]\nnamePrefix: p-\n"),
    "as operators have it": {
        "top/kustomization.yaml": "namespace: system\nnamePrefix: operator-\nresources: [../crd, ../rbac, ../manager]\n"
        "patches: [{path: metrics.yaml, target: {kind: Deployment}}]\n",
        "top/metrics.yaml": "- op: add\n  path: /spec/template/spec/containers/0/args\n  value: [--metrics=:8443]\n",
        "crd/kustomization.yaml": "resources: [bases/widgets.yaml]\nconfigurations: [names.yaml]\n",
        "crd/bases/widgets.yaml": CRD,
        "crd/names.yaml": "nameReference:\n- kind: Service\n  version: v1\n  fieldSpecs:\n  - kind: CustomResourceDefinition\n"
        "    version: v1\n    group: apiextensions.k8s.io\n    path: spec/conversion/webhook/clientConfig/service/name\n",
        "rbac/kustomization.yaml": "resources: [access.yaml]\n",
        "rbac/access.yaml": ACCESS,
        "manager/kustomization.yaml": "resources: [manager.yaml]\nimages: [{name: controller, newName: example.com/op, newTag: v3}]\n",
        "manager/manager.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: system}\n---\n"
        + DEPLOYMENT.replace("example.com/web:1.0", "controller:latest"),
    },
    "as environments have it": {
        **BASE,
        "common/kustomization.yaml": "resources: [../base]\nlabels: [{pairs: {app.kubernetes.io/part-of: shop}}]\n",
        "regions/eu/kustomization.yaml": "resources: [../../common]\nconfigMapGenerator:\n- {name: settings, envs: [eu.env]}\n",
        "regions/eu/eu.env": "level=warn\nREGION=eu\n",
        "top/kustomization.yaml": "resources: [../regions/eu, pdb.yaml]\nnamespace: shop\nreplicas: [{name: web, count: 3}]\n"
        "configMapGenerator: [{name: settings, behavior: merge, literals: [STAGE=production]}]\n",
        "top/pdb.yaml": "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web}\n"
        "spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}\n",
    },
}
