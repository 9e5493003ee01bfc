"""Every setting that is known, read in its framework's source."""

from __future__ import annotations

from fractions import Fraction

from shrinkage.conventions.setting import Setting
from shrinkage.errors import SettingError, suggestion

_ONE, _TWO, _HALF = Fraction(1), Fraction(2), Fraction(1, 2)

_IN_THE_MOMENTS = (
    "An adaptive optimizer divides weight_decay · w by each weight's own root, as it does the "
    "gradient: the stationary points are those of the penalized loss, the way there is another "
    "than SGD's."
)
_DECAYS_APART = (
    "Under SGD with momentum m, a gradient counts 1 / (1 − m) times and decoupled decay once."
)
_OWN_GROUP = "Give kernels a parameter group of their own; the rest gets weight_decay=0."
_L1_SUBGRADIENT = "An L1 term in a loss leaves no exact zeros; a proximal step does."
_FREE_BIASES = "Biases and batch norm stay free unless wd_bn_bias=True."
_MASK = "mask= chooses what decays."
_THRESHOLD = (
    "Each step thresholds by lambda_ · learning rate, which is a proximal step of SGD, LassoNet's "
    "default along the path; under Adam no λ equals it."
)
_GROUPS = "With several outputs LassoNet penalizes the norm of an input's weights: a group lasso."
_STANDARDIZED = "glmnet standardizes the inputs first; its λ is that of standardized columns."
_INTERCEPT = "The intercept is free (except with solver='liblinear')."

KERAS_L1 = Setting(
    *("keras.l1", "Keras", ("l1",), "kernel_regularizer=keras.regularizers.L1({0})"),
    l1=_ONE,
    advice=(_L1_SUBGRADIENT,),
    read_in="keras/src/regularizers/regularizers.py",
)
KERAS_L2 = Setting(
    *("keras.l2", "Keras", ("l2",), "kernel_regularizer=keras.regularizers.L2({0})"),
    l2=_HALF,
    notes=("Keras' l2 · Σw² has no ½.",),
    read_in="keras/src/regularizers/regularizers.py",
)
KERAS_WEIGHT_DECAY = Setting(
    *("keras.weight_decay", "Keras", ("weight_decay",)),
    "keras.optimizers.AdamW(learning_rate=…, weight_decay={0})",
    l2=_ONE,
    decoupled=True,
    reach="every parameter",
    notes=(_DECAYS_APART,),
    advice=("optimizer.exclude_from_weight_decay(var_names=['bias']) keeps biases free.",),
    read_in="keras/src/optimizers/base_optimizer.py",
)
TORCH_WEIGHT_DECAY = Setting(
    *("torch.sgd", "PyTorch", ("weight_decay",)),
    "torch.optim.SGD(…, weight_decay={0})",
    l2=_ONE,
    reach="every parameter",
    advice=(_OWN_GROUP,),
    read_in="torch/optim/sgd.py",
)
TORCH_ADAMW_WEIGHT_DECAY = Setting(
    *("torch.adamw", "PyTorch", ("weight_decay",)),
    "torch.optim.AdamW(…, lr=…, weight_decay={0})",
    l2=_ONE,
    decoupled=True,
    reach="every parameter",
    advice=(_OWN_GROUP,),
    read_in="torch/optim/adamw.py",
)
SKLEARN_ALPHA = Setting(
    *("sklearn.mlp", "scikit-learn", ("alpha",)),
    "MLPClassifier(alpha={0}, batch_size=…)",
    regression="MLPRegressor(alpha={0}, batch_size=…)",
    l2=_ONE,
    divided_by="batch",
    half_sum_loss=True,
    reach="every kernel",
    notes=(
        "alpha is divided by the rows of each batch, so a shorter last batch is penalized more.",
    ),
    read_in="sklearn/neural_network/_multilayer_perceptron.py",
)
"""Of MLPClassifier and MLPRegressor with solver sgd or adam."""

SETTINGS = (
    Setting(
        *("shrinkage.l1", "shrinkage", ("λ",)),
        "shrinkage run TABLE --penalty l1 --lambdas {0}",
        l1=_ONE,
        reach="hidden kernels",
    ),
    Setting(
        *("shrinkage.l2", "shrinkage", ("λ",)),
        "shrinkage run TABLE --penalty l2 --lambdas {0}",
        l2=_ONE,
        reach="hidden kernels",
    ),
    Setting(
        *("shrinkage.elastic_net", "shrinkage", ("λ", "l1_ratio")),
        "ElasticNet(l1_ratio={1}) with λ = {0}",
        l1=_ONE,
        l2=_ONE,
        mixes=True,
        reach="hidden kernels",
    ),
    Setting(
        *("shrinkage.l2.decoupled", "shrinkage", ("λ",)),
        "shrinkage run TABLE --optimizer adamw --penalty l2 --lambdas {0}",
        l2=_ONE,
        decoupled=True,
        reach="hidden kernels",
    ),
    Setting(
        *("lesson.l1", "the lesson", ("λ",), "loss + (λ/2n) Σ|w| with λ = {0}"),
        l1=_TWO,
        divided_by="table",
    ),
    Setting(
        *("lesson.l2", "the lesson", ("λ",), "loss + (λ/2n) Σw² with λ = {0}"),
        l2=_ONE,
        divided_by="table",
    ),
    Setting(
        *("lesson.update", "the lesson", ("λ",), "w ← w(1 − αλ) − α ∂L/∂w with λ = {0}"),
        l2=_ONE,
        notes=("The rule is a step of plain SGD, where decay and L2 are the same.",),
    ),
    KERAS_L1,
    KERAS_L2,
    Setting(
        *("keras.l1_l2", "Keras", ("l1", "l2")),
        "kernel_regularizer=keras.regularizers.L1L2(l1={0}, l2={1})",
        l1=_ONE,
        l2=_HALF,
        notes=("Keras' l2 · Σw² has no ½.",),
        advice=(_L1_SUBGRADIENT,),
        read_in="keras/src/regularizers/regularizers.py",
    ),
    KERAS_WEIGHT_DECAY,
    TORCH_WEIGHT_DECAY,
    Setting(
        *("torch.adam", "PyTorch", ("weight_decay",)),
        "torch.optim.Adam(…, weight_decay={0})",
        l2=_ONE,
        reach="every parameter",
        notes=(_IN_THE_MOMENTS,),
        advice=(_OWN_GROUP,),
        read_in="torch/optim/adam.py",
    ),
    TORCH_ADAMW_WEIGHT_DECAY,
    SKLEARN_ALPHA,
    Setting(
        *("sklearn.mlp.lbfgs", "scikit-learn", ("alpha",)),
        "MLPClassifier(solver='lbfgs', alpha={0})",
        regression="MLPRegressor(solver='lbfgs', alpha={0})",
        l2=_ONE,
        divided_by="table",
        half_sum_loss=True,
        reach="every kernel",
        read_in="sklearn/neural_network/_multilayer_perceptron.py",
    ),
    Setting(
        *("sklearn.logistic", "scikit-learn", ("C", "l1_ratio")),
        "LogisticRegression(C={0}, l1_ratio={1})",
        l1=_ONE,
        l2=_ONE,
        mixes=True,
        inverse=True,
        divided_by="table",
        loss="classification",
        reach="coefficients",
        notes=("With sample or class weights, rows are the sum of the weights.",),
        advice=(_INTERCEPT,),
        read_in="sklearn/linear_model/_logistic.py",
    ),
    Setting(
        *("sklearn.lasso", "scikit-learn", ("alpha",), "Lasso(alpha={0})"),
        l1=_ONE,
        half_sum_loss=True,
        loss="regression",
        reach="coefficients",
        read_in="sklearn/linear_model/_coordinate_descent.py",
    ),
    Setting(
        *("sklearn.ridge", "scikit-learn", ("alpha",), "Ridge(alpha={0})"),
        l2=_ONE,
        divided_by="table",
        half_sum_loss=True,
        loss="regression",
        reach="coefficients",
        notes=("Ridge's loss is a sum over rows: the same alpha is weaker on a longer table.",),
        read_in="sklearn/linear_model/_ridge.py",
    ),
    Setting(
        *("sklearn.elasticnet", "scikit-learn", ("alpha", "l1_ratio")),
        "ElasticNet(alpha={0}, l1_ratio={1})",
        l1=_ONE,
        l2=_ONE,
        mixes=True,
        half_sum_loss=True,
        loss="regression",
        reach="coefficients",
        read_in="sklearn/linear_model/_coordinate_descent.py",
    ),
    Setting(
        *("glmnet", "glmnet", ("lambda", "alpha"), "glmnet(x, y, lambda = {0}, alpha = {1})"),
        l1=_ONE,
        l2=_ONE,
        mixes=True,
        half_sum_loss=True,
        one_target=True,
        reach="coefficients",
        notes=(_STANDARDIZED,),
        read_in="R/glmnet.R",
    ),
    Setting(
        *("fastai.wd", "fastai", ("wd",), "Learner(…, wd={0})"),
        l2=_ONE,
        decoupled=True,
        reach="every kernel",
        notes=(_DECAYS_APART,),
        advice=(_FREE_BIASES,),
        read_in="fastai/optimizer.py",
    ),
    Setting(
        *("fastai.wd.coupled", "fastai", ("wd",)),
        "Learner(…, opt_func=partial(Adam, decouple_wd=False), wd={0})",
        l2=_ONE,
        reach="every kernel",
        notes=(_IN_THE_MOMENTS,),
        advice=(_FREE_BIASES,),
        read_in="fastai/optimizer.py",
    ),
    Setting(
        *("optax.add_decayed_weights", "optax", ("weight_decay",)),
        "optax.chain(optax.add_decayed_weights({0}), optax.adam(…))",
        l2=_ONE,
        reach="every parameter",
        notes=("Before the optimizer's scaling, that is; after it, it is optax.adamw.",),
        advice=(_MASK,),
        read_in="optax/transforms/_adding.py",
    ),
    Setting(
        *("optax.adamw", "optax", ("weight_decay",)),
        "optax.adamw(learning_rate=…, weight_decay={0})",
        l2=_ONE,
        decoupled=True,
        reach="every parameter",
        advice=(_MASK,),
        read_in="optax/_src/alias.py",
    ),
    Setting(
        *("playground.l1", "TensorFlow Playground", ("rate",)),
        "Regularization L1, regularization rate {0}",
        l1=_ONE,
        half_sum_loss=True,
        loss="regression",
        reach="every kernel",
        notes=("A weight that L1 carries across zero is dead for good there; that is no prox.",),
        read_in="src/nn.ts",
    ),
    Setting(
        *("playground.l2", "TensorFlow Playground", ("rate",)),
        "Regularization L2, regularization rate {0}",
        l2=_ONE,
        half_sum_loss=True,
        loss="regression",
        reach="every kernel",
        read_in="src/nn.ts",
    ),
    Setting(
        *("lassonet", "LassoNet", ("lambda_",), "LassoNetClassifier(lambda_seq=[{0}])"),
        regression="LassoNetRegressor(lambda_seq=[{0}])",
        l1=_ONE,
        one_target=True,
        after_momentum=True,
        reach="inputs",
        notes=(_THRESHOLD, _GROUPS),
        read_in="lassonet/interfaces.py",
    ),
)
"""Every setting that is known here."""


def find(name: str) -> Setting:
    """The setting that a user names.

    Parameters
    ----------
    name : str
        Such as ``"keras.l2"``, in any case.

    Returns
    -------
    Setting
        The record.

    Raises
    ------
    SettingError
        On an unknown name, with a suggestion.

    Examples
    --------
    >>> find("Keras.L2").arguments
    ('l2',)
    """
    known = {setting.name: setting for setting in SETTINGS}
    wanted = name.strip().lower().replace("-", "_").replace(" ", "_")
    if wanted in known:
        return known[wanted]
    near = [one for one in known if one.startswith(f"{wanted}.") or one.endswith(f".{wanted}")]
    if len(near) > 1:
        raise SettingError(f"'{name}' could be several settings; choose one of: {', '.join(near)}")
    hint = f"did you mean '{near[0]}'?" if near else suggestion(wanted, known)
    if not near and hint.startswith("choose"):
        hint = "shrinkage lambda --list shows all of them"
    raise SettingError(f"unknown setting '{name}'; {hint}")
