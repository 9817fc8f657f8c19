"""Whether a stack fits on its nodes: what its Pods ask for, what the nodes have, and a placement of all of them."""
