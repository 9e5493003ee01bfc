"""Matrix products of the size that one small network needs, on one core.

BLAS libraries are built for matrices of thousands; at 32 × 128 × 128 packing and dispatch cost them
a good part of their rate, most where an operand is transposed. Here the product is a register tile
written in LLVM's vector types, fed from one packed panel that fits in the first-level cache. The
sum over the inner index runs in one fixed order, one fused multiply-add each, so a result depends
neither on threads nor on a library.

The scheme (packed panel, register tile, broadcast of the left operand) is that of Goto & van de
Geijn, 'Anatomy of high-performance matrix multiplication', ACM TOMS 34(3), 2008.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic


def _vector_bytes() -> int:
    """Width in bytes of the widest vector register that this machine computes with."""
    try:
        features = llvm.get_host_cpu_features()
    except RuntimeError:  # LLVM cannot tell on some platforms
        return 16
    if features.get("avx512f"):
        return 64
    return 32 if features.get("avx2") else 16


VECTOR_BYTES = _vector_bytes()
# 32 registers (AVX-512, NEON) hold an 8 × 2 tile of accumulators, 16 registers (AVX2, SSE) a 4 × 2.
TILE_ROWS = 4 if VECTOR_BYTES == 32 else 8
PANEL_VECTORS = 2

_INT32, _INT64 = ir.IntType(32), ir.IntType(64)


def panel_width(dtype: Any) -> int:
    """Columns in a packed panel for elements of `dtype`."""
    return int(PANEL_VECTORS * VECTOR_BYTES // np.dtype(dtype).itemsize)


class _Vectors:
    """Emits LLVM's loads and stores of whole vectors for the elements of one Numba array type."""

    def __init__(self, builder: ir.IRBuilder, element: types.Number) -> None:
        self.builder = builder
        self.size = 4 if element == types.float32 else 8
        self.lanes = VECTOR_BYTES // self.size
        self.type = ir.VectorType(ir.FloatType() if self.size == 4 else ir.DoubleType(), self.lanes)

    def _place(self, pointer: Any, offset: Any) -> Any:
        if isinstance(offset, int):
            offset = ir.Constant(_INT64, offset)
        element = self.builder.gep(pointer, [offset])
        return self.builder.bitcast(element, self.type.as_pointer())

    def load(self, pointer: Any, offset: Any) -> Any:
        return self.builder.load(self._place(pointer, offset), align=self.size)

    def store(self, value: Any, pointer: Any, offset: Any) -> None:
        self.builder.store(value, self._place(pointer, offset), align=self.size)

    def spread(self, scalar: Any) -> Any:
        """A vector with `scalar` in every lane."""
        undefined = ir.Constant(self.type, ir.Undefined)
        single = self.builder.insert_element(undefined, scalar, ir.Constant(_INT32, 0))
        first = ir.Constant(ir.VectorType(_INT32, self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(single, undefined, first)

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        """a·b + c, rounded once."""
        operation = "fma" if VECTOR_BYTES > 16 else "fmuladd"  # not every small core has the first
        name = f"llvm.{operation}.v{self.lanes}f{8 * self.size}"
        kind = ir.FunctionType(self.type, [self.type] * 3)
        fma = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(fma, [a, b, c])


def _data(context: Any, builder: ir.IRBuilder, kind: types.Array, array: Any) -> Any:
    """Pointer to the first element of an array."""
    return context.make_array(kind)(context, builder, array).data


def _make_tile(rows: int) -> Any:
    """A function that computes `rows` rows of a product with one packed panel.

    ``tile(a, a_start, a_row, a_step, panel, init, c, c_start, c_row, k)`` sets, for i < `rows` and
    j < width, the width of a panel,
    c[c_start + i·c_row + j] = init[j] + Σ_p a[a_start + i·a_row + p·a_step]·panel[p·width + j],
    with p from 0 to k − 1 and k at least 1.
    """

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
        kinds = signature.args
        vectors = _Vectors(builder, kinds[0].dtype)
        a_start, a_row, a_step, c_start, c_row, k = (args[i] for i in (1, 2, 3, 7, 8, 9))
        a = builder.gep(_data(context, builder, kinds[0], args[0]), [a_start])
        panel, init = (_data(context, builder, kinds[i], args[i]) for i in (4, 5))
        c = builder.gep(_data(context, builder, kinds[6], args[6]), [c_start])
        columns = [j * vectors.lanes for j in range(PANEL_VECTORS)]
        width = ir.Constant(_INT64, PANEL_VECTORS * vectors.lanes)
        row_offsets = [builder.mul(ir.Constant(_INT64, i), a_row) for i in range(rows)]
        starts = [vectors.load(init, column) for column in columns]

        before = builder.basic_block
        loop = builder.append_basic_block("tile.loop")
        after = builder.append_basic_block("tile.after")
        builder.branch(loop)
        builder.position_at_end(loop)
        step = builder.phi(_INT64)
        step.add_incoming(ir.Constant(_INT64, 0), before)
        sums = [[builder.phi(vectors.type) for _ in columns] for _ in range(rows)]
        here = builder.mul(step, width)
        right = [
            vectors.load(panel, builder.add(here, ir.Constant(_INT64, column)))
            for column in columns
        ]
        a_here = builder.mul(step, a_step)
        for i in range(rows):
            left = vectors.spread(
                builder.load(builder.gep(a, [builder.add(a_here, row_offsets[i])]))
            )
            for j in range(PANEL_VECTORS):
                updated = vectors.multiply_add(left, right[j], sums[i][j])
                sums[i][j].add_incoming(starts[j], before)
                sums[i][j].add_incoming(updated, loop)
                sums[i][j] = updated
        following = builder.add(step, ir.Constant(_INT64, 1))
        step.add_incoming(following, loop)
        builder.cbranch(builder.icmp_signed("<", following, k), loop, after)

        builder.position_at_end(after)
        for i in range(rows):
            row = builder.gep(c, [builder.mul(ir.Constant(_INT64, i), c_row)])
            for j, column in enumerate(columns):
                vectors.store(sums[i][j], row, column)
        return context.get_dummy_value()

    @intrinsic
    def tile(typingctx, a, a_start, a_row, a_step, panel, init, c, c_start, c_row, k):
        i64 = types.int64
        return types.void(a, i64, i64, i64, panel, init, c, i64, i64, i64), emit

    return tile


_tall = _make_tile(TILE_ROWS)
_flat = _make_tile(1)


@njit(nogil=True, error_model="numpy")
def _column_of_tiles(a, a_row, a_step, panel, init, c, c_start, c_row, m, k):
    """One packed panel against every row of the left operand.

    The last tall tile is moved up to end at the last row: it computes some rows twice, to the same
    bits, which costs less than tiles of other heights.
    """
    if m >= TILE_ROWS:
        for i in range(0, m, TILE_ROWS):
            at = min(i, m - TILE_ROWS)
            _tall(a, at * a_row, a_row, a_step, panel, init, c, c_start + at * c_row, c_row, k)
    else:
        for i in range(m):
            _flat(a, i * a_row, a_row, a_step, panel, init, c, c_start + i * c_row, c_row, k)


@intrinsic
def _copy_row(typingctx, source, start, target, target_start):
    """Copy one full panel row in vectors; a scalar loop would become a call to memcpy."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
        vectors = _Vectors(builder, signature.args[0].dtype)
        here = builder.gep(_data(context, builder, signature.args[0], args[0]), [args[1]])
        there = builder.gep(_data(context, builder, signature.args[2], args[2]), [args[3]])
        for j in range(PANEL_VECTORS):
            offset = j * vectors.lanes
            vectors.store(vectors.load(here, offset), there, offset)
        return context.get_dummy_value()

    return types.void(source, types.int64, target, types.int64), emit


@intrinsic
def _transpose_block(typingctx, source, start, row, target, target_start, target_row):
    """Write the transpose of a lanes × lanes block: target[q, p] = source[p, q].

    A perfect-shuffle network: log2(lanes) rounds of interleaving row i with row i + lanes/2.
    """

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
        vectors = _Vectors(builder, signature.args[0].dtype)
        lanes = vectors.lanes
        here = builder.gep(_data(context, builder, signature.args[0], args[0]), [args[1]])
        there = builder.gep(_data(context, builder, signature.args[3], args[3]), [args[4]])

        def offset(index: int, stride: Any) -> Any:
            return builder.mul(ir.Constant(_INT64, index), stride)

        rows = [vectors.load(here, offset(i, args[2])) for i in range(lanes)]
        half = lanes // 2
        order = [lane // 2 + lanes * (lane % 2) for lane in range(lanes)]
        indices = ir.VectorType(_INT32, lanes)
        low = ir.Constant(indices, order)
        high = ir.Constant(indices, [half + place for place in order])
        for _ in range(lanes.bit_length() - 1):
            rows = [
                builder.shuffle_vector(rows[i // 2], rows[i // 2 + half], high if i % 2 else low)
                for i in range(lanes)
            ]
        for i, value in enumerate(rows):
            vectors.store(value, there, offset(i, args[5]))
        return context.get_dummy_value()

    i64 = types.int64
    return types.void(source, i64, i64, target, i64, i64), emit


@njit(nogil=True, error_model="numpy")
def _pack(b, b_row, first, columns, k, panel, width):
    """Copy `columns` columns of b (k, n) from column `first` on into a panel, padded with zeros."""
    if columns == width:
        for p in range(k):
            _copy_row(b, p * b_row + first, panel, p * width)
        return
    for p in range(k):
        source = p * b_row + first
        target = p * width
        for j in range(columns):
            panel[target + j] = b[source + j]
        for j in range(columns, width):
            panel[target + j] = 0


@njit(nogil=True, error_model="numpy")
def _pack_transposed(b, b_row, first, columns, k, panel, width):
    """The same for the transpose of b (n, k): panel[p, j] = b[first + j, p]."""
    lanes = width // PANEL_VECTORS
    whole_columns = columns // lanes * lanes
    whole_steps = k // lanes * lanes
    for j in range(0, whole_columns, lanes):
        row = (first + j) * b_row
        for p in range(0, whole_steps, lanes):
            _transpose_block(b, row + p, b_row, panel, p * width + j, width)
        for q in range(j, j + lanes):
            for p in range(whole_steps, k):
                panel[p * width + q] = b[(first + q) * b_row + p]
    for j in range(whole_columns, columns):
        row = (first + j) * b_row
        for p in range(k):
            panel[p * width + j] = b[row + p]
    if columns < width:
        for p in range(k):
            for j in range(columns, width):
                panel[p * width + j] = 0


@njit(nogil=True, error_model="numpy")
def multiply(a, a_row, a_step, b, b_row, transpose_b, bias, c, m, n, k, panel, edge):
    """c = a·b (+ bias on every row), for flat arrays of one dtype.

    Parameters
    ----------
    a, a_row, a_step
        Flat left operand; element (i, p) lies at ``i·a_row + p·a_step``, so a transposed operand
        needs no copy.
    b, b_row, transpose_b
        Flat right operand; element (p, j) lies at ``p·b_row + j``, or at ``j·b_row + p`` when
        `transpose_b`.
    bias
        Row vector (n,) that every sum starts from; of length 0 to start from zero.
    c
        Flat result of shape (m, n), overwritten.
    m, n, k : int
        Rows, columns, inner length.
    panel : array, at least ``k · panel_width(dtype)`` elements
        Workspace for one packed panel of b.
    edge : array, at least ``(m + 1) · panel_width(dtype)`` elements
        Workspace for the starting row and for a last panel that is narrower than the tile.
    """
    lanes = VECTOR_BYTES // a.itemsize
    width = PANEL_VECTORS * lanes
    row, rest = edge[:width], edge[width:]
    for first in range(0, n, width):
        columns = min(width, n - first)
        for j in range(width):
            row[j] = bias[first + j] if bias.size > 0 and j < columns else 0
        if transpose_b:
            _pack_transposed(b, b_row, first, columns, k, panel, width)
        else:
            _pack(b, b_row, first, columns, k, panel, width)
        if columns == width:
            _column_of_tiles(a, a_row, a_step, panel, row, c, first, n, m, k)
        else:
            _column_of_tiles(a, a_row, a_step, panel, row, rest, 0, width, m, k)
            for i in range(m):
                for j in range(columns):
                    c[i * n + first + j] = rest[i * width + j]
