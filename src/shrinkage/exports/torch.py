"""A trained network as a PyTorch module."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shrinkage.data.arrays import FARTHEST
from shrinkage.engine.activations import LEAK
from shrinkage.exports.agreement import Answer, compare, predictor_of, require
from shrinkage.exports.packages import require_package
from shrinkage.predictor import Predictor


def to_torch(model: Any, *, X: Any = None) -> Any:
    """Export a trained network to PyTorch, checked to answer the same.

    An ``nn.Sequential`` of named modules that takes raw rows, in single or double precision:
    ``standardize``, ``hidden_1``, ``activation_1``, … ``output``, ``head``. It answers the
    probability of the second of two classes, of all classes where there are more, or predictions;
    without its last module, it answers logits or standardized predictions. Dropout is there, so
    that training can go on.

    Parameters
    ----------
    model : estimator or Predictor
        A fitted estimator of this package, or the network alone.
    X : array-like of shape (rows, inputs), optional
        Rows to compare both networks on; by default 256 drawn around the training rows.

    Returns
    -------
    torch.nn.Sequential
        In evaluation mode. Its ``state_dict()`` holds kernels as PyTorch does, (fan-out, fan-in).

    Raises
    ------
    SettingError
        When PyTorch is not installed, or `model` is not fitted.
    ShrinkageError
        When the exported network differs from the original by more than 1e-5.

    Notes
    -----
    Statistics of inputs and targets are kept in double precision. For a device that has none, call
    ``.float()`` first.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_iris
    >>> from shrinkage import ShrinkageClassifier
    >>> from shrinkage.exports import to_torch
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ShrinkageClassifier(hidden_layer_sizes=(8,), random_state=0).fit(X, y)
    >>> network = to_torch(model)
    >>> list(dict(network.named_children()))
    ['standardize', 'hidden_1', 'activation_1', 'output', 'head']
    >>> network(torch.from_numpy(X)).shape
    torch.Size([150, 3])
    """
    require_package("torch")
    predictor = predictor_of(model)
    network = _module(predictor)
    require(compare(predictor, answers(network), "PyTorch", "double", X=X))
    return network


def answers(network: Any) -> Answer:
    """What a module answers to raw rows."""
    import torch

    def answer(rows: NDArray[np.float64]) -> NDArray[Any]:
        before = network.training
        network.eval()
        with torch.no_grad():
            found = network(torch.from_numpy(np.ascontiguousarray(rows)))
        network.train(before)
        return np.asarray(found.numpy(force=True))

    return answer


def _module(predictor: Predictor) -> Any:
    import torch
    from torch import nn

    from shrinkage.exports.torch_modules import Standardize, Unstandardize

    training = predictor.training
    modules: OrderedDict[str, nn.Module] = OrderedDict()
    modules["standardize"] = Standardize(predictor.center, predictor.scale, FARTHEST)
    if training.input_dropout:
        modules["input_dropout"] = nn.Dropout(training.input_dropout)
    sizes = predictor.network.sizes
    layers = list(zip(predictor.kernels, predictor.biases))
    for number, (kernel, bias) in enumerate(layers, start=1):
        linear = nn.Linear(sizes[number - 1], sizes[number])
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(np.ascontiguousarray(kernel.T)))
            linear.bias.copy_(torch.from_numpy(np.array(bias)))
        if number == len(layers):
            modules["output"] = linear
            continue
        modules[f"hidden_{number}"] = linear
        activation = _activation(predictor.network.activation)
        if activation is not None:
            modules[f"activation_{number}"] = activation
        if training.dropout:
            modules[f"dropout_{number}"] = nn.Dropout(training.dropout)
    if predictor.classes is None:
        modules["unstandardize"] = Unstandardize(predictor.target_center, predictor.target_scale)
    else:
        modules["head"] = nn.Sigmoid() if predictor.network.outputs == 1 else nn.Softmax(dim=1)
    return nn.Sequential(modules).eval()


def _activation(name: str) -> Any:
    from torch import nn

    kinds: dict[str, Callable[[], nn.Module]] = {
        "relu": nn.ReLU,
        "leaky_relu": lambda: nn.LeakyReLU(LEAK),
        "elu": nn.ELU,
        "selu": nn.SELU,
        "gelu": nn.GELU,
        "silu": nn.SiLU,
        "tanh": nn.Tanh,
        "sigmoid": nn.Sigmoid,
    }
    return kinds[name]() if name in kinds else None
