"""What production asks of the objects of one component."""
