"""``GridSearchCV`` over a pipeline of ``StandardScaler`` and ``MLPClassifier``, with its refit."""

from __future__ import annotations

import time
import warnings
from typing import Any

from benchmarks.worker import Answer, serve


def prepare() -> Answer:
    import numpy as np
    from sklearn.metrics import log_loss
    from sklearn.model_selection import GridSearchCV
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        stored = np.load(request["data"])
        inputs = stored["train"].astype(request["dtype"])
        network = MLPClassifier(tuple(request["hidden"]), random_state=0)
        batch = min(200, len(inputs))
        if "epochs" in request:
            batch, epochs = request["batch_size"], request["epochs"]
            network.set_params(
                batch_size=batch,
                learning_rate_init=request["learning_rate"],
                max_iter=epochs,
                n_iter_no_change=epochs + 1,  # so that every fit runs all its epochs, as ours do
                tol=0.0,
            )
        # alpha is divided by the rows of a batch, λ is not.
        alphas = [lam * batch for lam in request["lambdas"]]
        search = GridSearchCV(
            make_pipeline(StandardScaler(), network),
            {"mlpclassifier__alpha": alphas},
            scoring="neg_log_loss",
            n_jobs=-1,
            cv=request["folds"],
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            begin = time.perf_counter()
            search.fit(inputs, stored["labels"])
            taken = time.perf_counter() - begin
        probabilities = search.predict_proba(stored["test"].astype(request["dtype"]))
        loss = log_loss(stored["test_labels"], probabilities, labels=search.classes_)
        return {"seconds": taken, "loss": float(loss)}

    return answer


if __name__ == "__main__":
    serve(prepare)
