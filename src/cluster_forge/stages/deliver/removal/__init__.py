"""Objects that leave a cluster: which ones, in which order, and what holds them."""
