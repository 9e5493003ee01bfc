"""Elementary functions written so that LLVM vectorizes them, and the processor's subnormal mode.

Single precision uses short polynomials (relative error near 1e-7); double precision, which only
checks use, calls the C library.
"""

from __future__ import annotations

import math
import platform
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, overload

# Reassociation and contraction let sums vectorize; nnan and ninf stay off, so that a NaN in the
# loss is still seen.
FAST: Any = {"contract", "reassoc", "arcp", "nsz"}

_F = np.float32
_LOG2_E = _F(1.4426950408889634)
_LN2_HIGH = _F(0.693359375)  # 9 bits: exact when multiplied by a small integer
_LN2_LOW = _F(-2.12194440e-4)
_LARGEST = _F(88.0)
_SMALLEST = _F(-87.0)


@intrinsic
def _power_of_two(typingctx, exponent):
    """2**exponent in single precision for an int32 exponent in [-126, 127], from its bits."""

    def generate(context, builder, signature, args):
        int32 = ir.IntType(32)
        biased = builder.add(args[0], ir.Constant(int32, 127))
        return builder.bitcast(builder.shl(biased, ir.Constant(int32, 23)), ir.FloatType())

    return types.float32(types.int32), generate


@intrinsic
def _bits_of(typingctx, x):
    """The bits of a single-precision number as int32."""

    def generate(context, builder, signature, args):
        return builder.bitcast(args[0], ir.IntType(32))

    return types.int32(types.float32), generate


@intrinsic
def _from_bits(typingctx, bits):
    """The single-precision number with the bits of an int32."""

    def generate(context, builder, signature, args):
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.int32), generate


@njit(nogil=True, error_model="numpy", fastmath={"contract"})
def log(x):
    """Natural logarithm of a positive, normal single-precision number (relative error near 1e-7).

    x = m · 2**n with m in [√½, √2), log(m) by the polynomial of Cephes' `logf` (Moshier 1992).
    """
    bits = _bits_of(x) - np.int32(0x3F3504F3)  # √½
    whole = np.int32(bits >> np.int32(23))
    m = _from_bits(np.int32((bits & np.int32(0x007FFFFF)) + np.int32(0x3F3504F3))) - _F(1)
    y = _F(7.0376836292e-2)
    y = y * m + _F(-1.1514610310e-1)
    y = y * m + _F(1.1676998740e-1)
    y = y * m + _F(-1.2420140846e-1)
    y = y * m + _F(1.4249322787e-1)
    y = y * m + _F(-1.6668057665e-1)
    y = y * m + _F(2.0000714765e-1)
    y = y * m + _F(-2.4999993993e-1)
    y = y * m + _F(3.3333331174e-1)
    square = m * m
    y = y * m * square + _F(whole) * _LN2_LOW - _F(0.5) * square
    return m + y + _F(whole) * _LN2_HIGH


@njit(nogil=True, error_model="numpy", fastmath={"contract"})
def _reduced_expm1(x):
    """(2**n, 2**n·(exp(r) − 1)) with x = n·ln 2 + r, |r| ≤ ln 2 / 2, by Taylor to order 7."""
    x = min(max(x, _SMALLEST), _LARGEST)
    whole = np.floor(x * _LOG2_E + _F(0.5))
    r = x - whole * _LN2_HIGH
    r = r - whole * _LN2_LOW
    tail = _F(1 / 5040)
    tail = tail * r + _F(1 / 720)
    tail = tail * r + _F(1 / 120)
    tail = tail * r + _F(1 / 24)
    tail = tail * r + _F(1 / 6)
    tail = tail * r + _F(0.5)
    power = _power_of_two(np.int32(whole))
    return power, power * (r + r * r * tail)


def exp(x: Any) -> Any:
    """e**x; single-precision arguments are clamped to [-87, 88]."""
    return math.exp(x)


def expm1(x: Any) -> Any:
    """e**x − 1, exact to rounding near 0 too."""
    return math.expm1(x)


@overload(exp, jit_options={"nogil": True, "error_model": "numpy"})
def _exp(x):
    if x == types.float32:

        def single(x):
            power, rest = _reduced_expm1(x)
            return power + rest

        return single
    return lambda x: math.exp(x)  # noqa: PLW0108  # Numba needs a Python function


@overload(expm1, jit_options={"nogil": True, "error_model": "numpy"})
def _expm1(x):
    if x == types.float32:

        def single(x):
            power, rest = _reduced_expm1(x)
            return (power - _F(1)) + rest

        return single
    return lambda x: math.expm1(x)  # noqa: PLW0108


def normal_cdf(x: Any, density: Any) -> Any:
    """Φ(x), given exp(−x²/2)."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


@overload(normal_cdf, jit_options={"nogil": True, "error_model": "numpy"})
def _normal_cdf(x, density):
    if x == types.float32:

        def single(x, density):
            # Abramowitz & Stegun 7.1.26, |error| ≤ 1.5e-7 in erf
            t = _F(1) / (_F(1) + _F(0.3275911 / math.sqrt(2.0)) * abs(x))
            tail = _F(1.061405429)
            tail = tail * t + _F(-1.453152027)
            tail = tail * t + _F(1.421413741)
            tail = tail * t + _F(-0.284496736)
            tail = tail * t + _F(0.254829592)
            upper = _F(0.5) * tail * t * density
            return _F(1) - upper if x > _F(0) else upper

        return single
    return lambda x, density: 0.5 * math.erfc(-x / math.sqrt(2.0))


_X86 = platform.machine().lower() in ("x86_64", "amd64", "i686")
_ARM = platform.machine().lower() in ("aarch64", "arm64")
_FLUSH = 0x8040 if _X86 else 1 << 24  # FTZ and DAZ of MXCSR; FZ of FPCR


@intrinsic
def _get_mode(typingctx):
    """The floating-point control register, as int64 (0 where it is not known how to read it)."""

    def generate(context, builder, signature, args):
        int64, int32 = ir.IntType(64), ir.IntType(32)
        if _X86:
            place = builder.alloca(int32)
            function = _register_function(builder, "llvm.x86.sse.stmxcsr")
            builder.call(function, [builder.bitcast(place, ir.IntType(8).as_pointer())])
            return builder.zext(builder.load(place), int64)
        if _ARM:
            return builder.asm(ir.FunctionType(int64, []), "mrs $0, fpcr", "=r", [], True)
        return ir.Constant(int64, 0)

    return types.int64(), generate


def _register_function(builder: Any, name: str) -> Any:
    """LLVM's intrinsic that moves MXCSR to or from memory."""
    kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer()])
    return cgutils.get_or_insert_function(builder.module, kind, name)


@intrinsic
def _set_mode(typingctx, mode):
    """Write the floating-point control register of this thread."""

    def generate(context, builder, signature, args):
        int32 = ir.IntType(32)
        if _X86:
            place = builder.alloca(int32)
            builder.store(builder.trunc(args[0], int32), place)
            function = _register_function(builder, "llvm.x86.sse.ldmxcsr")
            builder.call(function, [builder.bitcast(place, ir.IntType(8).as_pointer())])
        elif _ARM:
            kind = ir.FunctionType(ir.VoidType(), [ir.IntType(64)])
            builder.asm(kind, "msr fpcr, $0", "r", [args[0]], True)
        return context.get_dummy_value()

    return types.void(types.int64), generate


@njit(nogil=True)
def flush_subnormals():
    """Treat subnormal numbers as zero in this thread; returns the mode to restore.

    Where a network separates its data, gradients and moments decay into subnormals, and each
    operation on one takes a hundred cycles.
    """
    mode = _get_mode()
    _set_mode(mode | _FLUSH)
    return mode


@njit(nogil=True)
def restore_mode(mode):
    """Undo :func:`flush_subnormals`."""
    _set_mode(mode)
