"""``GridSearchCV`` over ``MLPClassifier``, on given folds."""

from __future__ import annotations

import time
import warnings
from typing import Any

from benchmarks.worker import Answer, serve


def prepare() -> Answer:
    import numpy as np
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import GridSearchCV
    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore", ConvergenceWarning)

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        stored = np.load(request["data"])
        inputs = stored["inputs"].astype(request["dtype"])
        folds = [(stored[f"train{i}"], stored[f"validation{i}"]) for i in range(request["folds"])]
        epochs = request["epochs"]
        estimator = MLPClassifier(
            tuple(request["hidden"]),
            activation="relu",
            solver="adam",
            batch_size=request["batch_size"],
            learning_rate_init=request["learning_rate"],
            max_iter=epochs,
            n_iter_no_change=epochs + 1,  # so that every fit runs all its epochs, as ours do
            tol=0.0,
            early_stopping=False,
            random_state=0,
        )
        search = GridSearchCV(
            estimator,
            {"alpha": request["alphas"]},
            scoring="neg_log_loss",
            n_jobs=-1,
            refit=False,
            cv=folds,
            return_train_score=request["train_score"],
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            begin = time.perf_counter()
            search.fit(inputs, stored["labels"])
            taken = time.perf_counter() - begin
        result = {"seconds": taken, "validation": (-search.cv_results_["mean_test_score"]).tolist()}
        if request["train_score"]:
            result["train"] = (-search.cv_results_["mean_train_score"]).tolist()
        return result

    return answer


if __name__ == "__main__":
    serve(prepare)
