"""customize: hand edits in `working/`, shown, saved as patches, and dropped."""
