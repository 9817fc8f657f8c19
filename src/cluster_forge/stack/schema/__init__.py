"""The description's format as pydantic models, and checks against them."""
