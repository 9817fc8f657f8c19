"""A cast stack and a cluster: deploying it, looking at it, going back, removing it."""
