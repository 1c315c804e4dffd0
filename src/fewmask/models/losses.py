"""Losses that take class ids with an ignore index, and logits in either layout.

All are built from the same three things, which `SegmentationLoss` prepares in one place: one row
a class, the logarithm of its probability at each pixel, the true class as ones and zeros, and
whether the pixel counts. `keras.losses` drops or miscounts ignored pixels; here they are out of
every sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fewmask.errors import ArgumentError
from fewmask.models.backend import keras

SMOOTH = 1.0
"""Pixels added to both halves of an overlap: a class that is neither there nor predicted costs
nothing, one that is only predicted costs, and no division is by zero."""


class SegmentationLoss(keras.losses.Loss):  # type: ignore[misc]
    """Compares class ids with logits; a subclass says how, in `measure`.

    Args:
        ignore_index: Value in the truth whose pixels do not count, or None.
        data_format: Layout of the logits, `"channels_first"` or `"channels_last"`.
        name: Name shown by Keras.

    Call arguments:
        y_true: Class ids 0 to K - 1 or `ignore_index`, shape `(N, H, W)`, any integer dtype.
        y_pred: Logits, shape `(N, H, W, 1 or K)`, or `(N, 1 or K, H, W)` in `channels_first`.

    Returns:
        One number for the batch, never negative.
    """

    def __init__(
        self,
        ignore_index: int | None = None,
        data_format: str = "channels_last",
        name: str | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__(name=name, **arguments)
        self.ignore_index = ignore_index
        self.data_format = data_format

    def measure(self, truth: Any, log_probabilities: Any, counted: Any) -> Any:
        """Compares truth and prediction pixel by pixel.

        Args:
            truth: 1 for the true class and 0 for the others, float32 of shape `(K, pixels)`; all
                zero where the pixel does not count.
            log_probabilities: Shape `(K, pixels)`, K at least 2.
            counted: 1 where the pixel counts, 0 elsewhere, shape `(1, pixels)`.

        Returns:
            A scalar.
        """
        raise NotImplementedError

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Lays out both sides for `measure`."""
        logits = keras.ops.cast(y_pred, "float32")
        # Classes in front: sums over pixels then run along the memory, which takes half the time.
        axis = 1 if self.data_format == "channels_first" else -1
        channels = logits.shape[axis]
        logits = keras.ops.reshape(keras.ops.moveaxis(logits, axis, 0), (channels, -1))
        ids = keras.ops.reshape(keras.ops.cast(y_true, "int32"), (1, -1))
        log_probabilities = _log_probabilities(logits)
        counted = keras.ops.ones_like(ids, dtype="float32")
        if self.ignore_index is not None:
            counted = keras.ops.cast(ids != self.ignore_index, "float32")
        class_ids = keras.ops.expand_dims(keras.ops.arange(log_probabilities.shape[0]), 1)
        truth = keras.ops.cast(keras.ops.equal(ids, class_ids), "float32") * counted
        return self.measure(truth, log_probabilities, counted)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that build the loss again."""
        return {
            **super().get_config(),
            "ignore_index": self.ignore_index,
            "data_format": self.data_format,
        }


@keras.saving.register_keras_serializable(package="fewmask")
class CrossEntropy(SegmentationLoss):
    """Mean over the counted pixels of `-log p[true class]`; 0 where none counts."""

    def measure(self, truth: Any, log_probabilities: Any, counted: Any) -> Any:
        """See `SegmentationLoss.measure`."""
        return _mean_of_counted(-keras.ops.sum(truth * log_probabilities, 0), counted)


@keras.saving.register_keras_serializable(package="fewmask")
class Focal(SegmentationLoss):
    """Cross-entropy that turns to the pixels still wrong: `-(1 - p)^gamma log p`.

    Args:
        gamma: How strongly; 0 is the cross-entropy. Between 0 and 1 the slope has no bound.
        **arguments: Those of `SegmentationLoss`.

    Reference: Lin et al. (2017), arXiv:1708.02002.
    """

    def __init__(self, gamma: float = 2.0, **arguments: Any) -> None:
        super().__init__(**arguments)
        if gamma != 0 and gamma < 1:
            raise ArgumentError("gamma", "0, or 1 and above", str(gamma), "2 is the usual choice.")
        self.gamma = gamma

    def measure(self, truth: Any, log_probabilities: Any, counted: Any) -> Any:
        """See `SegmentationLoss.measure`."""
        log_right = keras.ops.sum(truth * log_probabilities, 0)
        wrong = keras.ops.maximum(1.0 - keras.ops.exp(log_right), 0.0)
        return _mean_of_counted(-(wrong**self.gamma) * log_right, counted)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that build the loss again."""
        return {**super().get_config(), "gamma": self.gamma}


@keras.saving.register_keras_serializable(package="fewmask")
class Tversky(SegmentationLoss):
    """One minus the soft overlap of each foreground class, pooled over the batch.

    `1 - (TP + s) / (TP + a FP + b FN + s)` with probabilities in the place of counts, the mean
    over the foreground classes. Sums run over the whole batch: on single pictures, those without
    the class would say all or nothing. `s` is half of `SMOOTH`.

    Args:
        false_positives: Weight `a` of pixels predicted in vain.
        false_negatives: Weight `b` of pixels missed; above `a`, thin things are found.
        **arguments: Those of `SegmentationLoss`.

    Reference: Salehi, Erdogmus & Gholipour (2017), arXiv:1706.05721.
    """

    def __init__(
        self, false_positives: float = 0.3, false_negatives: float = 0.7, **arguments: Any
    ) -> None:
        super().__init__(**arguments)
        self.false_positives = false_positives
        self.false_negatives = false_negatives

    def measure(self, truth: Any, log_probabilities: Any, counted: Any) -> Any:
        """See `SegmentationLoss.measure`."""
        truth = truth[1:]
        predicted = keras.ops.exp(log_probabilities[1:]) * counted
        hits = keras.ops.sum(truth * predicted, 1)
        in_vain = keras.ops.sum(predicted, 1) - hits
        missed = keras.ops.sum(truth, 1) - hits
        smooth = SMOOTH / 2
        size = hits + self.false_positives * in_vain + self.false_negatives * missed
        return keras.ops.mean(1.0 - (hits + smooth) / (size + smooth))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that build the loss again."""
        return {
            **super().get_config(),
            "false_positives": self.false_positives,
            "false_negatives": self.false_negatives,
        }


@keras.saving.register_keras_serializable(package="fewmask")
class SoftDice(Tversky):
    """One minus the soft Dice of each foreground class, pooled over the batch.

    `1 - (2 TP + SMOOTH) / (2 TP + FP + FN + SMOOTH)`: `Tversky` with both weights at one half.

    Reference: Milletari, Navab & Ahmadi (2016), arXiv:1606.04797.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**{**arguments, "false_positives": 0.5, "false_negatives": 0.5})


@keras.saving.register_keras_serializable(package="fewmask")
class CombinedLoss(SegmentationLoss):
    """The plain sum of two losses, by default cross-entropy and soft Dice.

    Cross-entropy steers every pixel from the first step on, Dice keeps small classes from being
    given up; together they are the most robust choice known (`Loss odyssey in medical image
    segmentation`, Ma et al., 2021).

    Args:
        parts: Losses to add; their own `ignore_index` and `data_format` have no say.
        **arguments: Those of `SegmentationLoss`.
    """

    def __init__(self, parts: Sequence[SegmentationLoss] = (), **arguments: Any) -> None:
        super().__init__(**arguments)
        self.parts = tuple(parts) or (CrossEntropy(), SoftDice())

    def measure(self, truth: Any, log_probabilities: Any, counted: Any) -> Any:
        """See `SegmentationLoss.measure`."""
        return sum(part.measure(truth, log_probabilities, counted) for part in self.parts)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that build the loss again."""
        parts = [keras.saving.serialize_keras_object(part) for part in self.parts]
        return {**super().get_config(), "parts": parts}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> CombinedLoss:
        """Builds the loss from what `get_config` returned."""
        parts = [keras.saving.deserialize_keras_object(part) for part in config["parts"]]
        return cls(**{**config, "parts": parts})


LOSSES: dict[str, type[SegmentationLoss]] = {
    "cross-entropy+dice": CombinedLoss,
    "cross-entropy": CrossEntropy,
    "dice": SoftDice,
    "focal": Focal,
    "tversky": Tversky,
}


def make_loss(
    name: str, data_format: str = "channels_last", ignore_index: int | None = 255
) -> SegmentationLoss:
    """Makes a loss by its name.

    Args:
        name: One of `LOSSES`.
        data_format: Layout of the logits.
        ignore_index: Value in the truth whose pixels do not count.

    Returns:
        The loss, for `model.compile`.

    Raises:
        ArgumentError: If there is no loss of that name.
    """
    if name not in LOSSES:
        raise ArgumentError("loss", f"one of {', '.join(LOSSES)}", name, "Choose one of these.")
    return LOSSES[name](ignore_index=ignore_index, data_format=data_format)


def _log_probabilities(logits: Any) -> Any:
    """Turns one row of logits into two classes, and K into K; exact at any size of logit."""
    if logits.shape[0] > 1:
        return keras.ops.log_softmax(logits, axis=0)
    return keras.ops.concatenate(
        [-keras.ops.softplus(logits), -keras.ops.softplus(-logits)], axis=0
    )


def _mean_of_counted(values: Any, counted: Any) -> Any:
    counted = counted[0]
    return keras.ops.sum(values * counted) / keras.ops.maximum(keras.ops.sum(counted), 1.0)
