"""What an attacker could make of a stack: secrets in plain text, Pods that reach the node, rights that are too wide."""
