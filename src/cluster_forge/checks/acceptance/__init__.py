"""What an API server of the target accepts, and what reading a document lost."""
