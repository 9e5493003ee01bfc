# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %%
try:
    import shrinkage
except ImportError:  # on Colab, for instance
    # %pip install -q "shrinkage[plot]"
    import shrinkage

print("shrinkage", shrinkage.__version__)

# %% [markdown]
# # The suggested exercises, answered
#
# 1. Other λ: 0.001, 0.01, 0.1
# 2. L1 against L2
# 3. Regularization together with dropout
# 4. Data of other complexity
#
# λ is in Keras' numbers: `l1(x)` is λ = x here, `l2(x)` is λ = 2x.

# %%
import os
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from shrinkage import L1, L2, train
from shrinkage.conventions import convert
from shrinkage.engine.pool import predict
from shrinkage.intervals import independent_interval
from shrinkage.lesson.toys import toy
from shrinkage.lesson.trials import lesson_trial

SMALL = os.environ.get("SHRINKAGE_LESSON_SMALL") == "1"  # tiny runs, to see that all works
SEEDS, EPOCHS = (2, 20) if SMALL else (10, 2_000)
STRENGTHS = (0.001, 0.01, 0.1)
PENALTIES = {"l1": L1(), "l2": L2()}


def here(kind, strength):
    """This package's λ for a number of Keras' `l1` or `l2`."""
    return convert(strength, f"keras.{kind}", f"shrinkage.{kind}").value


def tried(data, seed, kind=None, strength=0.0, **training):
    """A trial of the lesson's network: 2-128-128-1, Adam with 0.01, batches of 32."""
    penalty, lam = (PENALTIES[kind], here(kind, strength)) if kind else (None, 0.0)
    return lesson_trial(data, seed, penalty, lam, **{"epochs": EPOCHS} | training)


def tested(fit, data):
    """Accuracy on 10,000 fresh rows, in percent, and the loss there in nats."""
    truth = data.test.targets[:, 0]
    trial = fit.trial
    answers = predict(trial.network, fit.parameters, data.test.inputs, data.loss)[:, 0]
    sure = np.clip(np.where(truth == 1, answers, 1 - answers), 1e-7, 1).astype(np.float64)
    return 100 * np.mean((answers > 0.5) == truth), -np.log(sure).mean()


# %% [markdown]
# ## 1 to 3: λ, kind of penalty, dropout
#
# All fits of one draw are trained at once, on all cores.

# %%
rows = []
for seed in range(SEEDS):
    data = toy("moons", seed)
    cells = {}
    for dropout in (0.0, 0.3):
        cells[tried(data, seed, dropout=dropout)] = ("none", 0.0, dropout)
        for kind, strength in product(PENALTIES, STRENGTHS):
            # λ rises, so that L1 does not remove units before they have learnt anything.
            trial = tried(data, seed, kind, strength, dropout=dropout, lam_schedule="linear")
            cells[trial] = (kind, strength, dropout)
    for fit in train(cells, data):
        accuracy, loss = tested(fit, data)
        rows.append((*cells[fit.trial], seed, accuracy, loss, 100 * fit.sparsity))
names = ["penalty", "λ", "dropout", "seed", "test accuracy, %", "test loss", "exact zeros, %"]
first = pd.DataFrame(rows, columns=names).set_index(["penalty", "λ", "dropout", "seed"])
first = first.sort_index()
first.groupby(["penalty", "λ", "dropout"]).mean().unstack("dropout").round(3)

# %% [markdown]
# ## 4: other data
#
# Four problems, each with little and with much noise, and two moons with 100 to 2,000 rows.
# Each time the network without a penalty is held against `l2(0.001)` and `l2(0.01)`, with as
# many steps as on 100 rows.

# %%
NOISES = (0.1, 0.5) if SMALL else (0.1, 0.2, 0.3, 0.4, 0.5)
ROWS = (100, 400) if SMALL else (100, 250, 500, 1_000, 2_000)
problems = [
    (name, noise, 100) for name in ("moons", "circles", "spirals", "xor") for noise in NOISES
]
problems += [("moons", 0.25, count) for count in ROWS]


def compared(problem, noise, count):
    """Test accuracy and loss of each strength on each seed's draw."""
    found = []
    for seed in range(SEEDS):
        data = toy(problem, seed, rows=count, noise=noise)
        epochs = max(1, round(EPOCHS * 100 / count))
        trials = [tried(data, seed, epochs=epochs)]
        trials += [tried(data, seed, "l2", strength, epochs=epochs) for strength in (0.001, 0.01)]
        by_lam = {fit.trial.lam: tested(fit, data) for fit in train(trials, data)}
        found.append([by_lam[trial.lam] for trial in trials])
    return np.array(found)


scores = {problem: compared(*problem) for problem in problems}

# %%
table = pd.DataFrame(
    {
        problem: {
            "none, %": own[:, 0, 0].mean(),
            "l2(0.001), %": own[:, 1, 0].mean(),
            "l2(0.01), %": own[:, 2, 0].mean(),
            "gain of the better, points": (own[:, 1:, 0].mean(axis=0).max() - own[:, 0, 0].mean()),
        }
        for problem, own in scores.items()
    }
).T.rename_axis(["problem", "noise", "rows"])
table.round(1)

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
for name in ("moons", "circles", "spirals", "xor"):
    gains = [np.diff(scores[name, noise, 100][:, [0, 2], 0]).mean() for noise in NOISES]
    left.plot(NOISES, gains, "o-", label=name)
left.axhline(0, color="gray", linewidth=0.8)
left.set(xlabel="noise", ylabel="l2(0.01) over none, points", title="100 rows")
left.legend()
for place, name in enumerate(("none", "l2(0.001)", "l2(0.01)")):
    losses = [scores["moons", 0.25, count][:, place, 1].mean() for count in ROWS]
    right.plot(ROWS, losses, "o-", label=name)
right.set(xscale="log", yscale="log", xlabel="rows", ylabel="test loss (nats)",
          title="moons, noise 0.25")  # fmt: skip
_ = right.legend()

# %% [markdown]
# ## What was measured

# %%
accuracy, loss = first["test accuracy, %"], first["test loss"]
mean = accuracy.groupby(["penalty", "λ", "dropout"]).mean()
best = {kind: mean[kind].xs(0.0, level="dropout").idxmax() for kind in PENALTIES}
for kind, strength in best.items():
    gain = independent_interval(
        (accuracy[kind, strength, 0.0] - accuracy["none", 0.0, 0.0]).to_numpy()
    )
    print(f"1. Best {kind}: {strength:g}, {gain} points of test accuracy over no penalty")
apart = independent_interval(
    (accuracy["l2", best["l2"], 0.0] - accuracy["l1", best["l1"], 0.0]).to_numpy()
)
zeros = first["exact zeros, %"]["l1", best["l1"], 0.0].mean()
print(f"2. L2 over L1, each at its best: {apart} points; L1 leaves {zeros:.1f} % exact zeros")
for name, cell in (("no penalty", ("none", 0.0)), ("the best L2", ("l2", best["l2"]))):
    gain = independent_interval((loss[(*cell, 0.0)] - loss[(*cell, 0.3)]).to_numpy())
    print(f"3. Dropout 0.3 with {name} lowers the test loss by {gain.with_unit('nats')}")
helped = {
    problem: independent_interval((own[:, 2] - own[:, 0])[:, 0]) for problem, own in scores.items()
}
better = sum(gain.low > 0 for gain in helped.values())
worse = sum(gain.high < 0 for gain in helped.values())
print(
    f"4. l2(0.01) is surely better than no penalty on {better} of {len(helped)} problems, surely "
    f"worse on {worse}, and not told apart on {len(helped) - better - worse}"
)
print("(means over the seeds with 95 % intervals)")
