"""The stack description and the lock.

``parse`` is the strict reader, ``name_scan`` a quick one for prompts. Both read files through ``input_files``, merge what
they extend in ``layers`` and put names together in ``resolve`` (``collections``, ``catalog_overlay``); ``select`` applies
the selection, ``component_builder`` (with ``source_reader`` and ``value_reader``) and ``settings`` build the ``model``.
``schema`` has the format, ``legacy`` the one of the first implementation.
"""
