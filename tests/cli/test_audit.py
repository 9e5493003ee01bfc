"""`shrinkage audit`: what is printed, what fails a build, and code that cannot be loaded."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

TORCH = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(4, 8)
        self.answer = nn.Linear(8, 1)

def make():
    print("loading")
    model = Net()
    return model, torch.optim.AdamW(model.parameters())

def clean():
    model = Net()
    kernels = {"params": [model.hidden.weight], "weight_decay": 0.01}
    rest = {"params": [p for p in model.parameters() if p is not model.hidden.weight]}
    return model, torch.optim.SGD([kernels, rest], lr=0.1)

def penalized():
    from shrinkage import L1
    from shrinkage.torch import Penalized
    model = Net()
    return model, torch.optim.SGD(model.parameters()), Penalized(model, L1(), lam=0.01)

class Zoo:
    @staticmethod
    def make():
        return Net()

made = Net()
pair = (made, torch.optim.SGD(made.parameters(), weight_decay=0.1))
"""
KERAS = """
import keras

def make():
    model = keras.Sequential([
        keras.Input((4,)),
        keras.layers.Dense(8, name="hidden", kernel_regularizer="l2"),
        keras.layers.Dense(1, name="answer"),
    ])
    model.compile("adam", "mse")
    return model
"""
BAD = """
import json as imported

def raises(depth=2):
    if depth:
        raises(depth - 1)
    raise ValueError("the data\\nis not there.")

def leaves():
    import sys
    sys.exit("no licence")

def silent():
    raise KeyError

def number():
    return 3

def pair():
    return 3, "text"

def needs(size, *, depth=1):
    return size

def misses():
    import no_such_package

def nothing():
    pass
"""


@pytest.fixture
def write(command: Any) -> Iterator[Callable[[str, str], Path]]:
    """Writes a module into the working folder, which is forgotten afterwards."""
    path, known = list(sys.path), set(sys.modules)

    def file(name: str, code: str) -> Path:
        target: Path = command.folder / name
        target.parent.mkdir(exist_ok=True, parents=True)
        target.write_text(code, encoding="utf-8")
        return target

    yield file
    sys.path[:] = path
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(command.folder)):
            del sys.modules[name]


def rows(printed: str) -> dict[str, list[str]]:
    """The table's lines by their first cell."""
    lines = (re.split(r"  +", line) for line in printed.splitlines())
    return {first: rest for first, *rest in lines if rest}


# ------------------------------------------------------------------------------ what is printed


def test_a_torch_module(command: Any, write: Any) -> None:
    write("net.py", TORCH)
    outcome = command("audit", "net:make")
    assert outcome.code == 0
    assert outcome.err == "loading\n"  # what the user's code prints is no part of the answer
    head, optimizer = outcome.out.splitlines()[:2]
    assert head == "PyTorch Net: 4 parameters of 49 numbers, 32 of them in hidden kernels"
    assert optimizer == "Optimizer: AdamW(lr=0.001, weight_decay=0.01)"
    table = rows(outcome.out)
    assert table["hidden.weight"] == ["hidden kernel", "8 × 4", "a"]
    assert table["hidden.bias"] == ["bias", "8", "a", "1"]
    assert table["answer.weight"] == ["output kernel", "1 × 8", "a", "2"]
    assert table["a"] == ["AdamW(weight_decay=0.01)", "no λ: lr · wd = 0.00001 a step"]
    assert "1 warning: decay on biases." in outcome.out
    assert "    groups = parameter_groups(model, weight_decay=0.01)" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_a_wide_terminal_has_all_in_one_table(
    command: Any, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    write("net.py", TORCH)
    table = rows(command("audit", "net:make").out)
    decay = ["AdamW(weight_decay=0.01)", "no λ: lr · wd = 0.00001 a step"]
    assert table["hidden.bias"] == ["bias", "8", *decay, "1"]
    assert table["parameter"][-2:] == ["in one convention", "flag"]


def test_a_keras_model(command: Any, write: Any) -> None:
    write("knet.py", KERAS)
    outcome = command("audit", "knet:make")
    assert outcome.code == 0
    assert outcome.out.startswith("Keras sequential")
    assert rows(outcome.out)["a"] == ["kernel_regularizer=L2(0.01)", "λ₂ = 0.02"]
    assert "Optimizer: Adam(lr=0.001)" in outcome.out


@pytest.mark.parametrize(
    "name", ["net:Net", "net:made", "net:pair", "net:Zoo.make", "net.py:Net", "net:penalized"]
)
def test_what_may_be_named(command: Any, write: Any, name: str) -> None:
    write("net.py", TORCH)
    outcome = command("audit", name)
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("PyTorch Net: 4 parameters")
    assert ("Penalized(L1(), λ=0.01)" in outcome.out) == (name == "net:penalized")


@pytest.mark.parametrize("name", ["package.inner.net:Net", "package/inner/net.py:Net"])
def test_a_module_in_a_package(command: Any, write: Any, name: str) -> None:
    write("package/inner/net.py", TORCH)
    assert command("audit", name).code == 0


def test_nothing_to_say(command: Any, write: Any) -> None:
    write("net.py", TORCH)
    outcome = command("audit", "net:clean")
    assert outcome.out.endswith("Nothing is flagged.\n")


def test_as_json(command: Any, write: Any) -> None:
    write("net.py", TORCH)
    document = json.loads(command("audit", "net:make", "--json").out)
    assert document["framework"] == "PyTorch"
    assert document["parameters"][1]["flags"] == [1]
    assert document["flags"][0]["where"] == ["hidden.bias", "answer.bias"]


def test_the_output_layer(command: Any, write: Any) -> None:
    write("net.py", TORCH)
    document = json.loads(command("audit", "net:make", "--json", "--output", "hidden").out)
    kinds = {each["name"]: each["kind"] for each in document["parameters"]}
    assert (kinds["hidden.weight"], kinds["answer.weight"]) == ("output kernel", "hidden kernel")
    refused = command("audit", "net:Net", "--output", "anwser").refusal
    assert refused == "there is no layer 'anwser' to be the output; did you mean 'answer'?"


@pytest.mark.parametrize(
    ("name", "module", "code"),
    [("net:make", TORCH, 1), ("net:clean", TORCH, 0), ("k:make", KERAS, 0)],
)
def test_strict_fails_a_build_where_something_is_wrong(
    command: Any, write: Any, name: str, module: str, code: int
) -> None:
    write(f"{name.partition(':')[0]}.py", module)
    assert command("audit", name, "--strict").code == code  # the note on Keras' l2 alone is fine
    assert command("audit", name).code == 0


def test_names_from_strangers_do_not_move_the_terminal(command: Any, write: Any) -> None:
    write("net.py", TORCH + '\nclass Bad(Net): pass\nBad.__name__ = "a\\x1b[31m"\n')
    assert "\x1b" not in command("audit", "net:Bad").out


@pytest.mark.slow  # a process of its own
def test_one_framework_does_not_load_the_other(command: Any, write: Any) -> None:
    write("net.py", TORCH)
    code = (
        "import sys; from shrinkage.cli import main; main(['audit', 'net:make']);"
        "sys.exit(bool({'keras', 'jax', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=command.folder, capture_output=True)
    assert done.returncode == 0, done.stderr


# ---------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("net", "'net' does not say where the network is; write module:factory"),
        (":make", "does not say where the network is"),
        ("bad:", "does not say where the network is"),
        ("../bad.py:make", "is not the name of a module in the current folder"),
        ("bda:raises", "there is no module 'bda' in the current folder; did you mean 'bad'?"),
        ("bad.inner:make", "there is no module 'bad.inner' in the current folder"),
        ("bad:raisse", "'bad' has no 'raisse'; did you mean 'raises'?"),
        ("bad:raises.x", "'raises' has no 'x'"),
        (
            "bad:raises",
            "'bad:raises' raised ValueError: the data (bad.py, line 7); run the file with Python",
        ),
        ("bad:leaves", "'bad:leaves' raised SystemExit: no licence (bad.py, line 11)"),
        ("bad:silent", "'bad:silent' raised KeyError (bad.py, line 14)"),
        ("bad:number", "'bad:number' gives an int; expected a PyTorch module or a Keras model"),
        ("bad:pair", "'bad:pair' gives a tuple of an int and a str; expected"),
        ("bad:nothing", "'bad:nothing' gives a NoneType; expected"),
        ("bad:needs", "'bad:needs' needs arguments (size), and is called without any"),
        ("bad:misses", "raised ModuleNotFoundError: No module named 'no_such_package' (bad.py"),
        ("bad:imported", "'bad:imported' gives a module; expected"),
    ],
)
def test_code_that_cannot_be_used(command: Any, write: Any, name: str, said: str) -> None:
    write("bad.py", BAD)
    assert said in command("audit", name).refusal


def test_no_network_is_named(command: Any) -> None:
    refused = command("audit").refusal
    assert refused.startswith("which network? write module:factory, such as net:make; ")
    assert refused.endswith("shrinkage audit --help lists what there is")


def test_a_name_that_python_has_taken(command: Any, write: Any) -> None:
    write("json.py", TORCH)
    assert command("audit", "json:make").refusal == (
        "'json' is a module of Python or of a package that is loaded already, not json.py of this "
        "folder; give the file another name"
    )


def test_a_file_that_is_not_python(command: Any, write: Any) -> None:
    write("broken.py", "x = 1\ndef make(:\n    pass\n")
    assert "raised SyntaxError: invalid syntax" in command("audit", "broken:make").refusal
    assert "(broken.py, line 2)" in command("audit", "broken:make").refusal


def test_an_empty_folder(command: Any) -> None:
    assert "no file here ends with .py" in command("audit", "nothing_here:make").refusal


def test_a_missing_backend_is_named(command: Any, write: Any) -> None:
    write("net.py", "def make():\n    raise ModuleNotFoundError('No module', name='tensorflow')\n")
    assert command("audit", "net:make").refusal.endswith(
        "(net.py, line 2); set KERAS_BACKEND to a backend that is installed, such as torch or jax"
    )


def test_an_unbuilt_model(command: Any, write: Any) -> None:
    write("k.py", "import keras\nmodel = keras.Sequential([keras.layers.Dense(1)])\n")
    assert "is not built" in command("audit", "k:model").refusal


def test_a_wrong_optimizer(command: Any, write: Any) -> None:
    write("net.py", TORCH + "\nwrong = (Net(), 'adam')\n")
    assert command("audit", "net:wrong").refusal.startswith("expected an optimizer of torch.optim")
