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
    # %pip install -q "shrinkage[plot,keras,torch]"
    import shrinkage

print("shrinkage", shrinkage.__version__)

# %% [markdown]
# # The same in Keras, side by side
#
# In Keras a penalty is one argument, `kernel_regularizer`, of each hidden layer. Here the
# lesson's model is trained in Keras and, from the same first weights and on the same rows, in
# this package. The two need the same λ, not the same number: Keras' `l2` is $l_2 \sum w^2$,
# without a ½, so `l2(0.01)` is λ = 0.02 here; `l1(0.01)` is λ = 0.01.

# %%
import importlib.util
import os

os.environ.setdefault("KERAS_BACKEND", "jax" if importlib.util.find_spec("jax") else "torch")

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from keras import regularizers
from keras.layers import Dense
from keras.models import Sequential
from sklearn.datasets import make_moons

from shrinkage import L1, L2, Network, Training, Trial, train
from shrinkage.conventions import convert
from shrinkage.data.numeric import Arrays, from_arrays
from shrinkage.engine.pool import predict
from shrinkage.network import layout

SMALL = os.environ.get("SHRINKAGE_LESSON_SMALL") == "1"  # tiny runs, to see that all works
EPOCHS = 3 if SMALL else 2_000
print(f"Keras {keras.__version__} on {keras.backend.backend()}")
X, y = (array.astype("float32") for array in make_moons(100, noise=0.25, random_state=0))
X_test, y_test = make_moons(10_000, noise=0.25, random_state=1_000)

# %% [markdown]
# ## The lesson's code
#
# No regularizer on the output layer, and none on any bias.


# %%
def keras_model(regularizer):
    """Two hidden layers of 128, each with the regularizer."""
    keras.utils.set_random_seed(0)
    model = Sequential(
        [
            keras.Input((2,)),
            Dense(128, activation="relu", kernel_regularizer=regularizer),
            Dense(128, activation="relu", kernel_regularizer=regularizer),
            Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.01),
        loss="binary_crossentropy",
    )
    return model


REGULARIZERS = {
    "none": None,
    "l2(0.01)": regularizers.l2(0.01),
    "l1(0.01)": regularizers.l1(0.01),
}
models, first = {}, {}
for name, regularizer in REGULARIZERS.items():
    models[name] = keras_model(regularizer)
    first[name] = models[name].get_weights()
    models[name].fit(X, y, batch_size=32, epochs=EPOCHS, verbose=0)

# %% [markdown]
# ## Here
#
# The same network from Keras' own first weights, with the converted λ. Nothing is standardized,
# since Keras does not either. Only the order of the rows within an epoch differs.

# %%
PENALTIES = {
    "none": (None, 0.0),
    "l2(0.01)": (L2(), convert(0.01, "keras.l2", "shrinkage.l2").value),
    "l1(0.01)": (L1(), convert(0.01, "keras.l1", "shrinkage.l1").value),
}
arrays = Arrays(X, y[:, None].astype(float), np.ones(len(y)))
data = from_arrays(arrays, classes=(0, 1), standardize=False, merge=False)
network = Network(2, (128, 128))
training = Training(data.loss, learning_rate=0.01, schedule="constant", epochs=EPOCHS)
places = layout(network)


def flat(weights):
    """Keras' arrays as one vector: here all kernels come first, then all biases."""
    return np.concatenate([array.ravel() for array in (*weights[0::2], *weights[1::2])])


fits = {}
for name, (penalty, lam) in PENALTIES.items():
    trial = Trial(network, training, penalty, lam, None, seed=0)
    (fits[name],) = train([trial], data, starts={trial: flat(first[name])})

# %% [markdown]
# ## Beside each other


# %%
def measures(parameters, probabilities):
    """Of one network, whoever trained it."""
    kernel = places.kernels[0].of(parameters)
    return {
        "first kernel from": kernel.min(),
        "to": kernel.max(),
        "its SD": kernel.std(),
        "exact zeros, %": 100 * np.mean(parameters[places.penalized] == 0),
        "test accuracy": np.mean((probabilities.ravel() > 0.5) == y_test),
    }


parameters = {
    (name, who): found
    for name in PENALTIES
    for who, found in (
        ("Keras", flat(models[name].get_weights())),
        ("shrinkage", fits[name].parameters),
    )
}
rows = {}
for (name, who), own in parameters.items():
    if who == "Keras":
        answers = models[name].predict(X_test, batch_size=1_000, verbose=0)
    else:
        answers = predict(network, own, X_test.astype("float32"), data.loss)
    rows[name, who] = measures(own, answers)
table = pd.DataFrame(rows).T
table.round(3)

# %%
figure, axes = plt.subplots(1, 3, figsize=(9, 2.8), layout="constrained", sharey=True)
for ax, name in zip(axes, PENALTIES, strict=True):
    pair = [places.kernels[0].of(parameters[name, who]).ravel() for who in ("Keras", "shrinkage")]
    ax.boxplot(pair, tick_labels=["Keras", "shrinkage"], whis=(0, 100))
    ax.set_title(name)
_ = axes[0].set_ylabel("weights of the first kernel")

# %% [markdown]
# Without a regularizer the two may part for a reason of its own: on JAX and PyTorch, Keras
# clips the sigmoid's probabilities to [1e-7, 1 − 1e-7] before it takes their logarithm. A row
# on which the network is surer than that, and wrong, has no gradient any more. This package
# computes its loss from logits, which clips nothing; so does Keras with
# `BinaryCrossentropy(from_logits=True)`.
#
# Under L1, Keras follows a subgradient: every weight is pushed towards zero by a fixed amount,
# steps over it and is pushed back, and none stays there. Here L1 is a proximal step, which
# stops at zero. The next figure shows how small the weights are that Keras leaves.

# %%
figure, ax = plt.subplots(figsize=(6, 3), layout="constrained")
edges = np.geomspace(1e-8, 10, 60)
for who in ("Keras", "shrinkage"):
    sizes = np.abs(parameters["l1(0.01)", who][places.penalized])
    zeros = np.mean(sizes == 0)
    ax.hist(sizes[sizes > 0], edges, alpha=0.6, label=f"{who}: {zeros:.1%} exactly zero")
ax.set(xscale="log", yscale="log", xlabel="size of a hidden weight, l1(0.01)", ylabel="weights")
_ = ax.legend()

# %% [markdown]
# ## What was measured
#
# One seed here; `python -m benchmarks.keras_lesson` in the package's repository does it for
# ten, with intervals.

# %%
for name in PENALTIES:
    for who in ("Keras", "shrinkage"):
        row = table.loc[(name, who)]
        print(
            f"{name}, {who}: first kernel in [{row['first kernel from']:.2f}, {row['to']:.2f}], "
            f"{row['exact zeros, %']:.2f} % exact zeros, test accuracy {row['test accuracy']:.3f}"
        )
