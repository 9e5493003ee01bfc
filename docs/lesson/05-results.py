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
# # What L2 does: boundary, weights, density
#
# The lesson's experiment: two moons of 100 points, two hidden layers of 128 units, 2,000
# epochs, once without a penalty and once with Keras' `l2(0.01)`, which is λ = 0.02 here.

# %%
import os

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import make_moons

from shrinkage import ShrinkageClassifier
from shrinkage.conventions import convert
from shrinkage.displays import DecisionBoundaryDisplay, WeightDistributionDisplay
from shrinkage.intervals import independent_interval
from shrinkage.verify.complexity import complexity, fine_plane

SMALL = os.environ.get("SHRINKAGE_LESSON_SMALL") == "1"  # tiny runs, to see that all works
SEEDS, EPOCHS = (2, 30) if SMALL else (10, 2_000)
LAM = convert(0.01, "keras.l2", "shrinkage.l2").value


def moons(seed, rows=100):
    """Two moons with noise; another seed is another draw."""
    return make_moons(rows, noise=0.25, random_state=seed)


def network(seed, **settings):
    """The lesson's network, with its L2 unless told otherwise."""
    lesson = {
        "penalty": "l2", "lam": LAM, "learning_rate": "constant", "learning_rate_init": 0.01,
        "batch_size": 32, "max_iter": EPOCHS, "standardize": False, "random_state": seed,
    }  # fmt: skip
    return ShrinkageClassifier(**lesson | settings)


X, y = moons(seed=0)
X_val, y_val = moons(seed=500, rows=500)
plain = network(0, penalty=None).fit(X, y)
# With rows to validate on, the same network without the penalty is trained beside it.
penalized = network(0).fit(X, y, X_val=X_val, y_val=y_val)

# %% [markdown]
# ## The boundary
#
# Without a penalty it bends around single points. With it, it is smooth, and probabilities
# change slowly.

# %%
figure, axes = plt.subplots(1, 2, figsize=(8.5, 3.4), layout="constrained")
for ax, model, title in zip(axes, (plain, penalized), ("no penalty", f"L2, λ = {LAM:g}")):
    ax.set_title(title)
    DecisionBoundaryDisplay.from_estimator(model, X, y, ax=ax)

# %% [markdown]
# ## The weights
#
# The first kernel: box plots above, the density below. Boxes hold the middle half, whiskers
# 98 %, dotted lines all weights.

# %%
figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
shown = WeightDistributionDisplay.from_estimator(penalized, kernel="layer 1 kernel", ax=ax)

# %% [markdown]
# ## Ten seeds
#
# Each seed draws new points and new first weights, for both networks the same.

# %%
rows = []
for seed in range(SEEDS):
    X, y = moons(seed)
    X_test, y_test = moons(1_000 + seed, rows=10_000)
    for name, settings in (("no penalty", {"penalty": None}), ("L2", {})):
        model = network(seed, **settings).fit(X, y)
        data, kernel = model.study_.data, model.coefs_[0]
        shape = complexity(model.fit_, fine_plane(data), data)
        rows.append(
            {
                "penalty": name,
                "seed": seed,
                "least weight": kernel.min(),
                "largest weight": kernel.max(),
                "SD of weights": kernel.std(),
                "boundary length": shape.length,
                "islands": shape.islands,
                "training accuracy": model.score(X, y),
                "test accuracy": model.score(X_test, y_test),
            }
        )
measured = pd.DataFrame(rows).set_index(["penalty", "seed"])
measured.groupby("penalty", sort=False).agg(["mean", "std"]).T.unstack().round(3)

# %% [markdown]
# ## What was measured

# %%
without, with_it = measured.loc["no penalty"], measured.loc["L2"]
narrower = independent_interval((without["SD of weights"] / with_it["SD of weights"]).to_numpy())
shorter = independent_interval(
    100 * (1 - with_it["boundary length"] / without["boundary length"]).to_numpy()
)
gain = independent_interval(100 * (with_it["test accuracy"] - without["test accuracy"]).to_numpy())
print(f"The spread of the first kernel shrinks {narrower} times.")
print(f"The boundary is {shorter} % shorter.")
print(
    f"Islands: {without['islands'].mean():.1f} a network without a penalty, "
    f"{with_it['islands'].mean():.1f} with it."
)
print(f"Test accuracy changes by {gain} points.")
print("(means over the seeds with 95 % intervals)")
