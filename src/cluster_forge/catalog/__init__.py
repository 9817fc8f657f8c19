"""What comes with Cluster-Forge: its packaged data, and nothing else."""
