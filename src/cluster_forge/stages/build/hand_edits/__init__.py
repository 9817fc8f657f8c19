"""Hand edits in `working/`: compared with what smelt wrote, merged with what it makes now, and taken into the record."""
