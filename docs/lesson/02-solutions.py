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
# # Why networks overfit, and what helps
#
# Two hidden layers of 128 units have 17,025 parameters. One hundred points cannot determine so
# many, so among all networks that fit them perfectly training finds some one, and nothing says
# that it is simple. There are two ways out: more rows, or less freedom.
#
# | way | what it does |
# |---|---|
# | more rows | the pattern is seen more often than the noise |
# | augmentation | new rows are made from those that there are; of points, by shaking them |
# | dropout | in every step half of the units, say, are left out |
# | early stopping | training ends when the loss on validation rows no longer falls |
# | a penalty | large weights cost something |

# %%
import os

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import make_moons
from sklearn.metrics import log_loss

from shrinkage import ShrinkageClassifier
from shrinkage.conventions import convert
from shrinkage.displays import LearningCurveDisplay
from shrinkage.intervals import independent_interval

SMALL = os.environ.get("SHRINKAGE_LESSON_SMALL") == "1"  # tiny runs, to see that all works
SEEDS, EPOCHS = (2, 30) if SMALL else (10, 2_000)
ROWS = (50, 100, 200) if SMALL else (50, 100, 200, 400, 800, 1_600)
LAM = convert(0.01, "keras.l2", "shrinkage.l2").value


def moons(seed, rows=100):
    """Two moons with noise; another seed is another draw."""
    return make_moons(rows, noise=0.25, random_state=seed)


def network(seed, **settings):
    """The lesson's network, without a penalty unless one is given."""
    lesson = {
        "penalty": None, "learning_rate": "constant", "learning_rate_init": 0.01,
        "batch_size": 32, "max_iter": EPOCHS, "standardize": False, "random_state": seed,
    }  # fmt: skip
    return ShrinkageClassifier(**lesson | settings)


print(f"Keras' l2(0.01), which has no ½, is λ = {LAM:g} here: (λ/2) Σ w².")

# %% [markdown]
# ## Loss, epoch by epoch
#
# Training and validation part early. Without a penalty the validation loss rises to many times
# its least value: the network is wrong on few rows, but ever surer of itself there. Losses are
# drawn without the penalty.

# %%
X, y = moons(seed=0)
X_val, y_val = moons(seed=500, rows=500)
both = network(0, penalty="l2", lam=LAM).fit(X, y, X_val=X_val, y_val=y_val)
figure, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
display_ = LearningCurveDisplay.from_estimator(both, ax=ax)

# %% [markdown]
# ## More rows
#
# The same number of steps each, so that rows are all that differs.

# %%
found = []
for seed in range(SEEDS):
    X_test, y_test = moons(1_000 + seed, rows=10_000)
    for rows in ROWS:
        X, y = moons(seed, rows)
        model = network(seed, max_iter=max(1, EPOCHS * 100 // rows)).fit(X, y)
        found.append(
            {
                "rows": rows,
                "training accuracy": model.score(X, y),
                "test accuracy": model.score(X_test, y_test),
            }
        )
by_rows = pd.DataFrame(found).groupby("rows").agg(["mean", "std"])
by_rows.round(3)

# %%
figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
for name, style in (("training accuracy", "o--"), ("test accuracy", "o-")):
    ax.errorbar(by_rows.index, by_rows[name]["mean"], by_rows[name]["std"], fmt=style, capsize=3,
                label=name)  # fmt: skip
ax.set(xscale="log", xlabel="training rows", ylabel="accuracy (± SD of seeds)")
_ = ax.legend()

# %% [markdown]
# ## Less freedom
#
# Five ways on the same hundred rows. Early stopping holds a fifth of them back to know when to
# stop; the others use them all.

# %%
WAYS = {
    "nothing": {},
    "shaken inputs": {"input_noise": 0.25},
    "dropout": {"dropout": 0.5},
    "early stopping": {
        "early_stopping": True, "n_iter_no_change": min(50, EPOCHS), "validation_fraction": 0.2
    },
    "L2": {"penalty": "l2", "lam": LAM},
}  # fmt: skip
found = []
for seed in range(SEEDS):
    X, y = moons(seed)
    X_test, y_test = moons(1_000 + seed, rows=10_000)
    for way, settings in WAYS.items():
        model = network(seed, **settings).fit(X, y)
        found.append(
            {
                "way": way,
                "seed": seed,
                "training accuracy": model.score(X, y),
                "test accuracy": model.score(X_test, y_test),
                "test loss": log_loss(y_test, model.predict_proba(X_test)),
            }
        )
ways = pd.DataFrame(found)
ways.groupby("way", sort=False).mean().drop(columns="seed").round(3)

# %% [markdown]
# ## What was measured

# %%
accuracy = ways.pivot_table(index="seed", columns="way", values="test accuracy")
loss = ways.pivot_table(index="seed", columns="way", values="test loss")
for way in list(WAYS)[1:]:
    gain = independent_interval(100 * (accuracy[way] - accuracy["nothing"]).to_numpy())
    ratio = independent_interval((loss[way] / loss["nothing"]).to_numpy())
    print(f"{way}: {gain} points of test accuracy over nothing, {ratio} of its test loss")
few, many = (by_rows["test accuracy"]["mean"][rows] for rows in (ROWS[0], ROWS[-1]))
print(f"Test accuracy with {ROWS[0]} rows {few:.3f}, with {ROWS[-1]:,} rows {many:.3f}")
print("(means over the seeds with 95 % intervals; losses in nats)")
