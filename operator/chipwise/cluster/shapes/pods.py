"""Pods and pod templates: those fields that decisions or a rendering read, with the API server's own types.

From the OpenAPI document of Kubernetes 1.34 (api/openapi-spec/v3 there).
"""

from __future__ import annotations

from chipwise.cluster.shapes.shape import (
    Fields,
    Items,
    Named,
    Shape,
    Whole,
    flag,
    name,
    number_or_text,
    quantity,
    text,
)

TEXTS = Items(text)
LABELS = Named(text)
COUNT = Whole(0)
REQUIREMENT = Fields({"key": name, "operator": name, "values": TEXTS}, ("key", "operator"))
LABEL_SELECTOR = Fields({"matchLabels": LABELS, "matchExpressions": Items(REQUIREMENT)})

_HANDLER: dict[str, Shape] = {
    "exec": Fields({"command": TEXTS}),
    "httpGet": Fields(
        {
            "path": text,
            "port": number_or_text,
            "host": text,
            "scheme": text,
            "httpHeaders": Items(Fields({"name": name, "value": text}, ("name",))),
        },
        ("port",),
    ),
    "tcpSocket": Fields({"port": number_or_text, "host": text}, ("port",)),
}
_PROBE = Fields(
    {
        **_HANDLER,
        "grpc": Fields({"port": Whole(1, 65_535), "service": text}, ("port",)),
        **dict.fromkeys(
            (
                "initialDelaySeconds",
                "timeoutSeconds",
                "periodSeconds",
                "successThreshold",
                "failureThreshold",
                "terminationGracePeriodSeconds",
            ),
            COUNT,
        ),
    }
)
_HOOK = Fields({**_HANDLER, "sleep": Fields({"seconds": COUNT})})
_REFERENCE = Fields({"name": text, "key": text, "optional": flag})
_ENV = Fields(
    {
        "name": name,
        "value": text,
        "valueFrom": Fields(
            {
                "fieldRef": Fields({"fieldPath": name, "apiVersion": text}, ("fieldPath",)),
                "resourceFieldRef": Fields({"resource": name, "containerName": text, "divisor": quantity}),
                "configMapKeyRef": _REFERENCE,
                "secretKeyRef": _REFERENCE,
            }
        ),
    },
    ("name",),
)
_RESOURCES = Fields(
    {
        "requests": Named(quantity),
        "limits": Named(quantity),
        "claims": Items(Fields({"name": name}, ("name",)), unique="name"),
    }
)
_PORT = Fields(
    {
        "name": text,
        "containerPort": Whole(1, 65_535),
        "hostPort": Whole(0, 65_535),
        "protocol": text,
        "hostIP": text,
    },
    ("containerPort",),
)
_CONTAINER = Fields(
    {
        "name": name,
        "image": name,
        "command": TEXTS,
        "args": TEXTS,
        "workingDir": text,
        "imagePullPolicy": text,
        "restartPolicy": text,
        "terminationMessagePath": text,
        "terminationMessagePolicy": text,
        "env": Items(_ENV),
        "envFrom": Items(Fields({"prefix": text, "configMapRef": _REFERENCE, "secretRef": _REFERENCE})),
        "ports": Items(_PORT),
        "resources": _RESOURCES,
        "volumeMounts": Items(
            Fields(
                {"name": name, "mountPath": name, "subPath": text, "readOnly": flag}, ("name", "mountPath")
            )
        ),
        "volumeDevices": Items(Fields({"name": name, "devicePath": name}, ("name", "devicePath"))),
        "startupProbe": _PROBE,
        "readinessProbe": _PROBE,
        "livenessProbe": _PROBE,
        "lifecycle": Fields({"postStart": _HOOK, "preStop": _HOOK}),
        "securityContext": Fields({}),
    },
    ("name", "image"),
)
_NODE_TERM = Fields({"matchExpressions": Items(REQUIREMENT), "matchFields": Items(REQUIREMENT)})
_POD_TERM = Fields(
    {
        "topologyKey": name,
        "labelSelector": LABEL_SELECTOR,
        "namespaces": TEXTS,
        "namespaceSelector": LABEL_SELECTOR,
        "matchLabelKeys": TEXTS,
        "mismatchLabelKeys": TEXTS,
    },
    ("topologyKey",),
)
_PODS_AFFINITY = Fields(
    {
        "requiredDuringSchedulingIgnoredDuringExecution": Items(_POD_TERM),
        "preferredDuringSchedulingIgnoredDuringExecution": Items(
            Fields({"weight": Whole(1, 100), "podAffinityTerm": _POD_TERM}, ("weight", "podAffinityTerm"))
        ),
    }
)
_AFFINITY = Fields(
    {
        "nodeAffinity": Fields(
            {
                "requiredDuringSchedulingIgnoredDuringExecution": Fields(
                    {"nodeSelectorTerms": Items(_NODE_TERM, least=1)}, ("nodeSelectorTerms",)
                ),
                "preferredDuringSchedulingIgnoredDuringExecution": Items(
                    Fields({"weight": Whole(1, 100), "preference": _NODE_TERM}, ("weight", "preference"))
                ),
            }
        ),
        "podAffinity": _PODS_AFFINITY,
        "podAntiAffinity": _PODS_AFFINITY,
    }
)
_TOLERATION = Fields(
    {"key": text, "operator": text, "value": text, "effect": text, "tolerationSeconds": Whole()}
)
_SPREAD = Fields(
    {
        "maxSkew": Whole(1),
        "minDomains": Whole(1),
        "topologyKey": name,
        "whenUnsatisfiable": name,
        "labelSelector": LABEL_SELECTOR,
        "matchLabelKeys": TEXTS,
        "nodeAffinityPolicy": text,
        "nodeTaintsPolicy": text,
    },
    ("maxSkew", "topologyKey", "whenUnsatisfiable"),
)
_NAMED = Fields({"name": text})
_VOLUME = Fields(
    {
        "name": name,
        "emptyDir": Fields({"medium": text, "sizeLimit": quantity}),
        "hostPath": Fields({"path": name, "type": text}, ("path",)),
        "persistentVolumeClaim": Fields({"claimName": name, "readOnly": flag}, ("claimName",)),
        "configMap": Fields({"name": text, "defaultMode": COUNT, "items": Items(Fields({}))}),
        "secret": Fields({"secretName": text, "defaultMode": COUNT, "items": Items(Fields({}))}),
        "downwardAPI": Fields({"defaultMode": COUNT, "items": Items(Fields({}))}),
        "projected": Fields({"defaultMode": COUNT, "sources": Items(Fields({}))}),
        "ephemeral": Fields({"volumeClaimTemplate": Fields({"metadata": Fields({}), "spec": Fields({})})}),
        "csi": Fields({"driver": name}, ("driver",)),
        "nfs": Fields({"server": name, "path": name}, ("server", "path")),
    },
    ("name",),
)
_POD_SPEC_FIELDS: dict[str, Shape] = {
    "containers": Items(_CONTAINER, least=1, unique="name"),
    "initContainers": Items(_CONTAINER, unique="name"),
    "volumes": Items(_VOLUME, unique="name"),
    "nodeSelector": LABELS,
    "affinity": _AFFINITY,
    "tolerations": Items(_TOLERATION),
    "topologySpreadConstraints": Items(_SPREAD),
    "imagePullSecrets": Items(_NAMED),
    "resourceClaims": Items(Fields({"name": name}, ("name",)), unique="name"),
    "schedulingGates": Items(Fields({"name": name}, ("name",))),
    "resources": _RESOURCES,
    "overhead": Named(quantity),
    "nodeName": text,
    "runtimeClassName": text,
    "priorityClassName": text,
    "schedulerName": text,
    "serviceAccountName": text,
    "serviceAccount": text,
    "restartPolicy": text,
    "dnsPolicy": text,
    "hostNetwork": flag,
    "hostPID": flag,
    "hostIPC": flag,
    "terminationGracePeriodSeconds": Whole(0),
    "securityContext": Fields({}),
    "priority": Whole(),
}
POD_SPEC = Fields(_POD_SPEC_FIELDS, ("containers",))
TEMPLATE = Fields(
    {"metadata": Fields({"labels": LABELS, "annotations": LABELS}), "spec": POD_SPEC}, ("spec",)
)
