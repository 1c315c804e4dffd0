"""The batches of patches that a network learns from, epoch after epoch."""

from __future__ import annotations

import itertools
import time
import weakref
from collections.abc import Generator, Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fewmask.data.ahead import work_ahead
from fewmask.data.augmentation.augment import Augmentation, augment
from fewmask.data.augmentation.warp import Spot
from fewmask.data.copies import Copies
from fewmask.errors import ArgumentError
from fewmask.training.patches import Patches

Batch: TypeAlias = tuple[NDArray[np.float32], NDArray[np.uint8]]
"""Images `(N, C, H, W)` or `(N, H, W, C)` in 0-255, masks `(N, H, W)` of class ids."""


class Batches:
    """Makes batches in threads while the network learns from those before.

    Every batch holds `batch_size` patches and every epoch `steps_per_epoch` batches. Without
    `patches` each of them shows a whole sample, and an epoch has enough to see each sample once;
    places left over in the last batch go to samples drawn anew, so a few are seen twice (many
    times, where there are fewer samples than places in a batch). Where `steps` says otherwise,
    the places of all epochs are one row, in which every sample comes once before any comes again.

    What a batch holds is a function of `(seed, epoch, place in the epoch)` and nothing else:
    not of the number of threads, nor of where training began, so a training that is resumed
    sees what it would have seen.

    Iterating gives what Keras' `fit` takes, a generator. Its threads end when it is exhausted,
    closed or forgotten; `close` does it for the generators of this object.

    Args:
        copies: Where images and masks are read from.
        indices: Which of the copies to learn from, at least one.
        size: Side of the patches in pixels.
        batch_size: Patches in a batch.
        augmentation: How patches are changed.
        seed: Number of 0 or more that order and changes are drawn from.
        data_format: Layout of the images, `channels_first` or `channels_last`.
        first_epoch: Number of the epoch to begin with; epochs count from 1.
        epochs: How many epochs to make, or None to go on for as long as one asks.
        threads: How many threads make batches.
        patches: Where patches lie that show a part of a sample each.
        steps: Batches in an epoch; left out, as many as show each sample once, or as `patches`
            has.

    Attributes:
        steps_per_epoch: Batches in an epoch.
        waited: Seconds for which the consumer has waited until now, for the first batch too.

    Raises:
        ArgumentError: If `indices` is empty or a count is below 1.

    Example:

    >>> import tempfile
    >>> from pathlib import Path
    >>> from fewmask.data.copies import Place
    >>> path = Path(tempfile.mkdtemp()) / "copies"
    >>> _ = path.write_bytes(bytes(2 * 3 * (3 + 1)))
    >>> copies = Copies(path, (Place(0, 2, 3),), 3, ("a picture",), 3)
    >>> for images, masks in Batches(copies, [0], 8, 4, Augmentation(), seed=0, epochs=2):
    ...     print(images.shape, masks.shape)
    (4, 8, 8, 3) (4, 8, 8)
    (4, 8, 8, 3) (4, 8, 8)
    """

    def __init__(
        self,
        copies: Copies,
        indices: Sequence[int],
        size: int,
        batch_size: int,
        augmentation: Augmentation,
        seed: int,
        data_format: str = "channels_last",
        first_epoch: int = 1,
        epochs: int | None = None,
        threads: int = 1,
        patches: Patches | None = None,
        steps: int | None = None,
    ) -> None:
        one_pass = -(-len(indices) // max(1, batch_size))
        steps = steps if steps is not None else patches.steps if patches else one_pass
        counts = {
            "number of training images": len(indices),
            "batch_size": batch_size,
            "steps": steps,
            "first_epoch": first_epoch,
            "threads": threads,
        }
        for name, count in counts.items():
            if count < 1:
                raise ArgumentError(name, "1 or more", str(count), "Choose a larger number.")
        self.copies = copies
        self.indices = tuple(indices)
        self.size = size
        self.batch_size = batch_size
        self.augmentation = augmentation
        self.seed = seed
        self.data_format = data_format
        self.first_epoch = first_epoch
        self.epochs = epochs
        self.threads = threads
        self.patches = patches
        self.steps_per_epoch = steps
        self._one_pass = steps == one_pass
        self.waited = 0.0
        # Weak, so that a generator that nobody refers to any more still ends its threads.
        self._generators: weakref.WeakSet[Generator[Batch, None, None]] = weakref.WeakSet()

    def __iter__(self) -> Generator[Batch, None, None]:
        generator = self._generate()
        self._generators.add(generator)
        return generator

    def close(self) -> None:
        """Ends the threads; at most the batches that they are at are finished."""
        for generator in list(self._generators):
            generator.close()

    def order(self, epoch: int) -> list[tuple[int, Spot | None]]:
        """Draws which copy goes to which place of an epoch.

        Args:
            epoch: Its number.

        Returns:
            For each of `steps_per_epoch * batch_size` places the index of a copy, and where on
            it the patch lies, None where it shows all of it; then each of `indices` is there at
            least once, if an epoch is one pass.
        """
        if self.patches is not None:
            return [*self.patches.draw(epoch)]
        places = self.steps_per_epoch * self.batch_size
        if not self._one_pass:
            return self._row((epoch - 1) * places, places)
        rng = np.random.default_rng([self.seed, epoch, 0])
        drawn = [rng.permutation(self.indices) for _ in range(0, places, len(self.indices))]
        return [(int(index), None) for index in np.concatenate(drawn)[:places]]

    def _row(self, first: int, count: int) -> list[tuple[int, Spot | None]]:
        """Draws a stretch of the row in which every sample comes once before any comes again."""
        once, begin = divmod(first, len(self.indices))
        shuffles = range(once, (first + count - 1) // len(self.indices) + 1)
        drawn = np.concatenate(
            [np.random.default_rng([self.seed, n, 0]).permutation(self.indices) for n in shuffles]
        )
        return [(int(index), None) for index in drawn[begin : begin + count]]

    def patch(
        self, epoch: int, place: int, index: int, spot: Spot | None = None
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Makes one patch.

        Args:
            epoch: Number of the epoch.
            place: Place in the epoch, from 0.
            index: Which copy goes there.
            spot: Where on it the patch lies; left out, it shows all of it.

        Returns:
            Image `(size, size, C)` and mask `(size, size)`, both uint8.
        """
        # Place 0 would draw as the order does.
        rng = np.random.default_rng([self.seed, epoch, 1 + place])
        image, mask = self.copies.image(index), self.copies.mask(index)
        return augment(image, mask, self.size, self.augmentation, rng, spot)

    def batch(self, epoch: int, step: int, order: Sequence[tuple[int, Spot | None]]) -> Batch:
        """Makes one batch.

        Args:
            epoch: Number of the epoch.
            step: Number of the batch in the epoch, from 0.
            order: What goes into it, the part of what `order` returned.

        Returns:
            Images float32 in 0-255, in the data format; in either, the channels of a pixel lie
            side by side in memory, where torch works faster too. Masks uint8.
        """
        shape = (len(order), self.size, self.size)
        images = np.empty((*shape, self.copies.channels), np.float32)
        masks = np.empty(shape, np.uint8)
        for row, (index, spot) in enumerate(order):
            place = step * self.batch_size + row
            try:
                images[row], masks[row] = self.patch(epoch, place, index, spot)
            except Exception as error:
                name = self.copies.sample_id(index)
                error.add_note(f"This happened to the sample {name!r} in epoch {epoch}.")
                raise
        first = self.data_format == "channels_first"
        return images.transpose(0, 3, 1, 2) if first else images, masks

    def _generate(self) -> Generator[Batch, None, None]:
        made = work_ahead(
            lambda place: self.batch(*place), self._places(), self.threads, self.threads + 1
        )
        try:
            while True:
                began = time.perf_counter()
                batch = next(made, None)
                self.waited += time.perf_counter() - began
                if batch is None:
                    return
                yield batch
        finally:
            made.close()

    def _places(self) -> Iterator[tuple[int, int, list[tuple[int, Spot | None]]]]:
        epochs = itertools.count(self.first_epoch)
        for epoch in itertools.islice(epochs, self.epochs):
            order = self.order(epoch)
            for step in range(self.steps_per_epoch):
                yield epoch, step, order[step * self.batch_size : (step + 1) * self.batch_size]
