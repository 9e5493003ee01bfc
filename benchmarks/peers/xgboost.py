"""XGBoost tuned by Optuna within a time budget, in this process."""

from __future__ import annotations

import threading
import warnings
from typing import Any

import numpy as np

from benchmarks.budget import Budget
from benchmarks.machine import cores
from benchmarks.outer import Labels, Outer, Rows

ABOUT = (
    "Optuna's TPE (multivariate, two trials at a time, one thread each) over max_depth 1–12, "
    "min_child_weight 0.1–100, learning_rate 0.01–0.5, subsample and colsample_bytree 0.4–1, gamma "
    "1e-4–10, lambda and alpha 1e-4–100, the power of balanced class weights 0–1.25; up to 2,000 "
    "trees, early stopping after 50 rounds by (weighted) log loss; chosen by balanced accuracy on "
    "the inner folds, poor trials pruned; native categories and missing values; refitted on all "
    "training rows with the mean number of trees"
)
_TREES, _PATIENCE = 2000, 50
_STARTS: tuple[dict[str, float], ...] = (
    {
        "max_depth": 6,
        "min_child_weight": 1.0,
        "learning_rate": 0.3,
        "subsample": 1.0,
        "colsample_bytree": 1.0,
        "gamma": 1e-4,
        "lambda": 1.0,
        "alpha": 1e-4,
        "power": 1.0,
    },
    {
        "max_depth": 3,
        "min_child_weight": 5.0,
        "learning_rate": 0.1,
        "subsample": 0.8,
        "colsample_bytree": 0.8,
        "gamma": 1e-4,
        "lambda": 1.0,
        "alpha": 1e-4,
        "power": 1.0,
    },
)
"""XGBoost's defaults and a careful setting are tried first, so that the search is never worse."""


def xgboost_search(outer: Outer, budget: Budget) -> tuple[list[Labels], dict[str, Any]]:
    """Search until the budget is spent, refit the best and predict the outer test rows."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    frame, labels = outer.train
    run = _Search(frame, labels, outer.inner, budget)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(
            seed=outer.split, multivariate=True, constant_liar=True, n_startup_trials=15
        )
    study = optuna.create_study(
        direction="maximize",
        sampler=sampler,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=15, n_warmup_steps=1),
    )
    for start in _STARTS:
        study.enqueue_trial(start)
    run.search(study)
    best = study.best_trial
    model = run.fit(best.params, np.arange(len(labels)), trees=best.user_attrs["trees"])
    settings = {name: round(float(value), 6) for name, value in best.params.items()}
    settings |= {
        "trees": best.user_attrs["trees"],
        "trials": len(study.trials),
        "complete": sum(trial.state.name == "COMPLETE" for trial in study.trials),
        "inner": round(float(best.value or 0.0), 4),
    }
    return [run.predict(model, outer.test[0])], settings


class _Search:
    """What a trial needs: rows, folds and the clock."""

    def __init__(
        self, frame: Any, labels: Labels, inner: list[tuple[Rows, Rows]], budget: Budget
    ) -> None:
        self.frame, self.labels, self.inner, self.budget = frame, labels, inner, budget
        self.classes = int(labels.max()) + 1

    def search(self, study: Any) -> None:
        """Two or more threads ask, train and tell until the time is over.

        A tree on a thousand rows is too small to be shared between threads; whole trials are not.
        """
        lock = threading.Lock()
        errors: list[BaseException] = []

        def work() -> None:
            try:
                while not errors and (not self.budget.over or not _any_complete(study)):
                    with lock:
                        trial = study.ask()
                        params = _draw(trial)
                    self._tell(study, trial, params, lock)
            except BaseException as error:
                errors.append(error)
                raise

        threads = [threading.Thread(target=work) for _ in range(cores())]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    def _tell(self, study: Any, trial: Any, params: dict[str, Any], lock: Any) -> None:
        """Train one trial on its folds and tell the study; prune it when poor or out of time."""
        from optuna.trial import TrialState

        scores: list[float] = []
        trees: list[int] = []
        for train, validation in self.inner:
            model = self.fit(params, train, validation)
            predicted = self.predict(model, self.frame.iloc[validation])
            scores.append(_balanced(self.labels[validation], predicted))
            trees.append(_best_trees(model))
            with lock:
                trial.report(float(np.mean(scores)), len(scores))
                late = self.budget.over and _any_complete(study)
                poor = len(scores) < len(self.inner) and (late or trial.should_prune())
                if poor:
                    study.tell(trial, state=TrialState.PRUNED)
                    return
        with lock:
            trial.set_user_attr("trees", round(float(np.mean(trees))))
            study.tell(trial, float(np.mean(scores)))

    def fit(
        self, params: dict[str, Any], rows: Rows, validation: Rows | None = None, trees: int = 0
    ) -> Any:
        """Trees on some rows; early stopping on the validation rows, if any."""
        import xgboost

        options: dict[str, Any] = {
            "max_depth": int(params["max_depth"]),
            "eta": params["learning_rate"],
            "nthread": 1 if validation is not None else cores(),
            "tree_method": "hist",
            "verbosity": 0,
            "seed": 0,
            "objective": "binary:logistic" if self.classes == 2 else "multi:softprob",
            "eval_metric": "logloss" if self.classes == 2 else "mlogloss",
        } | {
            name: params[name]
            for name in (
                "min_child_weight", "subsample", "colsample_bytree", "gamma", "lambda", "alpha"
            )
        }  # fmt: skip
        if self.classes > 2:
            options["num_class"] = self.classes
        train = self._matrix(rows, params["power"])
        if validation is None:
            return xgboost.train(options, train, trees)
        return xgboost.train(
            options,
            train,
            _TREES,
            evals=[(self._matrix(validation, params["power"]), "validation")],
            early_stopping_rounds=_PATIENCE,
            verbose_eval=False,
            callbacks=[_out_of_time(self.budget)],
        )

    def _matrix(self, rows: Rows, power: float) -> Any:
        import xgboost

        labels = self.labels[rows]
        counts = np.bincount(self.labels, minlength=self.classes)
        weights = (len(self.labels) / (self.classes * counts))[labels] ** power
        return xgboost.DMatrix(
            self.frame.iloc[rows], labels, weight=weights, enable_categorical=True, nthread=1
        )

    def predict(self, model: Any, frame: Any) -> Labels:
        """Classes of rows, by the trees up to the best number of them."""
        import xgboost

        matrix = xgboost.DMatrix(frame, enable_categorical=True, nthread=1)
        outputs = model.predict(matrix, iteration_range=(0, _best_trees(model)))
        predicted = outputs > 0.5 if self.classes == 2 else outputs.argmax(axis=1)
        return np.asarray(predicted, dtype=np.int64)


def _draw(trial: Any) -> dict[str, Any]:
    return {
        "max_depth": trial.suggest_int("max_depth", 1, 12),
        "min_child_weight": trial.suggest_float("min_child_weight", 0.1, 100.0, log=True),
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.5, log=True),
        "subsample": trial.suggest_float("subsample", 0.4, 1.0),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.4, 1.0),
        "gamma": trial.suggest_float("gamma", 1e-4, 10.0, log=True),
        "lambda": trial.suggest_float("lambda", 1e-4, 100.0, log=True),
        "alpha": trial.suggest_float("alpha", 1e-4, 100.0, log=True),
        "power": trial.suggest_float("power", 0.0, 1.25),
    }


def _best_trees(model: Any) -> int:
    """Trees up to the best round; all of them without early stopping, or when time ran out."""
    best = model.attr("best_iteration")
    return int(model.num_boosted_rounds() if best is None else int(best) + 1)


def _any_complete(study: Any) -> bool:
    return any(trial.state.name == "COMPLETE" for trial in study.get_trials(deepcopy=False))


def _balanced(truth: Labels, predicted: Labels) -> float:
    from sklearn.metrics import balanced_accuracy_score

    return float(balanced_accuracy_score(truth, predicted))


def _out_of_time(budget: Budget) -> Any:
    """Ends a fit once twice the budget is gone: only the first trial of a large table meets it."""
    import xgboost

    class OutOfTime(xgboost.callback.TrainingCallback):
        def after_iteration(self, *_: Any) -> bool:
            return budget.over and budget.spent > 1.1 * budget.seconds

    return OutOfTime()
