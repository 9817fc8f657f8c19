"""The stack description and the lock.

``parse`` is the strict reader, ``name_scan`` a quick one for prompts. Both read files through ``input_files`` and merge what
they extend in ``layers``. For the strict one, ``description_reader`` does so; ``resolve`` puts names together
(``collections``, ``catalog_overlay``), ``select`` applies the selection, ``component_builder`` (with ``source_reader`` and
``value_reader``) and ``settings`` build the ``model``. ``schema`` has the format, ``legacy`` the one of the first
implementation.
"""
