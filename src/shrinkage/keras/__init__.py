"""Penalties, audit, path and proof for a Keras model of one's own."""
