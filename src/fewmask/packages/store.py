"""The store: datasets on this machine, each file once, each version whole or not there."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import platformdirs

from fewmask.errors import DataError, typed
from fewmask.files import cannot_write, whole_file
from fewmask.packages.checks import plain_path
from fewmask.packages.manifest import Manifest, NewerFormat, PackagedFile
from fewmask.packages.names import DatasetName, parse_name
from fewmask.packages.staging import staging
from fewmask.packages.store_lock import QUIET_SECONDS, Say, StoreLock

__all__ = ["QUIET_SECONDS", "Say", "Store", "default_store"]


def default_store() -> Store:
    """Returns the store of the person who runs this."""
    return Store(Path(platformdirs.user_data_dir("fewmask")) / "store")


class Store:
    """Datasets in a folder.

    `objects/ab/abcd…` holds files under the SHA-256 of their bytes, so that versions share
    what is equal in them. `versions/owner/name/3.json` holds the manifest of a version; a
    version is there when its manifest is, and that is written last, when everything it names
    has arrived. `partial/` holds what is on its way. Objects come and go only under the lock,
    which is held for moments: whoever downloads or builds does it in `partial/` without.

    Args:
        root: The folder; it is made when something is first put there.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self._lock = StoreLock(self.root)

    def __repr__(self) -> str:
        return f"Store({str(self.root)!r})"

    def __getstate__(self) -> Path:
        return self.root

    def __setstate__(self, root: Path) -> None:
        Store.__init__(self, root)

    # --- places -----------------------------------------------------------------------------

    def object_path(self, sha256: str) -> Path:
        """Returns where a file of this hash lies, or would."""
        return self.root / "objects" / sha256[:2] / sha256

    def version_path(self, name: DatasetName) -> Path:
        """Returns where the manifest of a version lies, or would; `name` has a version."""
        return self._folder(name) / f"{name.version}.json"

    def partial_path(self, sha256: str) -> Path:
        """Returns where a file of this hash grows while it is downloaded."""
        return self.root / "partial" / sha256

    def _folder(self, name: DatasetName) -> Path:
        return self.root / "versions" / name.owner / name.name

    # --- reading ----------------------------------------------------------------------------

    def has(self, file: PackagedFile) -> bool:
        """Whether a file is here, whole by its size; `verify` looks at every byte."""
        try:
            return self.object_path(file.sha256).stat().st_size == file.size
        except OSError:
            return False

    def names(self) -> list[DatasetName]:
        """Lists every version that is here, in the order of names, then of versions.

        What does not belong into a store is passed over.
        """
        found = []
        for path in self.root.glob("versions/*/*/*.json"):
            with suppress(ValueError):
                owner, name = path.parts[-3:-1]
                found.append(parse_name(f"{owner}/{name}@{path.stem}"))
        return sorted(found)

    def is_whole(self, name: DatasetName) -> bool:
        """Whether a version is here with all its files; `name` has a version."""
        if name.version not in self.versions(name):
            return False
        return all(self.has(file) for file in self._read(name).files)

    def versions(self, name: DatasetName) -> list[int]:
        """Lists the versions of a dataset that are here, oldest first."""
        # By the names as they are written: a disk may take `A/b` for `a/b`, which is another.
        return [each.version or 0 for each in self.names() if each.path == name.path]

    def matching(self, name: DatasetName) -> list[DatasetName]:
        """Lists the versions that a name means: that one, or all where it has none.

        Raises:
            DataError: If none is installed.
        """
        existing = self._existing(name)
        if name.version is not None:
            return [existing]
        return [name.at(version) for version in self.versions(name)]

    def manifests(self) -> list[Manifest]:
        """Reads the manifest of every version that is here, in the order of `names`.

        Raises:
            DataError: If one is damaged.
        """
        return [self._read(name) for name in self.names()]

    def manifest(self, name: DatasetName) -> Manifest:
        """Reads the manifest of a version.

        Args:
            name: With a version, or without to get the newest.

        Raises:
            DataError: If it is not installed, or its manifest is damaged.
        """
        return self._read(self._existing(name))

    def manifest_bytes(self, name: DatasetName) -> bytes:
        """Returns the manifest of a version as it was published, byte for byte.

        Args:
            name: As for `manifest`.

        Raises:
            DataError: If it is not installed.
        """
        path = self.version_path(self._existing(name))
        try:
            return path.read_bytes()
        except OSError as error:
            raise DataError(
                path, "a manifest that can be read", str(error.strerror), "Check its rights."
            ) from error

    def _existing(self, name: DatasetName) -> DatasetName:
        versions = self.versions(name)
        if not versions:
            raise DataError(
                name, "an installed dataset", self._what_is_here(), f"Run: fewmask install {name}"
            )
        if name.version is None:
            return name.at(versions[-1])
        if name.version not in versions:
            here = ", ".join(map(str, versions))
            raise DataError(
                name,
                "an installed version",
                f"only version{'s' if len(versions) > 1 else ''} {here} of it",
                f"Run: fewmask install {name}",
            )
        return name

    def _what_is_here(self) -> str:
        names = sorted({name.path for name in self.names()})
        return (
            f"only {', '.join(names[:5])}{' and more' if len(names) > 5 else ''}"
            if names
            else ("none on this machine")
        )

    def _read(self, name: DatasetName) -> Manifest:
        path = self.version_path(name)
        content = self.manifest_bytes(name)
        try:
            manifest = Manifest.from_bytes(content, path)
            if manifest.dataset != name:
                raise DataError(path, f"the manifest of {name}", f"that of {manifest.dataset}", "")
        except NewerFormat:
            raise
        except DataError as error:
            # Whoever publishes it is not to blame for what became of it here.
            remedy = f"Set it aside with: {typed('fewmask', 'dataset', 'verify', name)}"
            raise DataError(error.where, error.expected, error.found, remedy) from error
        return manifest

    # --- writing ----------------------------------------------------------------------------

    def adopt(self, source: Path, sha256: str) -> None:
        """Moves a finished file in among the objects; call it inside `lock`.

        Args:
            source: A file on the same disk, in `partial/` say, whose bytes have been checked.
            sha256: Of its bytes.

        Raises:
            FewmaskError: If it cannot be moved.
        """
        place = self.object_path(sha256)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            # Replaced even if it is there: the one that is there may be damaged, this one is not.
            os.replace(source, place)
        except OSError as error:
            raise cannot_write(place, error) from error

    def set_aside(self, sha256: str) -> None:
        """Moves a damaged object to `damaged/`, so that it counts as missing.

        Args:
            sha256: What its bytes should have been.

        Raises:
            FewmaskError: If it cannot be moved.
        """
        self._move_aside(self.object_path(sha256), sha256)

    def set_version_aside(self, name: DatasetName) -> None:
        """Moves a damaged manifest to `damaged/`, so that its version can be installed anew.

        Args:
            name: The version.

        Raises:
            FewmaskError: If it cannot be moved.
        """
        self._move_aside(self.version_path(name), f"{name}.json")

    def _move_aside(self, path: Path, name: str) -> None:
        place = self.root / "damaged" / name
        with self.lock():
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                os.replace(path, place)
            except FileNotFoundError:
                pass
            except OSError as error:
                raise cannot_write(place, error) from error

    def add_version(self, content: bytes) -> Manifest:
        """Makes a version visible. All its files must be here.

        Args:
            content: The manifest as it was published; these bytes are kept.

        Returns:
            The manifest.

        Raises:
            DataError: If it is no good manifest, a file is missing, there is another version
                of this number already, or a name that differs by capitals alone.
            FewmaskError: If it cannot be written.
        """
        manifest = Manifest.from_bytes(content, "the manifest to be installed")
        name = manifest.dataset
        with self.lock():
            self.check_case(name)
            path = self.version_path(name)
            is_there = path.exists()
            if is_there and path.read_bytes() != content:
                raise DataError(
                    name,
                    "a version that is not there yet",
                    "another one of this number in the store",
                    f"Run: fewmask dataset uninstall {name}",
                )
            missing = [file.path for file in manifest.files if not self.has(file)]
            if missing:
                raise DataError(
                    name,
                    f"all its {len(manifest.files)} files in the store",
                    f"{len(missing)} missing, {missing[0]} for one",
                    "Try again.",
                )
            if not is_there:
                with whole_file(path) as beside:
                    beside.write_bytes(content)
        return manifest

    def check_case(self, name: DatasetName) -> None:
        """Refuses a name that some file systems would mix with one that is here.

        Raises:
            DataError: If it differs from one in the store by capitals alone.
        """
        for other in self.names():
            if other.path != name.path and plain_path(other.path) == plain_path(name.path):
                raise DataError(
                    name.path,
                    "a name that differs by more than capitals from those in the store",
                    other.path,
                    f"Use that name, or run: fewmask dataset uninstall {other.path}",
                )

    def remove_version(self, name: DatasetName) -> int:
        """Removes a version, or all versions if `name` has none, and what only they needed.

        Datasets that are loaded from it can no longer read their images.

        Args:
            name: The dataset, with or without a version.

        Returns:
            Bytes that became free.

        Raises:
            DataError: If it is not installed, or another manifest is damaged: nobody knows then
                what may go.
            FewmaskError: If the store cannot be written to.
        """
        with self.lock():
            gone = self.matching(name)
            for other in self.names():
                if other not in gone:
                    self._read(other)
            try:
                for each in gone:
                    self.version_path(each).unlink()
                    (self.root / "sheets" / f"{each}.jpg").unlink(missing_ok=True)
                for folder in (self._folder(name), self._folder(name).parent):
                    with suppress(OSError):  # another version, or name, is still in it
                        folder.rmdir()
            except OSError as error:
                raise cannot_write(self._folder(name), error) from error
            return self.remove_unused()

    def remove_unused(self) -> int:
        """Removes the objects that no version names.

        Returns:
            Bytes that became free.

        Raises:
            DataError: If a manifest is damaged: nobody knows then what it needs.
        """
        freed = 0
        with self.lock():
            used = {file.sha256 for manifest in self.manifests() for file in manifest.files}
            for path in self.root.glob("objects/*/*"):
                if path.name not in used:
                    with suppress(OSError):  # in use on Windows: it goes the next time
                        size = path.stat().st_size
                        path.unlink()
                        freed += size
        return freed

    def staging(self) -> AbstractContextManager[Path]:
        """Lends a new folder in `partial/`, for files that are yet to be adopted.

        It is removed at the end, and if the process is killed, by whoever needs a folder next.
        """
        return staging(self.root / "partial")

    def lock(self, say: Say | None = None) -> AbstractContextManager[None]:
        """Keeps other processes from changing the store for the length of a block.

        Args:
            say: Told, after two seconds, whom this waits for.
        """
        return self._lock.held(say)
