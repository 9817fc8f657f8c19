"""YAML text as values with positions, and values as YAML text.

========================  ==========================================================================================
``positioned_reader``     the text of a file → `positioned.Positioned`: values of which every part knows file and line
``scalar_reader``         the text of a scalar → the value that Kubernetes reads
``syntax_errors``         a parser's error → what is wrong and how to fix it; for files that users write
``syntax_hints``          the same for documents of charts and downloads, whose parser gives its own message
``conflict_markers``      text → the line of a Git merge conflict
``document_writer``       a mapping → YAML for people: descriptions, locks, catalogs. `manifests.emitter` writes kubectl's style
``scalar_writer``         a scalar → text that every YAML parser reads as the same value; both writers use it
========================  ==========================================================================================
"""
