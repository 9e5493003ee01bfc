"""The engine: trains trials and predicts. `pool` is its front; the other modules compile."""
