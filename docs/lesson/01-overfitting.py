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
# # Overfitting, and how capacity brings it
#
# A network overfits when it does well on the rows that it was trained on and worse on rows that
# it has not seen, as a student does who learns a book by heart and meets another question in
# the exam. The more units a network has, the finer the patterns that it can follow, down to the
# noise of single rows.
#
# Here: networks of one hidden layer with 1, 10, 50, 256 and 1,000 units on 100 points of two
# moons. Nothing holds them back.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import make_moons

from shrinkage import ShrinkageClassifier
from shrinkage.displays import DecisionBoundaryDisplay
from shrinkage.intervals import independent_interval
from shrinkage.verify.complexity import complexity, fine_plane

SMALL = os.environ.get("SHRINKAGE_LESSON_SMALL") == "1"  # tiny runs, to see that all works
SEEDS, EPOCHS = (2, 30) if SMALL else (10, 2_000)
WIDTHS = (1, 10, 50, 256, 1_000)


def moons(seed, rows=100):
    """Two moons with noise; another seed is another draw."""
    return make_moons(rows, noise=0.25, random_state=seed)


# %% [markdown]
# ## The boundaries
#
# All five networks see the same 100 points, for 2,000 epochs of Adam with learning rate 0.01.
# Colours are the probability of class 1; the line is where it is one half.


# %%
def network(width, seed):
    """One hidden layer, no penalty, trained for long."""
    return ShrinkageClassifier(
        penalty=None, hidden_layer_sizes=(width,), learning_rate="constant",
        learning_rate_init=0.01, batch_size=32, max_iter=EPOCHS, standardize=False,
        random_state=seed,
    )  # fmt: skip


X, y = moons(seed=0)
figure, axes = plt.subplots(2, 3, figsize=(9, 5.4), layout="constrained")
for ax, width in zip(axes.flat, WIDTHS, strict=False):
    ax.set_title(f"{width:,} unit{'s' if width > 1 else ''}")
    DecisionBoundaryDisplay.from_estimator(network(width, seed=0).fit(X, y), X, y, ax=ax)
    ax.get_legend().remove()
_ = axes.flat[-1].axis("off")

# %% [markdown]
# ## Numbers for it
#
# One picture proves little. So each width is trained on ten draws of the points, each with its
# own first weights. Measured are the accuracy on the training rows and on 10,000 fresh ones,
# the length of the boundary for each unit of the plane's area, and its islands: closed regions
# around at most five training rows.

# %%
rows = []
for seed in range(SEEDS):
    X, y = moons(seed)
    X_test, y_test = moons(1_000 + seed, rows=10_000)
    for width in WIDTHS:
        model = network(width, seed).fit(X, y)
        data = model.study_.data
        shape = complexity(model.fit_, fine_plane(data), data)
        rows.append(
            {
                "units": width,
                "training accuracy": model.score(X, y),
                "test accuracy": model.score(X_test, y_test),
                "boundary length": shape.length,
                "islands": shape.islands,
            }
        )
measured = pd.DataFrame(rows)
measured["gap"] = measured["training accuracy"] - measured["test accuracy"]
measured.groupby("units").mean().round(3)

# %%
mean, spread = (getattr(measured.groupby("units"), name)() for name in ("mean", "std"))
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
for name, style in (("training accuracy", "o--"), ("test accuracy", "o-")):
    left.errorbar(mean.index, mean[name], spread[name], fmt=style, capsize=3, label=name)
left.set(xscale="log", xlabel="units", ylabel="accuracy (± SD of seeds)")
left.legend()
right.errorbar(mean.index, mean["boundary length"], spread["boundary length"], fmt="o-", capsize=3)
_ = right.set(xscale="log", xlabel="units", ylabel="boundary length per area")

# %% [markdown]
# ## The verdict of a diagnosis
#
# With rows to validate on, an estimator says itself whether the network without a penalty
# overfits.

# %%
X, y = moons(seed=0)
X_val, y_val = moons(seed=500, rows=500)
model = network(256, seed=0).set_params(penalty="l2", lam=0.02)
print(model.fit(X, y, X_val=X_val, y_val=y_val).diagnosis_.sentence)

# %% [markdown]
# ## What was measured

# %%
gaps = {
    width: independent_interval(100 * own["gap"].to_numpy())
    for width, own in measured.groupby("units")
}
lengths = {width: own["boundary length"].to_numpy() for width, own in measured.groupby("units")}
longer = independent_interval(lengths[1_000] / lengths[1])
wider = independent_interval(
    100
    * np.subtract(
        *(
            measured.loc[measured.units == width, "test accuracy"].to_numpy()
            for width in (1_000, 10)
        )
    )
)
print(f"Gap between training and test accuracy, 1 unit: {gaps[1]} points")
print(f"Gap between training and test accuracy, 1,000 units: {gaps[1_000]} points")
print(f"Boundary with 1,000 units, as a multiple of that with 1: {longer}")
print(f"Test accuracy with 1,000 units less that with 10: {wider} points")
print("(means over the seeds with 95 % intervals)")
