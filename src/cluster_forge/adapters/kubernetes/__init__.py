"""The API server of a Kubernetes cluster.

`kubeconfig` says where it is and who the user is; `credentials` gets what proves that, from files and from `exec_plugin`;
`transport` sends requests over kept connections, again where that is safe, and `refusals` names what comes back instead of
an object. On it `discovery`, `listing`, `watching` and `permissions` build `api_server.ApiServer`, which is a `Cluster`.
"""
