import pytest

from shrinkage.errors import SettingError
from shrinkage.training import Training


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": 0}, "batch size is 0"),
        ({"learning_rate": 0.0}, "learning rate is 0.0"),
        ({"learning_rate": float("nan")}, "learning rate is nan"),
        ({"optimizer": "adamm"}, "did you mean 'adam'"),
        ({"schedule": "cosin"}, "did you mean 'cosine'"),
        ({"momentum": 1.0}, r"momentum is 1.0; it must lie in \[0, 1\)"),
        ({"beta2": -0.1}, "beta2 is -0.1"),
        ({"epsilon": 0.0}, "epsilon is 0.0"),
        ({"loss": "hinge"}, "unknown loss 'hinge'"),
        ({"class_weight": "balance"}, "did you mean 'balanced'"),
    ],
)
def test_settings_that_cannot_train_are_refused(settings, sentence):
    with pytest.raises(SettingError, match=sentence):
        Training(**({"loss": "cross_entropy"} | settings))
