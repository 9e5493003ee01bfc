"""LassoNet's path with the settings of its own example for mice-protein, on given rows."""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import Any

from benchmarks.worker import Answer, serve


def prepare() -> Answer:
    import numpy as np
    import torch
    from lassonet import LassoNetClassifier

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        stored = np.load(request["data"])
        torch.set_num_threads(request["threads"])
        quick = {"n_iters": 2, "path_multiplier": 2.0} if request["quick"] else {}
        # Its defaults, which its example examples/miceprotein.py begins with: one hidden layer of
        # 100, M = 10, full batches, Adam and then SGD with momentum, early stopping on a tenth.
        model = LassoNetClassifier(
            verbose=0, random_state=request["seed"], torch_seed=request["seed"], **quick
        )
        begin = time.perf_counter()
        path = model.path(stored["inputs"], stored["labels"], return_state_dicts=True)
        taken = time.perf_counter() - begin
        few = [item for item in path if 0 < int(item.selected.sum()) <= request["most"]]
        best = min(few or path[-1:], key=lambda item: item.val_loss)
        model.load(best.state_dict)
        predicted = model.predict(stored["test_inputs"])
        return {
            "seconds": taken,
            "inputs": int(best.selected.sum()),
            "accuracy": float(np.mean(predicted == stored["test_labels"])),
            "about": (
                f"LassoNetClassifier {version('lassonet')} with its defaults (hidden 100, M 10, "
                "λ × 1.02 a step, full batches, at most 1,000 and then 100 epochs with early "
                f"stopping), its whole path of {len(path)} λ, {request['threads']} threads; of its "
                f"networks with at most {request['most']} inputs that with the least validation "
                "loss on its tenth"
            ),
        }

    return answer


if __name__ == "__main__":
    serve(prepare)
