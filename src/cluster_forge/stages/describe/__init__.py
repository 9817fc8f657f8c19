"""The description of a workspace: ``load_description`` with a cache, ``read_description`` without one."""
