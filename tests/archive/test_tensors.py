"""Arrays as bytes and back: as safetensors reads them, and refused where it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from safetensors.numpy import load

from shrinkage.archive.records import Unreadable
from shrinkage.archive.tensors import packed, unpacked

SOME = st.dictionaries(
    st.text(min_size=1, max_size=5),
    st.sampled_from((np.float32, np.float64, np.int32, np.int64)).flatmap(
        lambda kind: arrays(kind, array_shapes(min_dims=0, min_side=0, max_side=4))
    ),
    max_size=4,
)


def content_of(**places):
    """A file of 24 bytes of numbers, whose header says what and where they are."""
    header = json.dumps(
        {
            name: {"dtype": kind, "shape": shape, "data_offsets": offsets}
            for name, (kind, shape, offsets) in places.items()
        }
    ).encode()
    return len(header).to_bytes(8, "little") + header + bytes(range(24))


def assert_read_alike(content):
    mine, theirs = unpacked(content), load(content)
    assert mine.keys() == theirs.keys()
    for name, values in theirs.items():
        found = mine[name]
        assert (found.dtype, found.shape, found.tobytes()) == (
            values.dtype,
            values.shape,
            values.tobytes(),
        )
        assert found.flags.aligned
        assert found.flags.writeable


@given(SOME)
def test_what_was_packed_comes_back(given_arrays):
    content = packed(given_arrays)
    assert_read_alike(content)
    assert unpacked(content).keys() == given_arrays.keys()
    for name, values in unpacked(content).items():
        assert values.tobytes() == given_arrays[name].tobytes()


def test_equal_headers_have_numbers_of_their_own():
    first, second = (packed({"a": np.full(3, value), "b": np.arange(3)}) for value in (1.0, 2.0))
    mine, again, other = unpacked(first), unpacked(first), unpacked(second)
    mine["a"][:] = 9.0
    assert again["a"].tolist() == [1.0] * 3
    assert other["a"].tolist() == [2.0] * 3
    assert mine["b"].tolist() == [0, 1, 2]


def test_numbers_that_begin_in_between_are_read_as_well():
    """Compiled kernels are made for arrays that begin where their numbers do."""
    for spaces in range(8):
        content = content_of(**{"a" * (1 + spaces): ("F64", [3], [0, 24])})
        assert_read_alike(content)
    assert_read_alike(
        content_of(a=("F32", [1], [0, 4]), b=("I64", [2], [4, 20]), c=("F32", [1], [20, 24]))
    )


def test_a_header_too_long_to_remember_is_read_as_well():
    assert_read_alike(packed({"a" * 5000: np.arange(3.0)}))


GOOD = content_of(a=("F64", [3], [0, 24]))


@pytest.mark.parametrize(
    "content",
    [
        None,
        3,
        "text",
        b"",
        b"\xff" * 40,
        GOOD[:-1],
        GOOD + b"\0",
        GOOD[:20],
        content_of(a=("F64", [4], [0, 24])),
        content_of(a=("F64", [3], [0, 32])),
        content_of(a=("F64", [3], [-8, 16])),
        content_of(a=("F64", [2], [0, 16]), b=("F64", [2], [8, 24])),
        content_of(a=("F64", [1 << 61], [0, 24])),
        content_of(a=("NONE", [3], [0, 24])),
        content_of(a=("F64", "3", [0, 24])),
    ],
    ids=str,
)
def test_anything_else_is_unreadable(content):
    assert unpacked(GOOD)["a"].size == 3  # its header is known, and helps nobody
    with pytest.raises(Unreadable):
        unpacked(content)
