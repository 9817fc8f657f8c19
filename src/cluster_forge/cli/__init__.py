"""The command line: argv in; text, JSON, progress and exit code out. The only package that prints and exits.

How imports work here, so that ``cluster-forge --help`` takes less than 150 ms: `app` knows the verbs by name and imports
the module of a verb (`commands`) when the verb is called or its help is shown. A module in `commands` imports at its top
what the declaration of the verb needs (options and help), and inside of its functions what they work with. All other
modules are imported by these functions, and import at their top, except for what only some runs need.
"""
