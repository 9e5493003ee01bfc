"""A trained network as ONNX, Keras, PyTorch or scikit-learn, checked to answer the same."""

from shrinkage.exports.agreement import Agreement
from shrinkage.exports.check import agreement_of
from shrinkage.exports.keras import to_keras
from shrinkage.exports.onnx import to_onnx
from shrinkage.exports.sklearn import to_sklearn
from shrinkage.exports.torch import to_torch

__all__ = ["Agreement", "agreement_of", "to_keras", "to_onnx", "to_sklearn", "to_torch"]
