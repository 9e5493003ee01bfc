"""Trainings on many machines, through a Dask cluster."""

from shrinkage.clusters.connecting import cluster
from shrinkage.clusters.executor import DaskExecutor

__all__ = ["DaskExecutor", "cluster"]
