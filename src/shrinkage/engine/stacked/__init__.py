"""Many copies of a PyTorch module trained as one program, each with its own λ, rate and seed."""

from shrinkage.engine.stacked.module import Array, ModuleNetwork

__all__ = ["Array", "ModuleNetwork"]
