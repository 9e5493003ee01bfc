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
# # Choosing λ
#
# Too small a λ leaves the network to overfit, too large a one keeps it from learning at all.
# The lesson's advice: begin with 0.01, raise it while the network overfits, lower it when it
# underfits. A cross-validation does that on its own.
#
# λ is written in Keras' numbers here, as in `l2(0.01)`; this package's λ is twice that.

# %%
import os

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import make_moons
from sklearn.metrics import log_loss
from sklearn.model_selection import RepeatedStratifiedKFold

from shrinkage import ShrinkageClassifier, ShrinkageClassifierCV
from shrinkage.conventions import convert
from shrinkage.displays import DecisionBoundaryDisplay, LambdaPathDisplay
from shrinkage.intervals import independent_interval

SMALL = os.environ.get("SHRINKAGE_LESSON_SMALL") == "1"  # tiny runs, to see that all works
SEEDS, EPOCHS = (2, 30) if SMALL else (10, 2_000)
LESSON = {
    "learning_rate": "constant", "learning_rate_init": 0.01, "batch_size": 32,
    "max_iter": EPOCHS, "standardize": False,
}  # fmt: skip
"""Two hidden layers of 128 units, trained as the lesson does."""


def moons(seed, rows=100):
    """Two moons with noise; another seed is another draw."""
    return make_moons(rows, noise=0.25, random_state=seed)


def here(keras_l2):
    """This package's λ for a number of Keras' `l2`."""
    return convert(keras_l2, "keras.l2", "shrinkage.l2").value


# %% [markdown]
# ## The lesson's four: 0, 0.01, 0.1 and 1

# %%
X, y = moons(seed=0)
figure, axes = plt.subplots(1, 4, figsize=(12, 2.8), layout="constrained")
for ax, strength in zip(axes, (0, 0.01, 0.1, 1), strict=True):
    ax.set_title(f"l2({strength:g}), λ = {here(strength):g}")
    model = ShrinkageClassifier(lam=here(strength), random_state=0, **LESSON).fit(X, y)
    DecisionBoundaryDisplay.from_estimator(model, X, y, ax=ax, grid_resolution=80)
    ax.get_legend().remove()

# %% [markdown]
# ## A path with cross-validation
#
# Each λ is judged on rows that it was not trained on, in five folds, four times over.
# Validation loss is high at both ends: at the left the network overfits, at the right it
# underfits. Losses are free of the penalty. (Keras adds the penalty to `loss` and to
# `val_loss`; compared by those, a small λ looks better than it is.)

# %%
STRENGTHS = (0.001, 0.1) if SMALL else (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)


def chosen(seed, repeats=1):
    """λ by cross-validation on one draw."""
    folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=repeats, random_state=seed)
    model = ShrinkageClassifierCV(
        lambdas=[here(strength) for strength in STRENGTHS], cv=folds, random_state=seed, **LESSON
    )
    return model.fit(*moons(seed))


model = chosen(seed=0, repeats=1 if SMALL else 4)
figure, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
shown = LambdaPathDisplay.from_estimator(model, ax=ax)
print(model.diagnosis_.sentence)
print(model.selection_.sentence)

# %% [markdown]
# ## Ten draws
#
# For every draw: no penalty, the lesson's 0.01, 0.1 and 1, and the λ that the cross-validation
# chose, all tested on 10,000 fresh rows.

# %%
rows, taken = [], []
for seed in range(SEEDS):
    X, y = moons(seed)
    X_test, y_test = moons(1_000 + seed, rows=10_000)
    models = {
        f"l2({strength:g})": ShrinkageClassifier(
            lam=here(strength), random_state=seed, **LESSON
        ).fit(X, y)
        for strength in (0, 0.01, 0.1, 1)
    }
    models["cross-validated"] = chosen(seed)
    taken.append(models["cross-validated"].lambda_ / 2)
    for name, model in models.items():
        rows.append(
            {
                "λ": name,
                "seed": seed,
                "training accuracy": model.score(X, y),
                "test accuracy": model.score(X_test, y_test),
                "test loss": log_loss(y_test, model.predict_proba(X_test)),
            }
        )
measured = pd.DataFrame(rows).set_index(["λ", "seed"])
measured.groupby("λ", sort=False).mean().round(3)

# %% [markdown]
# ## What was measured

# %%
for name in measured.index.unique("λ"):
    own = measured.loc[name]
    training, test = (
        independent_interval(100 * own[f"{rows} accuracy"].to_numpy())
        for rows in ("training", "test")
    )
    print(f"{name}: training accuracy {training} %, test accuracy {test} %")
gain = independent_interval(
    (measured.loc["l2(0)", "test loss"] - measured.loc["cross-validated", "test loss"]).to_numpy()
)
print(f"Cross-validation lowers the test loss by {gain.with_unit('nats')} against no penalty.")
print("It chose, in Keras' numbers:", ", ".join(f"{strength:g}" for strength in sorted(taken)))
print("(means over the seeds with 95 % intervals)")
