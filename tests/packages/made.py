"""Packages of a few bytes, made without Parquet: whatever carries them does not look inside."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from fewmask.packages.manifest import Manifest, PackagedFile
from fewmask.packages.names import parse_name
from fewmask.packages.store import Store

FILES = {
    "README.md": b"# Chairs\n",
    "data/train-0.parquet": b"PAR1 four chairs PAR1",
    "data/test-0.parquet": b"PAR1 one chair PAR1",
}


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def manifest_of(name: str, files: Mapping[str, bytes]) -> Manifest:
    """Makes the manifest of `owner/name@version`."""
    parsed = parse_name(name)
    packaged = tuple(
        PackagedFile(path, sha256_of(content), len(content)) for path, content in files.items()
    )
    return Manifest(parsed.path, parsed.version or 1, "CC0-1.0", packaged, (), {})


def add_version(store: Store, name: str, files: Mapping[str, bytes] = FILES) -> Manifest:
    """Puts a version into a store, as building it would."""
    manifest = manifest_of(name, files)
    with store.lock():
        for content in files.values():
            beside = store.partial_path(sha256_of(content))
            beside.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(content)
            store.adopt(beside, sha256_of(content))
        store.add_version(manifest.to_bytes())
    return manifest


def installed_files(store: Store, manifest: Manifest) -> dict[str, bytes]:
    """Reads every file of a version from a store."""
    return {file.path: store.object_path(file.sha256).read_bytes() for file in manifest.files}


def is_sound(store: Store) -> bool:
    """Says whether every version in a store has all its bytes, and nothing else lies there."""
    named = {file.sha256 for manifest in store.manifests() for file in manifest.files}
    there = {path.name: path for path in store.root.glob("objects/*/*")}
    return named == set(there) and all(
        sha256_of(path.read_bytes()) == name for name, path in there.items()
    )


def registry_is_sound(root: Path) -> bool:
    """Says whether everything that a registry in a folder offers can be installed."""
    for path in root.glob("versions/*/*/[0-9]*.json"):
        for file in Manifest.from_bytes(path.read_bytes(), path).files:
            content = (root / "objects" / file.sha256[:2] / file.sha256).read_bytes()
            if sha256_of(content) != file.sha256:
                return False
    return True
