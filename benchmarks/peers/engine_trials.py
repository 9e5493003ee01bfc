"""This package's engine in a process of its own: as it is, or as an older commit left it.

It names only what both have; settings that an older engine does not know are only sent to the new.
"""

from __future__ import annotations

import time
from typing import Any

from benchmarks.worker import Answer, serve


def prepare() -> Answer:
    from dataclasses import replace

    from benchmarks.problems import problem
    from shrinkage import penalties
    from shrinkage.engine.pool import train
    from shrinkage.network import Network
    from shrinkage.study import Trial
    from shrinkage.training import Training

    known: dict[tuple[str, int | None], Any] = {}

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        place = request["problem"], request["samples"]
        if place not in known:
            known[place] = problem(*place)
        data = known[place]
        fold = 0 if request["validation"] else None
        network = Network(data.full.n_inputs, tuple(request["hidden"]), data.n_outputs)
        training = replace(Training(data.loss), **request["training"])
        kind, settings, lam = request["penalty"] or (None, {}, 0.0)
        penalty = getattr(penalties, kind)(**settings) if kind else None
        trials = [
            Trial(network, training, penalty, lam, fold, seed) for seed in range(request["fits"])
        ]
        begin = time.process_time()
        fits = list(train(trials, data, threads=1))
        taken = time.process_time() - begin
        # What was left early is charged for the epochs it had.
        epochs = sum(fit.stopped_at if fit.ok else training.epochs for fit in fits)
        return {"seconds": taken / epochs, "loss": sum(fit.final_train_loss for fit in fits)}

    return answer


if __name__ == "__main__":
    serve(prepare)
