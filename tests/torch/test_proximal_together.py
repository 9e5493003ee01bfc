"""Proximal optimizers on moons beside the engine, and in two processes beside one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from benchmarks.proximal import objective, train_in_torch
from torch import nn

from shrinkage import L1, ElasticNet, Network, Training
from shrinkage.data import bundled, prepare
from shrinkage.engine.pool import run_trial
from shrinkage.network import layout
from shrinkage.penalties import Penalty
from shrinkage.study import Trial
from shrinkage.torch import Proximal


@pytest.mark.parametrize("penalty", [L1(), ElasticNet(0.8)], ids=lambda p: p.name)
def test_on_moons_it_gets_where_the_engine_gets(penalty: Penalty) -> None:
    table, target = bundled("moons", samples=120)
    data = prepare(table, target, name="moons")
    part = data.part(0)
    training = Training(data.loss, epochs=60, learning_rate=0.02)
    trial = Trial(Network(2, (24, 24)), training, penalty, 0.005, 0, seed=3)
    fit = run_trial(trial, part)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    found = train_in_torch(trial, part)
    torch.set_num_threads(before)
    ours, theirs = objective(trial, part, fit.parameters), objective(trial, part, found)
    assert theirs == pytest.approx(ours, rel=0.01)
    hidden = layout(trial.network).penalized
    zeros = [float(np.mean(p[hidden] == 0)) for p in (fit.parameters, found)]
    assert zeros[1] == pytest.approx(zeros[0], abs=0.02)
    assert zeros[1] > 0.8


def rows() -> tuple[torch.Tensor, torch.Tensor]:
    draws = torch.Generator().manual_seed(0)
    inputs = torch.randn(16, 3, generator=draws)
    return inputs, inputs[:, :1].square()


def trained(module: nn.Module, which: slice) -> torch.Tensor:
    """The hidden kernel after ten steps on some of the rows."""
    optimizer = Proximal(
        torch.optim.Adam(module.parameters(), lr=0.05), module, ElasticNet(), lam=0.1
    )
    inputs, targets = rows()
    for _ in range(10):
        optimizer.zero_grad()
        nn.functional.mse_loss(module(inputs[which]), targets[which]).backward()
        optimizer.step()
    return optimizer.penalized.places[0].tensor.detach().clone()


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))


def one_of_two(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2
    )
    module = nn.parallel.DistributedDataParallel(network())
    torch.save(trained(module, slice(8 * rank, 8 * rank + 8)), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


@pytest.mark.slow  # two processes that each import PyTorch
def test_two_processes_stay_together_and_with_one(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(one_of_two, args=(str(tmp_path),), nprocs=2)
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    assert torch.equal(first, second)
    torch.testing.assert_close(first, trained(network(), slice(None)), rtol=1e-3, atol=1e-5)
    assert bool((first == 0).any())
