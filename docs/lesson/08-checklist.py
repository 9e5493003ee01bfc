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
# # The checklist
#
# The lesson ends with nine points, and with a way to work: detect overfitting, apply a penalty,
# tune λ, verify the result. Here all four steps are one study on 300 points of two moons, and
# each of the nine points is ticked or crossed by a number of that study.

# %%
import os

import matplotlib.pyplot as plt

from shrinkage import L2, Network, Training, diagnose, select
from shrinkage.data import bundled, prepare
from shrinkage.displays import (
    DecisionBoundaryDisplay,
    LambdaPathDisplay,
    LearningCurveDisplay,
    WeightDistributionDisplay,
)
from shrinkage.tune import Search, plan
from shrinkage.verify import verify

SMALL = os.environ.get("SHRINKAGE_LESSON_SMALL") == "1"  # tiny runs, to see that all works
EPOCHS = 30 if SMALL else 700

# %% [markdown]
# ## Apply
#
# Two hidden layers of 128 units, with the penalty on hidden kernels alone: no biases, not the
# output layer. Inputs are standardized by the rows that are trained on, and first weights drawn
# as suits relu. A fifth of the rows is set aside for the last step.

# %%
table, target = bundled("moons", samples=300, noise=0.25)
data = prepare(table, target, name="moons", folds=5, repeats=1 if SMALL else 4)
network = Network(data.full.n_inputs, (128, 128))
training = Training(data.loss, learning_rate=0.01, epochs=EPOCHS)
lambdas = (0.02, 0.2) if SMALL else (0.0006, 0.002, 0.006, 0.02, 0.06, 0.2, 0.6)
search = Search(
    data,
    plan(data, network=network, training=training, penalties=(L2(),), lambdas=lambdas, refits=3),
)
for _ in search:
    pass
study = search.study
print(f"{len(study.fits)} networks trained, each a {network}")

# %% [markdown]
# ## Detect
#
# Without a penalty, training and validation part.

# %%
print(diagnose(study).sentence)
figure, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
curves = LearningCurveDisplay.from_study(study, ax=ax)

# %% [markdown]
# ## Tune

# %%
selection = select(study)
print(selection.sentence)
figure, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
path = LambdaPathDisplay.from_study(study, ax=ax)

# %% [markdown]
# ## Verify

# %%
figure, axes = plt.subplots(1, 2, figsize=(8.5, 3.4), layout="constrained")
for ax, lam in zip(axes, (0, None), strict=True):
    DecisionBoundaryDisplay.from_study(study, ax=ax, lam=lam)

# %%
figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
weights = WeightDistributionDisplay.from_study(study, ax=ax)

# %% [markdown]
# ## What was measured
#
# The test rows are looked at now, for the first time.

# %%
found = verify(study, selection, data.test)
print(found.sentence)
print(found.weights_sentence)
print()
for point in found.checklist:
    mark = {True: "✓", False: "✗", None: "–"}[point.passed]
    print(f"{mark} {point.text}: {point.evidence}")
