"""The API server of a Kubernetes cluster.

`kubeconfig` says where it is and who the user is (`access`); `credentials` gets what proves that, from files and from
`exec_plugin`; `transport` sends requests over kept connections, again where that is safe; `refusals`, `unreachable` and
`tls` name what comes back instead of an object. On it `discovery`, `listing` and `permissions` build
`api_server.ApiServer`, which is a `Cluster`.
"""
