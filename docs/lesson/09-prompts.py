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
# # The two learning prompts
#
# 1. Why does forcing weights towards zero lead to simpler models?
# 2. How does regularization interact with dropout: beneficial or redundant?

# %%
import os
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.datasets import make_moons
from sklearn.metrics import log_loss

from shrinkage import ShrinkageClassifier
from shrinkage.conventions import convert
from shrinkage.displays import DecisionBoundaryDisplay
from shrinkage.intervals import independent_interval
from shrinkage.network import layout
from shrinkage.verify.complexity import complexity, fine_plane
from shrinkage.verify.smoothness import jacobian_norms

SMALL = os.environ.get("SHRINKAGE_LESSON_SMALL") == "1"  # tiny runs, to see that all works
SEEDS, EPOCHS = (2, 30) if SMALL else (10, 2_000)


def moons(seed, rows=100):
    """Two moons with noise; another seed is another draw."""
    return make_moons(rows, noise=0.25, random_state=seed)


def network(seed, **settings):
    """The lesson's network."""
    lesson = {
        "learning_rate": "constant", "learning_rate_init": 0.01, "batch_size": 32,
        "max_iter": EPOCHS, "standardize": False, "random_state": seed,
    }  # fmt: skip
    return ShrinkageClassifier(**lesson | settings)


def here(keras_l2):
    """This package's λ for a number of Keras' `l2`."""
    return convert(keras_l2, "keras.l2", "shrinkage.l2").value


# %% [markdown]
# ## Why small weights mean simple functions
#
# A network of two hidden layers computes
#
# $$f(x) = W_3\, \sigma(W_2\, \sigma(W_1 x + b_1) + b_2) + b_3,$$
#
# and relu nowhere has a slope above 1. So its own slope is at most
#
# $$\|\nabla f(x)\| \le \|W_3\| \cdot \|W_2\| \cdot \|W_1\|,$$
#
# whatever the biases are. Small weights are a small bound; a function of small slope cannot
# bend around single points, for that takes steep ways up and down within short distances. The
# bound is far from tight, so what is it worth? Along a path of λ the norm of the weights, the
# slope at the training rows and the length of the boundary are measured.


# %%
def slope(model, points):
    """Mean norm of the gradient of the log odds at `points`."""
    return jacobian_norms(model.fit_, points).mean()


PATH = (0, 0.01, 0.1) if SMALL else (0, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03)
rows = []
for seed in range(SEEDS):
    X, y = moons(seed)
    for strength in PATH:
        model = network(seed, lam=here(strength)).fit(X, y)
        data = model.study_.data
        rows.append(
            {
                "l2": strength,
                "seed": seed,
                "weight norm": np.sqrt(sum((k.astype(float) ** 2).sum() for k in model.coefs_[:2])),
                "slope": slope(model, X),
                "boundary length": complexity(model.fit_, fine_plane(data), data).length,
            }
        )
path = pd.DataFrame(rows)
path.groupby("l2").mean().drop(columns="seed").round(3)

# %%
figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
for ax, name in zip(axes, ("slope", "boundary length"), strict=True):
    dots = ax.scatter(
        path["weight norm"], path[name], c=np.log10(path["l2"] + 1e-5), cmap="cividis"
    )
    ax.set(xscale="log", xlabel="norm of the hidden weights", ylabel=name)
    ax.set_xticks([2, 5, 10, 20, 50], ["2", "5", "10", "20", "50"])
    ax.xaxis.set_minor_formatter("")
axes[0].set_yscale("log")
bar = figure.colorbar(dots, ax=axes, label="log₁₀ of l2 + 0.00001")

# %% [markdown]
# ### One network, shrunk by hand
#
# A path compares different networks. So take one that overfits, and multiply its hidden weights
# by s, from 1 down, with nothing trained anew. The slope falls with s. The boundary moves, for
# biases stay as they are, and its bends widen.

# %%
X, y = moons(seed=0)
model = network(0, penalty=None).fit(X, y)
hidden = layout(model.fit_.trial.network).penalized
trained = model.fit_.parameters.copy()
SHARES = (1.0, 0.8, 0.6, 0.4)
slopes = {}
figure, axes = plt.subplots(1, len(SHARES), figsize=(12, 2.8), layout="constrained")
for ax, share in zip(axes, SHARES, strict=True):
    model.fit_.parameters[:] = trained
    model.fit_.parameters[hidden] *= np.float32(share)
    model.predictor_.parameters[:] = model.fit_.parameters
    slopes[share] = slope(model, X)
    ax.set_title(f"s = {share:g}, slope {slopes[share]:.1f}")
    DecisionBoundaryDisplay.from_estimator(model, X, y, ax=ax, grid_resolution=80)
    ax.get_legend().remove()

# %% [markdown]
# ## Dropout and a penalty together
#
# Both keep a network from relying on single units. Do they help each other? A grid of both, on
# the same draws, judged by the loss on fresh rows.

# %%
DROPOUTS = (0.0, 0.3) if SMALL else (0.0, 0.2, 0.5)
STRENGTHS = (0.0, 0.01) if SMALL else (0.0, 0.001, 0.003, 0.01, 0.03)
rows = []
for seed in range(SEEDS):
    X, y = moons(seed)
    X_test, y_test = moons(1_000 + seed, rows=10_000)
    for dropout, strength in product(DROPOUTS, STRENGTHS):
        model = network(seed, dropout=dropout, lam=here(strength)).fit(X, y)
        loss = log_loss(y_test, model.predict_proba(X_test))
        rows.append({"dropout": dropout, "l2": strength, "seed": seed, "test loss": loss})
grid = pd.DataFrame(rows).pivot_table(index="seed", columns=["dropout", "l2"], values="test loss")
means = grid.mean().unstack()
figure, ax = plt.subplots(figsize=(6, 2.6), layout="constrained")
ax.imshow(np.log10(means), cmap="cividis_r", aspect="auto")
ax.set_xticks(range(len(STRENGTHS)), [f"{strength:g}" for strength in STRENGTHS])
ax.set_yticks(range(len(DROPOUTS)), [f"{dropout:g}" for dropout in DROPOUTS])
ax.set(xlabel="l2 in Keras' numbers", ylabel="dropout", title="test loss in nats")
for (row, column), value in np.ndenumerate(means.to_numpy()):
    ax.text(column, row, f"{value:.3f}", ha="center", va="center",
            bbox={"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 1})  # fmt: skip

# %% [markdown]
# ## What was measured

# %%
for name in ("slope", "boundary length"):
    ranks = [spearmanr(own["weight norm"], own[name]).statistic for _, own in path.groupby("seed")]
    print(f"Rank correlation of weight norm and {name}: {independent_interval(np.array(ranks))}")
print(
    f"One network shrunk to {SHARES[-1]:g} of its hidden weights: "
    f"slope {slopes[1.0]:.1f} → {slopes[SHARES[-1]]:.1f}"
)
alone = {
    "dropout alone": min(((d, 0.0) for d in DROPOUTS), key=grid.mean().get),
    "L2 alone": min(((0.0, s) for s in STRENGTHS), key=grid.mean().get),
}
best = min(((d, s) for d in DROPOUTS[1:] for s in STRENGTHS[1:]), key=grid.mean().get)
for name, cell in alone.items():
    gain = independent_interval((grid[cell] - grid[best]).to_numpy())
    print(
        f"Test loss of {name} (dropout {cell[0]:g}, l2 {cell[1]:g}) less that of the best of both "
        f"(dropout {best[0]:g}, l2 {best[1]:g}): {gain.with_unit('nats')}"
    )
print("(means over the seeds with 95 % intervals; the best cells were chosen on the same rows)")
