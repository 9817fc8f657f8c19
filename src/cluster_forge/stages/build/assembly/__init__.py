"""From objects to parts: namespaces, plug-ins, declared changes, hooks and waves."""
