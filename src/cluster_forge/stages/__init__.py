"""The verbs: each stage is one function, a request and ports in, a result out."""
