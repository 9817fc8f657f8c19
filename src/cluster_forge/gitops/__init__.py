"""How a stack gets into a cluster and stays there: Argo CD's Applications, the bootstrap and the deploy script."""
