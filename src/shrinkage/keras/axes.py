"""Which weights of a kernel belong to one unit or to one input, whatever layer it is of."""

from __future__ import annotations

from typing import Any

from keras import layers

from shrinkage.penalties import Groups

_TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
_DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
_SEPARABLE = (layers.SeparableConv1D, layers.SeparableConv2D)


def axes_within(groups: Groups | None, layer: Any, variable: Any) -> tuple[int, ...] | None:
    """The axes along which a group of weights lies.

    Parameters
    ----------
    groups : str or None
        ``"units"``: all weights into one output channel. ``"inputs"``: all out of one input
        channel.
    layer : keras.Layer
        That the kernel is of.
    variable : keras.Variable
        The kernel. Keras keeps outputs last, behind the inputs, but for transposed convolutions
        (``layers/convolutional/base_conv_transpose.py``), and where an equation says otherwise.

    Returns
    -------
    tuple of int or None
        From 0, rising; None without groups.
    """
    if groups is None:
        return None
    rank = len(variable.shape)
    inputs, units = _sides(layer, variable.name, rank)
    kept = units if groups == "units" else inputs
    return tuple(axis for axis in range(rank) if axis not in kept)


def _sides(layer: Any, name: str, rank: int) -> tuple[set[int], set[int]]:
    """Axes that tell inputs apart, and axes that tell units apart."""
    if rank < 2:  # a vector is a kernel with one column
        return {0}, set()
    if isinstance(layer, layers.EinsumDense):
        return _of_equation(layer.equation)
    if isinstance(layer, _TRANSPOSED):
        return {rank - 1}, {rank - 2}
    if isinstance(layer, _DEPTHWISE) or (isinstance(layer, _SEPARABLE) and "depthwise" in name):
        return {rank - 2}, {rank - 2, rank - 1}  # each output channel looks at one input alone
    return {rank - 2}, {rank - 1}


def _of_equation(equation: str) -> tuple[set[int], set[int]]:
    """Of ``"abc,cd->abd"``: what is summed over comes in, what is new goes out."""
    terms, _, answer = equation.replace("...", "").replace(" ", "").partition("->")
    given, _, kernel = terms.partition(",")
    inputs = {axis for axis, letter in enumerate(kernel) if letter in given}
    units = {axis for axis, letter in enumerate(kernel) if letter in answer}
    return inputs, units
