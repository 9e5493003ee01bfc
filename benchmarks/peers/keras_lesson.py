"""The lesson's own code on Keras 3; the backend comes from the environment."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.worker import Answer, serve


def prepare() -> Answer:
    import keras
    import numpy as np
    from keras import regularizers
    from keras.layers import Dense
    from keras.models import Sequential

    regularizer = {
        "none": lambda: None,
        "l2": lambda: regularizers.l2(0.01),
        "l1": lambda: regularizers.l1(0.01),
        "l1_l2": lambda: regularizers.l1_l2(l1=0.01, l2=0.01),
    }

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        """Train once; first and last weights, and the labels it gives, go into a file."""
        stored = np.load(request["data"])
        keras.utils.set_random_seed(request["seed"])
        begin = time.perf_counter()
        logits = request["from_logits"]
        steps = -(-len(stored["train_labels"]) // request["batch_size"])
        model = Sequential(
            [
                keras.Input((2,)),
                Dense(
                    128,
                    activation="relu",
                    kernel_regularizer=regularizer[request["regularizer"]](),
                ),
                Dense(
                    128,
                    activation="relu",
                    kernel_regularizer=regularizer[request["regularizer"]](),
                ),
                Dense(1, activation=None if logits else "sigmoid"),
            ]
        )
        model.compile(
            optimizer=keras.optimizers.Adam(learning_rate=0.01),
            loss=keras.losses.BinaryCrossentropy(from_logits=logits),
            steps_per_execution=steps if keras.backend.backend() == "jax" else 1,  # for speed
        )
        first = model.get_weights()
        model.fit(
            stored["train_inputs"],
            stored["train_labels"],
            epochs=request["epochs"],
            batch_size=request["batch_size"],
            verbose=0,
        )
        seconds = time.perf_counter() - begin
        answers = {
            f"{rows}_labels": model.predict(stored[f"{rows}_inputs"], batch_size=1000, verbose=0)
            > (0.0 if logits else 0.5)
            for rows in ("train", "validation", "test")
        }
        arrays = {f"first{place}": array for place, array in enumerate(first)}
        arrays |= {f"last{place}": array for place, array in enumerate(model.get_weights())}
        np.savez(request["result"], **arrays, **answers)
        return {
            "seconds": seconds,
            "versions": {"keras": keras.__version__, "backend": keras.backend.backend()},
        }

    return answer


if __name__ == "__main__":
    serve(prepare)
