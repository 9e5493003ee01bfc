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

    def path(request: dict[str, Any], **settings: Any) -> tuple[Any, list[Any], float]:
        """The model, its path and the seconds that took."""
        stored = np.load(request["data"])
        seed = request["seed"]
        # Its defaults, which its example examples/miceprotein.py begins with: one hidden layer of
        # 100, M = 10, full batches, Adam and then SGD with momentum, early stopping on a tenth.
        model = LassoNetClassifier(verbose=0, random_state=seed, torch_seed=seed, **settings)
        begin = time.perf_counter()
        found = model.path(stored["inputs"], stored["labels"], return_state_dicts=True)
        return model, found, time.perf_counter() - begin

    def threads(request: dict[str, Any]) -> int:
        """As many as make a short path fastest: its products are small."""
        times = {}
        for count in {1, request["cores"]}:
            torch.set_num_threads(count)
            times[count] = path(request, n_iters=20, path_multiplier=1.5)[2]
        return min(times, key=lambda count: times[count])

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        chosen = threads(request)
        torch.set_num_threads(chosen)
        quick = {"n_iters": 2, "path_multiplier": 2.0} if request["quick"] else {}
        model, found, taken = path(request, **quick)
        few = [item for item in found if 0 < int(item.selected.sum()) <= request["most"]]
        best = min(few or found[-1:], key=lambda item: item.val_loss)
        model.load(best.state_dict)
        stored = np.load(request["data"])
        predicted = model.predict(stored["test_inputs"])
        return {
            "seconds": taken,
            "inputs": int(best.selected.sum()),
            "accuracy": float(np.mean(predicted == stored["test_labels"])),
            "about": (
                f"LassoNetClassifier {version('lassonet')} with its defaults (hidden 100, M 10, "
                "λ × 1.02 a step, full batches, at most 1,000 and then 100 epochs with early "
                f"stopping), its whole path of {len(found)} λ, {chosen} thread(s), the faster "
                f"choice; of its networks with at most {request['most']} inputs that with the "
                "least validation loss on its tenth"
            ),
        }

    return answer


if __name__ == "__main__":
    serve(prepare)
