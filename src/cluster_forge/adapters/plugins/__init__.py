"""`ports.plugins`: installed plug-ins in processes of their own, and KRM functions as programs."""
