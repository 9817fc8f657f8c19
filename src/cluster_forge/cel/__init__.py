"""The Common Expression Language (cel.dev) as Kubernetes extends it: parsed, compiled, and evaluated within a budget."""
