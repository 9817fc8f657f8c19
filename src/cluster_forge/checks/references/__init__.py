"""Whether what the objects of a stack refer to is in the stack: Services, Secrets, Gateways, issuers, stores, classes."""
