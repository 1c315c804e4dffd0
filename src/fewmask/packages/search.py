"""Looks for a dataset in registries, and takes it from the first that has it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from fewmask.errors import DataError, FewmaskError, typed
from fewmask.packages.arrival import Whereabouts, bring, once
from fewmask.packages.lockfile import Pin, Pins, check_pin, read_pins, write_pin
from fewmask.packages.manifest import HUB_ORIGIN, Manifest
from fewmask.packages.names import DatasetName
from fewmask.packages.progress import Progress
from fewmask.packages.registry import NotHeld, Registry
from fewmask.packages.remotes import open_remote
from fewmask.packages.remotes.patience import Patience
from fewmask.packages.store import Say, Store

if TYPE_CHECKING:
    from fewmask.packages.remotes.hub import HubRemote

HUB = "hf://"


@dataclass(frozen=True)
class Installed:
    """A version that is in the store now.

    Args:
        manifest: The version.
        fetched: Bytes of the files that were not there.
        shared: Bytes of the files that other versions had brought already.
        registry: Where it was found; empty if nobody was asked, because it was there.
        replaced: The version that the project's lock file named before, if another.
    """

    manifest: Manifest
    fetched: int = 0
    shared: int = 0
    registry: str = ""
    replaced: DatasetName | None = None

    @property
    def name(self) -> DatasetName:
        """The name with its version."""
        return self.manifest.dataset


@dataclass(frozen=True)
class Search:
    """A search for datasets.

    Args:
        store: Where to put them.
        lock: Lock file of the project in which they are pinned, if there is one.
        progress: Called with the bytes that are there, then all that are to be fetched.
        say: Told whom this waits for.
        patience: How long to wait for a registry.
        options: Further arguments for the libraries that speak to registries.
    """

    store: Store
    lock: Path | None
    progress: Progress | None
    say: Say | None
    patience: Patience
    options: Mapping[str, Any] | None

    def pins(self) -> Pins:
        """Reads the lock file of the project."""
        return read_pins(self.lock) if self.lock is not None else {}

    def take_from_store(self, wanted: DatasetName, pin: Pin | None) -> Installed:
        """Takes what is there, and asks nobody."""
        versions = self.store.versions(wanted)
        name = wanted.at(wanted.version or max(versions, default=None))
        if name.version not in versions or not self.store.is_whole(name):
            here = ", ".join(map(str, versions))
            others = f"only version{'s' if len(versions) > 1 else ''} {here} of it"
            raise DataError(
                wanted,
                "a dataset that is whole in the store, because of --offline",
                "one with files missing"
                if name.version in versions
                else (others if versions else "none of this name"),
                f"With a network, run: {typed('fewmask', 'install', wanted)}",
            )
        manifest = self.store.manifest(name)
        return self._pinned(Installed(manifest, shared=manifest.size), pin)

    def find_and_fetch(
        self, wanted: DatasetName, urls: Sequence[str], pin: Pin | None
    ) -> Installed:
        """Looks in registries one after the other, and fetches from the first that has it."""
        # A pin says what must come, so it does not matter who sends it.
        forgiving = pin is not None and pin.name == wanted
        refusals: list[FewmaskError] = []
        for url in urls:
            try:
                return self._ask(wanted, url, pin)
            except FewmaskError as error:
                if len(urls) == 1 or not (forgiving or isinstance(error, NotHeld)):
                    raise
                refusals.append(error)
        raise DataError(
            wanted,
            f"a dataset that one of these holds: {', '.join(urls)}",
            f"none that does; the first says: found {refusals[0].found}",
            "Check the name for a slip, or name another registry with --from.",
        )

    def _ask(self, wanted: DatasetName, url: str, pin: Pin | None) -> Installed:
        with closing(open_remote(url, patience=self.patience, options=self.options)) as remote:
            registry = Registry(remote, self.patience)
            if url.startswith(HUB):
                hub = cast("HubRemote", remote)
                only = registry.only_dataset()
                if wanted.path == hub.repository and only is None:
                    return self._take_foreign(hub, wanted, pin)
                if wanted.path == hub.repository and only is not None:
                    wanted = only.at(wanted.version)
                    pin = self.pins().get(wanted.path)
            name = registry.find(wanted)
            manifest, content = registry.read_manifest(name)
            return self._take(registry, manifest, content, pin)

    def _take(
        self, registry: Registry, manifest: Manifest, content: bytes, pin: Pin | None
    ) -> Installed:
        name, url = manifest.dataset, registry.remote.url
        check_pin(self.lock or Path(), pin, name, hashlib.sha256(content).hexdigest())
        # Before any byte arrives, and before a file system takes the other one for this.
        self.store.check_case(name)
        if name.version in self.store.versions(name):
            if self.store.manifest_bytes(name) != content:
                raise DataError(
                    name,
                    f"the version that {url} holds",
                    "another one of this number in the store",
                    f"To replace it: {typed('fewmask', 'dataset', 'uninstall', name)}",
                )
            if self.store.is_whole(name):
                present = Installed(manifest, shared=manifest.size, registry=url)
                return self._pinned(present, pin)
        fetched = bring(
            registry.remote,
            manifest.files,
            lambda _: content,
            self.store,
            self.patience,
            self.progress,
            self.say,
        )
        whole = sum(file.size for file in once(manifest.files))
        return self._pinned(Installed(manifest, fetched, whole - fetched, url), pin)

    def _take_foreign(self, hub: HubRemote, wanted: DatasetName, pin: Pin | None) -> Installed:
        """Installs what somebody else has put on the Hub."""
        from fewmask.packages.hubdataset import look_at, manifest_of

        if wanted.version is not None and hub.commit is None:
            raise NotHeld(
                wanted,
                f"a version that {hub.url} holds",
                "somebody else's dataset, which has commits but no versions",
                f"Run: {typed('fewmask', 'install', hub.url)}",
            )
        self.store.check_case(wanted)
        foreign = look_at(hub, self.patience)
        origin = {HUB_ORIGIN: hub.url, "commit": hub.state.commit}
        versions = self.store.versions(wanted)
        for version in reversed(versions):
            name = wanted.at(version)
            if wanted not in (name, name.at(None)):
                continue
            manifest = self.store.manifest(name)
            if manifest.made_from == origin and self.store.is_whole(name):
                present = Installed(manifest, shared=manifest.size, registry=foreign.url)
                return self._pinned(present, pin)
        name = wanted.at(wanted.version or max(versions, default=0) + 1)

        def make(whereabouts: Whereabouts) -> bytes:
            content = manifest_of(foreign, name, whereabouts).to_bytes()
            check_pin(self.lock or Path(), pin, name, hashlib.sha256(content).hexdigest())
            return content

        fetched = bring(
            hub, foreign.files, make, self.store, self.patience, self.progress, self.say
        )
        whole = sum(file.size for file in once(foreign.files))
        installed = Installed(self.store.manifest(name), fetched, whole - fetched, foreign.url)
        return self._pinned(installed, pin)

    def _pinned(self, installed: Installed, pin: Pin | None) -> Installed:
        """Notes in the project's lock file what is installed now."""
        if self.lock is None:
            return installed
        sha256 = hashlib.sha256(self.store.manifest_bytes(installed.name)).hexdigest()
        check_pin(self.lock, pin, installed.name, sha256)
        # Of what was there already, the registry that another version came from is a good guess.
        registry = installed.registry or (pin.registry if pin is not None else "")
        with self.store.lock(self.say):
            old = write_pin(self.lock, Pin(installed.name, sha256, registry))
        return replace(installed, replaced=old.name if old is not None else None)
