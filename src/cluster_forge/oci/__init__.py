"""Container images by the OCI image specification: references, layers, images and indexes."""
