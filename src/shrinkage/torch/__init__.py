"""Penalties, audit, path and proof for a PyTorch module of one's own."""

from shrinkage.frameworks.proof import report
from shrinkage.torch.audit import audit
from shrinkage.torch.compact_module import compact
from shrinkage.torch.compact_record import CompactedModule, LayerSize
from shrinkage.torch.groups import parameter_groups
from shrinkage.torch.path import module_of, path
from shrinkage.torch.penalized import Penalized
from shrinkage.torch.proximal import Proximal

__all__ = [
    "CompactedModule",
    "LayerSize",
    "Penalized",
    "Proximal",
    "audit",
    "compact",
    "module_of",
    "parameter_groups",
    "path",
    "report",
]
