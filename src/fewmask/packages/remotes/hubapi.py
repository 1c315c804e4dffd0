"""Speaks to the Hugging Face Hub through its library, and puts its errors into our words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fewmask.errors import FewmaskError, MissingPackage
from fewmask.packages.remotes.http import HttpRemote
from fewmask.packages.remotes.patience import Patience
from fewmask.packages.remotes.remote import (
    NotThere,
    RemoteError,
    interrupted,
    no_right,
    not_there,
)

_RACES = frozenset({409, 412})
"""What the Hub answers to a commit whose parent is no longer the newest."""
_PASSING = frozenset({"ConnectError", "ConnectionError", "Timeout", "TransportError"})
"""Names of errors, because they come from a library that has changed before."""
_LOG_IN = "Log in with: hf auth login (to push, with a token that may write)"


@dataclass(frozen=True)
class HubFile:
    """One file of a repository.

    Args:
        path: Its path.
        size: Its bytes.
        sha256: Of its bytes, for large files; the Hub does not tell it of small ones.
    """

    path: str
    size: int
    sha256: str | None


@dataclass(frozen=True)
class HubState:
    """What a repository holds at one commit.

    Args:
        commit: The commit.
        files: Its files by their paths.
    """

    commit: str
    files: Mapping[str, HubFile]


class Overtaken(RemoteError):
    """Somebody else has made a commit in the meantime."""


class HubApi:
    """One repository of datasets on the Hub.

    Args:
        repository: `owner/name`.
        patience: How long to wait.
        options: Arguments of `huggingface_hub.HfApi`, such as `endpoint` and `token`.
    """

    def __init__(
        self, repository: str, patience: Patience, options: Mapping[str, Any] | None
    ) -> None:
        self._repository = repository
        self._url = f"hf://{repository}"
        self._patience = patience
        self._hub = _import_hub()
        self._api = self._hub.HfApi(**(options or {}))

    def state(self, commit: str | None) -> HubState:
        """Asks what the repository holds, at a commit or now.

        Raises:
            NotThere: If there is no such repository, or none that one may see.
        """
        with self._asking(self._url):
            facts = self._api.dataset_info(
                self._repository,
                revision=commit,
                timeout=self._patience.timeout,
                files_metadata=True,
            )
        files = [
            HubFile(file.rfilename, file.size or 0, file.lfs.sha256 if file.lfs else None)
            for file in facts.siblings or ()
        ]
        return HubState(str(facts.sha), {file.path: file for file in files})

    def commit_that_brought(self, path: str, commit: str) -> str:
        """Asks for the last commit, up to this one, that changed a file."""
        with self._asking(f"{self._url}/{path}"):
            (facts,) = self._api.get_paths_info(
                self._repository, [path], expand=True, revision=commit, repo_type="dataset"
            )
        return str(facts.last_commit.oid)

    def files_at(self, commit: str) -> HttpRemote:
        """Makes what reads the files of one commit, from any byte on."""
        headers = self._hub.utils.build_hf_headers(token=self._api.token)
        address = f"{self._api.endpoint}/datasets/{self._repository}/resolve/{commit}"
        return HttpRemote(address, self._patience, headers)

    def make_repository(self) -> None:
        """Makes the repository, so that only its owner sees it."""
        with self._asking(self._url, writing=True):
            self._api.create_repo(
                self._repository, repo_type="dataset", private=True, exist_ok=True
            )

    def addition(self, path: str, content: Path | bytes) -> Any:
        """Makes the part of a commit that adds or replaces a file."""
        return self._hub.CommitOperationAdd(path, content)

    def removal(self, path: str) -> Any:
        """Makes the part of a commit that removes a file."""
        return self._hub.CommitOperationDelete(path)

    def upload(self, additions: Sequence[Any]) -> None:
        """Uploads files ahead of the commit that will name them; until then nobody sees them."""
        with self._asking(self._url, writing=True), self._without_bars():
            self._api.preupload_lfs_files(
                self._repository, additions, repo_type="dataset", free_memory=False
            )

    def commit(self, title: str, operations: Sequence[Any], parent: str) -> str:
        """Makes a commit if its parent is still the newest one.

        Returns:
            The commit.

        Raises:
            Overtaken: If it is not.
        """
        try:
            with self._asking(self._url, writing=True), self._without_bars():
                done = self._api.create_commit(
                    self._repository,
                    operations,
                    commit_message=title,
                    repo_type="dataset",
                    parent_commit=parent,
                )
        except RemoteError as error:
            if _status(error.__cause__) in _RACES:
                raise Overtaken(self._url, "the newest commit", "a newer", "Try again.") from error
            raise
        return str(done.oid)

    def tag(self, name: str, commit: str) -> None:
        """Gives a commit a name."""
        with self._asking(self._url):
            self._api.create_tag(
                self._repository, tag=name, revision=commit, repo_type="dataset", exist_ok=True
            )

    @contextmanager
    def _asking(self, where: str, writing: bool = False) -> Iterator[None]:
        try:
            yield
        except FewmaskError:
            raise
        except Exception as error:  # the library raises errors of several families
            raise _in_our_words(where, error, writing) from error

    @contextmanager
    def _without_bars(self) -> Iterator[None]:
        """Keeps the library from drawing its bars among ours."""
        if self._hub.utils.are_progress_bars_disabled():
            yield
            return
        self._hub.utils.disable_progress_bars()
        try:
            yield
        finally:
            self._hub.utils.enable_progress_bars()


def _import_hub() -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise MissingPackage("huggingface_hub", "the Hub", 'pip install "fewmask[hub]"') from error
    return huggingface_hub


def _in_our_words(where: str, error: BaseException, writing: bool) -> RemoteError:
    if type(error) is RuntimeError and error.__cause__ is not None:
        error = error.__cause__  # its threads wrap what went wrong
    names = {kind.__name__ for kind in type(error).__mro__}
    status = _status(error)
    line = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
    if "GatedRepoError" in names or status == 403:
        return no_right(where, f"the Hub's answer {status}", _LOG_IN)
    if writing and status in (401, 404):
        return no_right(where, "nobody logged in who may write to it", _LOG_IN)
    if "RepositoryNotFoundError" in names:
        return NotThere(
            where,
            "a repository of datasets on the Hub",
            "none of this name that you may see",
            "Check the name; if it is private, log in with: hf auth login",
        )
    if status == 401:
        return no_right(where, "nobody logged in", _LOG_IN)
    if status == 404:
        return not_there(where)
    if (status is not None and (status == 429 or status >= 500)) or names & _PASSING:
        return interrupted(where, f"a broken connection ({line})")
    return RemoteError(where, "an answer that can be used", line, "Check the name.")


def _status(error: BaseException | None) -> int | None:
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None
