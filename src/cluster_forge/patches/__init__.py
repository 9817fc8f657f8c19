"""Changes of Kubernetes objects as pure functions on trees.

===============  ===================================================================================================
``three_way``    base, theirs and mine → one object, and where the last two contradict each other
``texts``        the same for the lines of a text
``strategic``    an object and a strategic merge patch → the object that it makes
``json_patch``   an object and the operations of RFC 6902 → the object that they make
``smallest``     two states of an object → the smallest patch that leads from one to the other
``alignment``    which lines or entries of two lists are the same one
``list_order``   the order of a merged list whose entries have keys
``sameness``     whether two values are the same
===============  ===================================================================================================
"""
