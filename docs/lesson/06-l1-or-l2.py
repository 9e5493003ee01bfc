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
# # L1, L2, or both
#
# L2 makes all weights small. L1 makes many exactly zero, and with its last weight a unit goes,
# too. An elastic net does some of each. In Keras: `l1(0.01)`, `l2(0.01)`, `l1_l2(l1=0.01,
# l2=0.01)`. The last is λ = 0.03 here, of which a third is L1.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import make_moons

from shrinkage import ShrinkageClassifier
from shrinkage.compact import compact
from shrinkage.conventions import convert
from shrinkage.displays import DecisionBoundaryDisplay, WeightDistributionDisplay
from shrinkage.intervals import independent_interval

SMALL = os.environ.get("SHRINKAGE_LESSON_SMALL") == "1"  # tiny runs, to see that all works
SEEDS, EPOCHS = (2, 30) if SMALL else (10, 2_000)
NET = convert((0.01, 0.01), "keras.l1_l2", "shrinkage.elastic_net").values


def moons(seed, rows=100):
    """Two moons with noise; another seed is another draw."""
    return make_moons(rows, noise=0.25, random_state=seed)


def network(seed, **settings):
    """The lesson's network; λ rises from 0 over the first half of the training."""
    lesson = {
        "learning_rate": "constant", "learning_rate_init": 0.01, "lam_schedule": "linear",
        "batch_size": 32, "max_iter": EPOCHS, "standardize": False, "random_state": seed,
    }  # fmt: skip
    return ShrinkageClassifier(**lesson | settings)


# In Keras' numbers.
KINDS = {
    "no penalty": {"penalty": None},
    "L2 0.01": {"penalty": "l2", "lam": convert(0.01, "keras.l2", "shrinkage.l2").value},
    "L1 0.01": {"penalty": "l1", "lam": 0.01},
    "L1 0.003": {"penalty": "l1", "lam": 0.003},
    "L1 0.001": {"penalty": "l1", "lam": 0.001},
    "L1 0.01 + L2 0.01": {"penalty": "elasticnet", "lam": NET["λ"], "l1_ratio": NET["l1_ratio"]},
}

# %% [markdown]
# λ rises here from 0: an L1 that acts at full strength from the first step removes units before
# they have learnt anything.
#
# ## Which weights are zero
#
# The kernel between the hidden layers, 128 by 128. Every point is a weight that is not exactly
# zero, darker where it is larger.

# %%
X, y = moons(seed=0)
models = {name: network(0, **settings).fit(X, y) for name, settings in KINDS.items()}
figure, axes = plt.subplots(2, 3, figsize=(7.2, 5), layout="constrained")
for ax, (name, model) in zip(axes.flat, models.items(), strict=True):
    sizes = np.abs(model.coefs_[1])
    logs = np.log10(np.where(sizes > 0, sizes, np.nan))
    image = ax.imshow(logs, cmap="cividis_r", vmin=-3, vmax=0.5, interpolation="nearest")
    ax.set(title=f"{name}: {model.sparsity_:.1%} zeros", xticks=[], yticks=[])
_ = figure.colorbar(image, ax=axes, label="log₁₀ of the weight's size", shrink=0.6)

# %% [markdown]
# ## The boundaries

# %%
figure, axes = plt.subplots(2, 3, figsize=(9, 5.4), layout="constrained")
for ax, (name, model) in zip(axes.flat, models.items(), strict=True):
    ax.set_title(name)
    DecisionBoundaryDisplay.from_estimator(model, X, y, ax=ax, grid_resolution=80)
    ax.get_legend().remove()

# %% [markdown]
# ## The weights that are left

# %%
figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
X_val, y_val = moons(seed=500, rows=500)
beside = network(0, **KINDS["L1 0.001"]).fit(X, y, X_val=X_val, y_val=y_val)
shown = WeightDistributionDisplay.from_estimator(beside, ax=ax)

# %% [markdown]
# ## Ten seeds
#
# What a penalty leaves can be removed without changing any answer: units without incoming or
# without outgoing weights.

# %%
rows = []
for seed in range(SEEDS):
    X, y = moons(seed)
    X_test, y_test = moons(1_000 + seed, rows=10_000)
    for name, settings in KINDS.items():
        model = network(seed, **settings).fit(X, y)
        small = compact(model.fit_.trial.network, model.fit_.parameters)
        rows.append(
            {
                "penalty": name,
                "seed": seed,
                "exact zeros, %": 100 * model.sparsity_,
                "units left of 256": sum(small.network.hidden),
                "training accuracy": model.score(X, y),
                "test accuracy": model.score(X_test, y_test),
            }
        )
measured = pd.DataFrame(rows).set_index(["penalty", "seed"])
measured.groupby("penalty", sort=False).mean().round(3)

# %% [markdown]
# ## What was measured

# %%
mean = measured.groupby("penalty", sort=False).mean()
for name in KINDS:
    zeros = independent_interval(measured.loc[name, "exact zeros, %"].to_numpy())
    accuracy = independent_interval(100 * measured.loc[name, "test accuracy"].to_numpy())
    print(f"{name}: {zeros} % exact zeros, test accuracy {accuracy} %")
best_l1 = max(("L1 0.01", "L1 0.003", "L1 0.001"), key=mean["test accuracy"].get)
difference = independent_interval(
    100
    * (measured.loc[best_l1, "test accuracy"] - measured.loc["L2 0.01", "test accuracy"]).to_numpy()
)
print(f"{best_l1} less L2 0.01: {difference} points of test accuracy")
print("(means over the seeds with 95 % intervals; λ in Keras' numbers)")
