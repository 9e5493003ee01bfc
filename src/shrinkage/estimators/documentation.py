"""The parts that the estimators' docstrings have in common, written once."""

from __future__ import annotations

from typing import TypeVar

_Class = TypeVar("_Class", bound=type)

_SETTINGS = """l1_ratio : float, default 0.5
    Of an elastic net: 0 is L2, 1 is L1.
hidden_layer_sizes : int or tuple of int, default (128, 128)
    Units of each hidden layer; ``()`` for a linear model.
activation : str, default "relu"
    One of :data:`shrinkage.network.ACTIVATIONS`; ``"logistic"`` is ``"sigmoid"``.
initialization : str or None, default "glorot"
    ``"he"``, ``"glorot"`` or ``"lecun"``; None chooses by activation.
solver : str, default "adam"
    ``"adam"``, ``"adamw"``, ``"rmsprop"`` or ``"sgd"``. For a full minimization see `polish`.
learning_rate : str, default "cosine"
    ``"cosine"`` falls to 0 over all steps, ``"constant"`` stays.
learning_rate_init : float or None, default None
    Learning rate of the first step; None is 0.01 for ``"sgd"``, else 0.002, or 0.005 without hidden
    layers.
max_iter : int or None, default None
    Epochs. None follows from the number of rows: as many as give 2,000 steps, at most 50, at least
    10 and at least as many as give 200 steps; without hidden layers up to 300.
batch_size : int or "auto", default "auto"
    Rows in a step; ``"auto"`` is 32 up to 2,000 rows and grows to 1,024.
momentum : float, default 0.9
    Of ``"sgd"``.
nesterovs_momentum : bool, default True
    Nesterov's momentum, for ``"sgd"``.
beta_1, beta_2 : float, default 0.9 and 0.999
    Adam's decay of the first and second moment.
epsilon : float, default 1e-7
    Added to the root of the second moment.
shuffle : bool, default True
    Whether each epoch has its own order of rows, and rows that agree are one row of more weight.
    False keeps every row in its place.
early_stopping : bool, default False
    End when the loss on validation rows has not improved for `n_iter_no_change` epochs, and return
    the best epoch's parameters. Rows are those of `X_val`, else those of the fold, else a share of
    the training rows that is then not trained on.
n_iter_no_change : int, default 10
    Patience of early stopping, in epochs.
validation_fraction : float, default 0.1
    Share of the rows set aside for early stopping where no other validation rows are.
dropout, input_dropout : float, default 0.0
    Share of hidden units, and of inputs, that are set to 0 in each step.
input_noise : float, default 0.0
    Standard deviation of normal noise on the (standardized) inputs of each step.
mixup : float, default 0.0
    The α of the Beta(α, α) that mixes each row of a step with another; 0 mixes nothing.
max_norm : float or None, default None
    Largest norm of the incoming weights of a hidden unit.
averaging : float, default 0.0
    Decay of the moving average of the parameters that is returned instead of the last ones.
lam_schedule : str, default "constant"
    How λ rises from 0: ``"constant"`` (at once), ``"linear"`` or ``"cosine"``.
lam_ramp : float, default 0.5
    Share of all steps in which it rises.
penalize_output : bool, default False
    Whether the output layer carries the penalty too, as in scikit-learn. A linear model's only
    layer always does. Biases never do.
standardize : bool, default True
    Inputs, and the targets of a regression, to mean 0 and deviation 1 by the (weighted) rows that
    are trained on. λ speaks of weights on these scales.
polish : bool or int, default False
    Minimize the penalized loss fully after the last epoch, in double precision and on all rows at
    once; an int limits its iterations. `stationarity_` says how far it came.
random_state : int, RandomState or None, default None
    A number makes `fit` the same every time, to the last bit.
n_jobs : int or None, default None
    Networks trained at the same time. None is every core, and one in a worker of joblib's. The
    result does not depend on it.
verbose : int, default 0
    Whether progress is shown on stderr."""

_CLASSIFIES = """label_smoothing : float, default 0.0
    Share of the target that is spread evenly over all classes, in [0, 1).
class_weight : "balanced", dict or None, default None
    What rows of each class weigh, times their own weights; ``"balanced"`` gives all classes the
    same sum. Losses and scores on validation rows count by the same weights."""

_PENALTY = """Name of a penalty: ``"l1"``, ``"l2"``, ``"elasticnet"``, ``"group_units"`` (a group
    lasso that removes units) or ``"group_inputs"`` (one that removes inputs); or a penalty such as
    :class:`shrinkage.L1`."""

_SINGLE = f"""lam : float, default 0.01
    Strength λ of the penalty, which is λ Σ|w| for L1 and (λ/2) Σ w² for L2, beside the mean
    loss. ``shrinkage lambda`` converts it.
penalty : str, Penalty or None, default "l2"
    {_PENALTY}"""

_WARM = """warm_start : bool, default False
    Whether `fit` goes on from the parameters of the last one."""

_PATH = f"""penalty : str, Penalty, sequence of these, or None, default "l2"
    {_PENALTY}
    Of several the better one is chosen, too.
lambdas : array-like of shape (n,) or None, default None
    The path; no penalty (λ = 0) is always tried beside it. None covers the powers of ten from
    0.0001 to 10 and refines twice around the best.
n_lambdas : int, default 10
    Values of λ in an automatic path, four of which refine it.
cv : int, splitter or iterable, default 5
    Folds, as :func:`sklearn.model_selection.check_cv` understands them.
rule : str, default "minimum"
    ``"minimum"``: the best mean score. ``"one_standard_error"``: the largest λ of the same penalty
    within one standard error of it.
scoring : str or None, default None
    What is best: the loss, or ``"accuracy"``, ``"balanced_accuracy"``, ``"roc_auc"``, ``"rmse"`` or
    ``"r2"``; scikit-learn's spellings (``"neg_log_loss"``) too."""

_FITTED = """lambda_ : float
    The λ in use; 0 without a penalty.
coefs_, intercepts_ : list of ndarray of float32
    Kernel (fan-in, fan-out) and bias (fan-out,) of each layer; the first acts on the standardized
    inputs.
coef_, intercept_ : ndarray
    Only without hidden layers: slopes and intercepts in the inputs' and targets' own units, in
    scikit-learn's shapes.
n_iter_ : int
    Epochs trained.
loss_ : float
    Loss of the network over all training rows, without the penalty: in nats, or in variances of the
    target.
loss_curve_ : ndarray of shape (n_epochs,)
    Training loss of each epoch in `fit_.epochs`, without the penalty.
validation_curve_ : ndarray of shape (n_epochs,) or None
    {curve}
sparsity_ : float
    Share of the penalized weights that are exactly zero.
stationarity_ : float or None
    After `polish`: how far the penalized loss is from stationary, in units of λ; 0 is a
    stationary point (with hidden layers, given the output layer).
{diagnosis}
n_features_in_ : int
    Number of inputs.
feature_names_in_ : ndarray of str
    Names of the inputs, where `X` had names.
n_outputs_ : int
    Outputs of the network.
out_activation_ : str
    ``"logistic"``, ``"softmax"`` or ``"identity"``.
predictor_ : Predictor
    Network and preprocessing, for export.
fit_ : Fit
    The training in use.
study_ : Study
    All trainings."""

_CLASSES = """classes_ : ndarray of shape (n_classes,)
    Labels, sorted."""

_OF_ONE = _FITTED.format(
    curve="Loss on the rows of `X_val`, or on those held back for early stopping; else None.",
    diagnosis="""diagnosis_ : Diagnosis or None
    With `X_val`: whether the network without a penalty, trained beside it, overfits.""",
)

_OF_PATH = """penalty_ : Penalty or None
    The penalty chosen; None where no penalty is best.
lambdas_ : ndarray of shape (n,)
    Values of λ tried on every fold, rising.
path_ : tuple of PathPoint
    Losses and scores of every point; no penalty first.
cv_results_ : dict of str to ndarray
    The same as columns, as :class:`sklearn.model_selection.GridSearchCV` has them.
best_index_, best_score_ : int and float
    Of the choice in `cv_results_`.
n_splits_ : int
    Folds.
selection_ : Selection
    The choice, with its reasons.
""" + _FITTED.format(
    curve="Loss on validation rows of each epoch at the chosen λ, mean over the folds.",
    diagnosis="""diagnosis_ : Diagnosis or None
    Whether the network without a penalty overfits; None where all its trainings diverged.""",
)

_PARTS = {
    "parameters of one": (_SINGLE, _SETTINGS, _WARM),
    "parameters of a path": (_PATH, _SETTINGS),
    "parameters of a classifier": (_CLASSIFIES,),
    "attributes of one": (_OF_ONE,),
    "attributes of a path": (_OF_PATH,),
    "attributes of a classifier": (_CLASSES,),
}


def documented(cls: _Class) -> _Class:
    """A class whose docstring has its placeholders, such as ``{attributes of one}``, filled in."""
    for name, parts in _PARTS.items():
        text = "\n".join(parts).replace("\n", "\n    ")
        cls.__doc__ = (cls.__doc__ or "").replace(f"{{{name}}}", text)
    return cls
