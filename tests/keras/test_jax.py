"""The same on JAX, which compiles a step once and keeps a model's state to itself meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

HERE = Path(__file__).parent
CHOSEN = {
    "test_regularize.py": (
        "test_it_acts_in_a_training_that_goes_on",
        "test_a_penalty_is_replaced_and_taken_off",
    ),
    "test_proximal.py": (
        "test_l1_leaves_four_weights_in_five_exactly_zero",
        "test_each_step_is_the_engines[l1-adam]",
        "test_each_step_is_the_engines[group_units-rmsprop]",
        "test_the_average_keeps_the_zeros",
        "test_steps_that_are_accumulated_in_fit",
        "test_mixed_precision",
        "test_a_saved_model_goes_on_as_if_nothing_had_happened",
    ),
    "test_strength.py": (
        "test_a_change_acts_from_the_next_epoch_on",
        "test_it_follows_a_function_of_the_batch",
        "test_it_acts_on_a_proximal_step",
    ),
    "test_monitor.py": (
        "test_losses_are_free_of_the_penalty_and_measured_on_rows",
        "test_it_stops_on_the_loss_of_the_data_and_goes_back",
    ),
    "test_path.py": (
        "test_it_answers_what_the_engine_answers[L1()-{'lam_schedule': 'linear', 'lam_ramp': 0.5}]",
        "test_it_answers_what_the_engine_answers[L1()-{'relaxed_epochs': 8}]",
        "test_what_an_l1_leaves_is_trained_once_more_without_it",
        "test_the_same_trial_has_the_same_fit_whatever_came_before",
        "test_seeds_must_be_draws",
        "test_first_weights_that_are_the_same_for_every_seed_are_said",
    ),
    "test_lesson.py": ("test_the_lessons_code_and_one_line",),
}
"""What may depend on the backend. A process has one, so they all run in one of their own."""


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() == "jax", reason="everything runs on JAX already")
def test_everything_that_may_depend_on_the_backend():
    chosen = [str(HERE / f"{file}::{test}") for file, tests in CHOSEN.items() for test in tests]
    environment = os.environ | {
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        # Networks this small gain nothing from threads, and compile faster unoptimized.
        "OMP_NUM_THREADS": "1",
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false --xla_backend_optimization_level=0",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen]
    done = subprocess.run(
        command, env=environment, cwd=HERE.parents[1], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = int(done.stdout.split(" passed")[0].split()[-1])
    assert passed >= sum(map(len, CHOSEN.values()))


@pytest.mark.slow
def test_a_backend_that_is_missing_is_a_sentence():
    """One line, whatever is imported first; and importing this room chooses no backend."""
    program = (
        "import sys\n"
        "try:\n"
        "    import shrinkage.keras\n"
        "except ValueError as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment | {"KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.startswith("SettingError keras needs tensorflow, which is not installed")
    assert done.stdout.count("\n") == 1
