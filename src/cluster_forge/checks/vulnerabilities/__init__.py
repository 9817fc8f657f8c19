"""What scanners found in the images of a stack."""
