"""A file comes back as it was written, or is refused with a sentence."""

from __future__ import annotations

import json
import pickle
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors.numpy import save, save_file

from shrinkage import container
from shrinkage.errors import ShrinkageError

HEADER = {"λ": 0.1, "names": ["a", "ß", '"'], "deep": {"n": None, "yes": True, "big": 2**70}}
TENSORS = {
    "weights": np.arange(6, dtype=np.float32).reshape(2, 3),
    "nothing": np.empty((0, 3)),
    "alone": np.array(np.nan),
    "flags": np.array([True, False]),
    "counts": np.array([-1, 2**40]),
}


@pytest.fixture
def path(tmp_path):
    return container.write(tmp_path / "a.shrinkage", "example", HEADER, TENSORS)


def same(content):
    assert content.header == HEADER
    assert set(content.tensors) == set(TENSORS)
    for name, values in TENSORS.items():
        found = content.tensors[name]
        assert found.dtype == values.dtype
        assert found.shape == values.shape
        assert found.tobytes() == values.tobytes()


def test_what_was_written_comes_back(path):
    content = container.read(path, "example")
    same(content)
    assert {"shrinkage", "numpy"} <= set(content.versions)
    content.tensors["weights"][0] = 1.0  # and may be written to


def test_equal_content_makes_equal_files(path, tmp_path):
    order = dict(reversed(TENSORS.items()))
    again = container.write(tmp_path / "b", "example", dict(reversed(HEADER.items())), order)
    assert again.read_bytes() == path.read_bytes()


@given(
    st.dictionaries(
        st.text(),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.text()
            | st.floats(allow_nan=False, allow_infinity=False),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=10,
        ),
    ),
    arrays.arrays(
        st.sampled_from([np.float16, np.float32, np.float64, np.int8, np.uint64, np.bool_, ">f8"]),
        arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
    ),
)
def test_any_content_comes_back(tmp_path_factory, header, values):
    path = tmp_path_factory.mktemp("any") / "file"
    container.write(path, "any", header, {"values": values})
    content = container.read(path, "any")
    assert content.header == header
    np.testing.assert_array_equal(content.tensors["values"], values)
    assert content.tensors["values"].dtype == values.dtype.newbyteorder("=")


def test_every_prefix_is_refused(path):
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ShrinkageError, match=r"truncated|empty"):
            container.read(path, "example")


@given(st.data())
def test_a_flipped_bit_is_found_or_means_nothing(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("flipped") / "file"
    container.write(path, "example", HEADER, TENSORS)
    whole = bytearray(path.read_bytes())
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(whole)
    with suppress(ShrinkageError):
        same(container.read(path, "example"))


def test_every_byte_counts(path):
    """Each byte of the numbers and of what is said about them, and not only those drawn above."""
    whole = path.read_bytes()
    found = 0
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x04]) + whole[position + 1 :])
        try:
            same(container.read(path, "example"))
        except ShrinkageError:
            found += 1
    # What pads the JSON to a multiple of eight bytes may change.
    assert found >= len(whole) - 8


@given(st.binary(max_size=300))
def test_noise_is_refused(tmp_path_factory, noise):
    path = tmp_path_factory.mktemp("noise") / "file"
    path.write_bytes(noise)
    with pytest.raises(ShrinkageError):
        container.read(path, "example")


def test_additional_bytes_are_damage(path):
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ShrinkageError, match="damaged"):
        container.read(path, "example")


def pickled(path):
    path.write_bytes(pickle.dumps({"weights": [1.0]}))


def zipped(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data", "1")


def someone_elses(path):
    save_file({"x": np.ones(2)}, path, metadata={"format": "np"})


def no_metadata(path):
    save_file({"x": np.ones(2)}, path)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (pickled, "is a pickle, which can execute code"),
        (zipped, "is a zip archive"),
        (someone_elses, "is a safetensors file that something else wrote"),
        (no_metadata, "is a safetensors file that something else wrote"),
        (
            lambda path: path.write_text("age,income\n31,200\n"),
            "is not a file that shrinkage wrote",
        ),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda _: None, "there is no such file"),
    ],
)
def test_what_is_not_ours_is_refused(tmp_path, make, sentence):
    path = tmp_path / "other"
    make(path)
    with pytest.raises(ShrinkageError, match=sentence) as caught:
        container.read(path, "example")
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_pickle_is_not_run(tmp_path):
    class Harm:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "harm",))

    (tmp_path / "file").write_bytes(pickle.dumps(Harm()))
    with pytest.raises(ShrinkageError):
        container.read(tmp_path / "file", "example")
    assert not (tmp_path / "harm").exists()


def test_another_kind_is_refused(path):
    with pytest.raises(ShrinkageError, match="holds an example, and a study was asked for"):
        container.read(path, "study")


def test_a_later_format_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(container, "FORMAT", 2)
    path = container.write(tmp_path / "later", "example", HEADER, TENSORS)
    monkeypatch.undo()
    with pytest.raises(ShrinkageError, match=r"follows format 2 .* up to 1; update it to"):
        container.read(path, "example")


@pytest.mark.parametrize("said", [[], {}, {"format": "1"}, {"format": True, "kind": "example"}])
def test_a_file_that_says_nonsense_is_refused(tmp_path, said):
    path = tmp_path / "nonsense"
    path.write_bytes(save({"x": np.ones(1)}, metadata={"shrinkage": json.dumps(said)}))
    with pytest.raises(ShrinkageError, match="damaged"):
        container.read(path, "example")


def test_deep_nesting_is_refused(tmp_path):
    path = tmp_path / "deep"
    path.write_bytes(save({"x": np.ones(1)}, metadata={"shrinkage": "[" * 100_000}))
    with pytest.raises(ShrinkageError, match="damaged"):
        container.read(path, "example")


def test_nothing_half_written(path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    before = path.read_bytes()
    monkeypatch.setattr(container.os, "fsync", full)
    with pytest.raises(ShrinkageError, match="no space left on device; choose another place"):
        container.write(path, "example", {}, {})
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_an_interruption_leaves_nothing_behind(path, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(container.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        container.write(path.with_name("other"), "example", {}, {})
    assert list(path.parent.iterdir()) == [path]


def test_a_place_that_cannot_be_written_to(tmp_path):
    with pytest.raises(ShrinkageError, match="it is a folder; name a file in it"):
        container.write(tmp_path, "example", {}, {})
    with pytest.raises(ShrinkageError, match="no such file or directory; choose another place"):
        container.write(tmp_path / "missing" / "file", "example", {}, {})


@pytest.mark.parametrize("values", [np.array(["a"]), np.array([None]), np.array([1j])])
def test_only_numbers_are_written(tmp_path, values):
    with pytest.raises(ShrinkageError, match=r"'x' is an array of .* a file holds numbers"):
        container.write(tmp_path / "file", "example", {}, {"x": values})
    assert not list(tmp_path.iterdir())
