"""The verbs, a module for each, imported when the verb is called (`cluster_forge.cli`)."""
