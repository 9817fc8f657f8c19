"""Reading objects of Kubernetes' own kinds as an API server does: types, values, and what its validation refuses."""
