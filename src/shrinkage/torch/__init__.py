"""Penalties, audit, path and proof for a PyTorch module of one's own."""
