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
# # Penalties, and the update rule
#
# A penalty adds a price for large weights to the loss:
#
# $$J(w) = \text{mean loss} + \lambda_1 \sum |w| + \frac{\lambda_2}{2} \sum w^2$$
#
# The sums run over the hidden kernels: not over biases, and not over the output layer. With
# $\lambda_1$ alone it is L1, with $\lambda_2$ alone L2, with both an elastic net.

# %%
import matplotlib.pyplot as plt
import numpy as np

from shrinkage import L1, L2, ElasticNet, Network, Training, Trial, train
from shrinkage.conventions import convert
from shrinkage.data import bundled, prepare
from shrinkage.network import initialize, layout

# %% [markdown]
# ## One λ, many spellings
#
# The lesson writes $\frac{\lambda}{2n}\sum w^2$, its update rule has no $n$, Keras has no ½,
# and PyTorch's `weight_decay` has one. The same strength has a different number in each:

# %%
for name in ("torch.sgd", "lesson.update", "lesson.l2", "sklearn.mlp"):
    same = convert(0.01, "keras.l2", name, rows=100, batch_size=32)
    print(f"Keras l2(0.01) = {name} {same.value:g}")

# %% [markdown]
# ## What each penalty costs, and what it does to one weight
#
# Left the price of one weight. Right where a weight goes when nothing but the penalty acts on
# it (the proximal step): L2 makes every weight smaller by the same factor, so none becomes
# zero; L1 takes the same amount off every weight, and those that are smaller than that amount
# become exactly zero.

# %%
w = np.linspace(-2, 2, 401)
penalties = {"L1": L1(), "L2": L2(), "elastic net, half of each": ElasticNet(0.5)}
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
for name, penalty in penalties.items():
    left.plot(w, [penalty.value(np.array([one]), 1.0) for one in w], label=name)
    right.plot(w, penalty.prox(w, 1.0, 0.7), label=name)
left.set(xlabel="weight", ylabel="price (λ = 1)")
left.legend()
right.plot(w, w, ":", color="gray")
_ = right.set(xlabel="weight before", ylabel="weight after (λ · step = 0.7)")

# %% [markdown]
# ## The update rule
#
# The gradient of $\frac{\lambda}{2} w^2$ is $\lambda w$, so a step of gradient descent with
# learning rate $\alpha$ is
#
# $$w \leftarrow w - \alpha \left(\frac{\partial L}{\partial w} + \lambda w\right)
# = w (1 - \alpha\lambda) - \alpha \frac{\partial L}{\partial w}.$$
#
# The factor $1 - \alpha\lambda$ lies below 1: *weight decay*. Is it so in this package? One
# step is made from the same weights without the penalty, with it, and with the decay written
# into the step.

# %%
ALPHA, LAM = 0.1, 0.02
table, target = bundled("moons", samples=100, noise=0.25)
data = prepare(table, target, name="moons")
network = Network(2, (128, 128))
start = initialize(network, seed=0)
hidden = layout(network).penalized


def one_step(penalty, optimizer):
    """Hidden weights after one step on all rows, from `start`."""
    training = Training(
        data.loss, optimizer=optimizer, learning_rate=ALPHA, schedule="constant", momentum=0.0,
        epochs=1, batch_size=len(data.full.train), shuffle=False,
    )  # fmt: skip
    trial = Trial(network, training, penalty, LAM if penalty else 0.0, None, seed=0)
    (fit,) = train([trial], data, starts={trial: start})
    return fit.parameters[hidden].astype(np.float64)


def largest_gap(optimizer):
    """Between the step with the penalty in the loss, and the step without plus the decay."""
    rule = one_step(None, optimizer) - ALPHA * LAM * start[hidden]
    return np.abs(one_step(L2(), optimizer) - rule).max()


gaps = {optimizer: largest_gap(optimizer) for optimizer in ("sgd", "adam")}
typical = np.abs(ALPHA * LAM * start[hidden]).mean()
for optimizer, gap in gaps.items():
    print(f"{optimizer}: largest difference {gap:.1e}, where the decay itself is {typical:.1e}")

# %% [markdown]
# Under SGD both are the same but for rounding. Under Adam they are not: Adam divides the
# gradient, with the penalty's part in it, by a running root mean square, so a weight with a
# large gradient feels little of the penalty. *AdamW* takes the decay out of the gradient and
# applies it beside the step, as the rule says:

# %%
beside = np.abs(
    one_step(L2(decoupled=True), "adam") - (one_step(None, "adam") - ALPHA * LAM * start[hidden])
).max()
print(f"AdamW's decay: largest difference from the rule {beside:.1e}")

# %% [markdown]
# ## What was measured

# %%
print(f"SGD: rule and penalty differ by at most {gaps['sgd'] / typical:.2%} of the mean decay.")
print(f"Adam: by up to {gaps['adam'] / typical:,.0f} times the mean decay, in the first step.")
print(f"AdamW: by at most {beside / typical:.2%} of it.")
