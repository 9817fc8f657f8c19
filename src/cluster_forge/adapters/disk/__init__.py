"""What adapters share to read and write files: walking trees, atomic writes, operating system errors."""
