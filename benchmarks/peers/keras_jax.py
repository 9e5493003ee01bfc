"""A loop of Keras fits; the backend comes from the environment."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.worker import Answer, serve


def prepare() -> Answer:
    import keras
    import numpy as np

    def build(inputs: int, request: dict[str, Any]) -> Any:
        keras.utils.set_random_seed(0)
        decay = keras.regularizers.L2(request["lam"] / 2)  # Keras' L2 has no ½
        hidden = [
            keras.layers.Dense(
                units, "relu", kernel_initializer="he_normal", kernel_regularizer=decay
            )
            for units in request["hidden"]
        ]
        model = keras.Sequential([keras.Input((inputs,)), *hidden, keras.layers.Dense(1)])
        model.compile(
            optimizer=keras.optimizers.Adam(request["learning_rate"]),
            loss=keras.losses.BinaryCrossentropy(from_logits=True),
            steps_per_execution=request["steps_per_execution"],
        )
        return model

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        """Fit fold after fold; with `fresh` a new model for each, else one that is set back."""
        stored = np.load(request["data"])
        inputs, labels = stored["inputs"], stored["labels"].astype(np.float32)[:, None]
        model = None
        times, losses = [], []
        start: list[Any] = []
        for turn in range(request["fits"] + (0 if request["fresh"] else 1)):
            train = stored[f"train{turn % request['folds']}"]
            x, y = inputs[train], labels[train]
            begin = time.perf_counter()
            if model is None or request["fresh"]:
                model = build(x.shape[1], request)
                start = [variable.numpy() for variable in model.variables]
            else:
                for variable, value in zip(model.variables, start, strict=True):
                    variable.assign(value)
                for variable in model.optimizer.variables:
                    if variable is not model.optimizer._learning_rate:
                        variable.assign(np.zeros(variable.shape, variable.dtype))
            held_out = stored[f"validation{turn % request['folds']}"]
            model.fit(
                x,
                y,
                batch_size=request["batch_size"],
                epochs=request["epochs"],
                validation_data=(inputs[held_out], labels[held_out]),
                validation_batch_size=len(held_out),
                validation_freq=request["validation_freq"],
                verbose=0,
            )
            times.append(time.perf_counter() - begin)
            if request["evaluate"]:
                z = model.predict(x, batch_size=len(x), verbose=0)
                losses.append(float(np.mean(np.logaddexp(0, z) - y * z)))
        # Without `fresh` the first fit compiles; it is told apart.
        first = times[0]
        counted = times if request["fresh"] else times[1:]
        return {"first": first, "each": sum(counted) / len(counted), "losses": losses}

    return answer


if __name__ == "__main__":
    serve(prepare)
