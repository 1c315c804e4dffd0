"""A small server that answers as the Hugging Face Hub does, as far as its client library is used.

Written after the library's source and the Hub's documented API: repositories with commits,
small files in commits, large ones by Git LFS, downloads that point to another place.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "hf_made_up"


@dataclass(frozen=True)
class Blob:
    content: bytes
    large: bool

    @property
    def oid(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def facts(self) -> dict[str, Any]:
        header = f"blob {len(self.content)}\0".encode()
        lfs = {"oid": self.oid, "sha256": self.oid, "size": len(self.content), "pointerSize": 134}
        return {
            "size": len(self.content),
            "oid": hashlib.sha1(header + self.content).hexdigest(),
            "blobId": hashlib.sha1(header + self.content).hexdigest(),
            **({"lfs": lfs} if self.large else {}),
        }


@dataclass
class Commit:
    oid: str
    title: str
    tree: dict[str, Blob]


@dataclass
class Repository:
    commits: list[Commit]
    tags: dict[str, str] = field(default_factory=dict)
    large: dict[str, bytes] = field(default_factory=dict)
    private: bool = False

    def at(self, revision: str) -> Commit | None:
        if revision == "main":
            return self.commits[-1]
        revision = self.tags.get(revision, revision)
        return next((each for each in self.commits if each.oid == revision), None)

    def commit(self, title: str, tree: dict[str, Blob]) -> Commit:
        oid = hashlib.sha1(f"{len(self.commits)} {title} {sorted(tree)}".encode()).hexdigest()
        self.commits.append(Commit(oid, title, tree))
        return self.commits[-1]

    def last_commit_of(self, path: str, revision: str) -> Commit:
        commits = self.commits[: self.commits.index(self.at(revision)) + 1]
        blob = commits[-1].tree[path]
        last = commits[-1]
        for commit in reversed(commits):
            if commit.tree.get(path) != blob:
                break
            last = commit
        return last


class HubServer(ThreadingHTTPServer):
    """The Hub, with repositories in memory."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.endpoint = f"http://127.0.0.1:{self.server_port}"
        self.repositories: dict[str, Repository] = {}
        self.turn = threading.RLock()
        self.seen: list[str] = []
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def make(self, name: str, private: bool = False) -> Repository:
        attributes = Blob(b"*.parquet filter=lfs diff=lfs merge=lfs -text\n", False)
        repository = Repository([], private=private)
        repository.commit("initial commit", {".gitattributes": attributes})
        return self.repositories.setdefault(name, repository)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of clients that hang up."""


class Answer(BaseHTTPRequestHandler):
    """Answers one request."""

    server: HubServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        parts = urlsplit(self.path)
        self.query = parse_qs(parts.query)
        self.path_asked = unquote(parts.path)
        self.server.seen.append(f"{self.command} {self.path_asked}")
        with self.server.turn:
            for pattern, method in ROUTES:
                match = re.fullmatch(pattern, f"{self.command} {self.path_asked}")
                if match:
                    method(self, *match.groups())
                    return
        self.send(404, {"error": "Not Found"})

    do_GET = do_HEAD = do_POST = do_PUT = handle_any  # noqa: N815

    def send(self, code: int, content: Any = b"", headers: dict[str, str] | None = None) -> None:
        headers = headers or {}
        if not isinstance(content, bytes):
            content = json.dumps(content).encode()
            headers = {"Content-Type": "application/json", **headers}
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def repository(self, name: str) -> Repository | None:
        found = self.server.repositories.get(name)
        known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if found is None or (found.private and not known):
            self.send(
                404 if known else 401,
                {"error": "Repository not found"},
                {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"},
            )
            return None
        return found

    def may_write(self) -> bool:
        if self.headers.get("Authorization") == f"Bearer {TOKEN}":
            return True
        self.send(401, {"error": "Invalid username or password."})
        return False

    def dataset_info(self, name: str, revision: str = "main") -> None:
        repository = self.repository(name)
        if repository is None:
            return
        commit = repository.at(revision)
        assert commit is not None
        siblings = [{"rfilename": path, **blob.facts()} for path, blob in commit.tree.items()]
        self.send(
            200,
            {
                "_id": "0", "id": name, "sha": commit.oid, "siblings": siblings, "tags": [],
                "private": repository.private, "downloads": 0, "likes": 0, "gated": False,
                "disabled": False,
            },
        )  # fmt: skip

    def paths_info(self, name: str, revision: str) -> None:
        repository = self.repository(name)
        if repository is None:
            return
        commit = repository.at(revision)
        assert commit is not None
        asked = parse_qs(self.body.decode())
        found = []
        for path in asked["paths"]:
            if path in commit.tree:
                last = repository.last_commit_of(path, revision)
                found.append(
                    {
                        "type": "file", "path": path, **commit.tree[path].facts(),
                        "lastCommit": {
                            "id": last.oid, "title": last.title,
                            "date": "2026-11-22T10:00:00.000Z",
                        },
                    }
                )  # fmt: skip
        self.send(200, found)

    def create_repo(self) -> None:
        if not self.may_write():
            return
        asked = json.loads(self.body)
        name = f"{asked['organization']}/{asked['name']}"
        url = {"url": f"{self.server.endpoint}/datasets/{name}", "name": name, "id": name}
        if name in self.server.repositories:
            self.send(409, {"error": "You already created this dataset repo", **url})
            return
        assert asked["type"] == "dataset"
        hidden = asked.get("visibility") == "private" or asked.get("private") is True
        self.server.make(name, hidden)
        self.send(200, url)

    def validate_yaml(self) -> None:
        self.send(200, {"errors": [], "warnings": []})

    def preupload(self, name: str, revision: str) -> None:
        repository = self.repository(name)
        if repository is None or not self.may_write():
            return
        tree = repository.commits[-1].tree
        files = []
        for file in json.loads(self.body)["files"]:
            path = file["path"]
            mode = "lfs" if path.endswith((".parquet", ".png")) else "regular"
            there = tree.get(path)
            oid = None
            if there is not None:
                oid = there.oid if there.large else there.facts()["oid"]
            files.append({"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        self.send(200, {"files": files})

    def lfs_batch(self, name: str) -> None:
        repository = self.repository(name)
        if repository is None or not self.may_write():
            return
        objects = []
        for each in json.loads(self.body)["objects"]:
            answer = {"oid": each["oid"], "size": each["size"]}
            if each["oid"] not in repository.large:
                href = f"{self.headers['Host']}/lfs/{name}/{each['oid']}"
                answer["actions"] = {"upload": {"href": f"http://{href}"}}
            objects.append(answer)
        self.send(200, {"transfer": "basic", "objects": objects})

    def lfs_put(self, name: str, oid: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != oid:
            self.send(400, {"error": "not the content that was announced"})
            return
        self.server.repositories[name].large[oid] = self.body
        self.send(200)

    def commit(self, name: str, revision: str) -> None:
        repository = self.repository(name)
        if repository is None or not self.may_write():
            return
        lines = [json.loads(line) for line in self.body.splitlines()]
        head = repository.commits[-1]
        if lines[0]["value"].get("parentCommit", head.oid) != head.oid:
            message = "A commit has happened since. Please refresh and try again."
            self.send(412, {"error": message}, {"X-Error-Message": message})
            return
        tree = dict(head.tree)
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                tree[value["path"]] = Blob(base64.b64decode(value["content"]), False)
            elif line["key"] == "lfsFile":
                tree[value["path"]] = Blob(repository.large[value["oid"]], True)
            elif line["key"] == "deletedFile":
                del tree[value["path"]]
        made = repository.commit(lines[0]["value"]["summary"], tree)
        url = f"{self.server.endpoint}/datasets/{name}/commit/{made.oid}"
        self.send(200, {"success": True, "commitOid": made.oid, "commitUrl": url})

    def tag(self, name: str, revision: str) -> None:
        repository = self.repository(name)
        if repository is None or not self.may_write():
            return
        repository.tags[json.loads(self.body)["tag"]] = revision
        self.send(200)

    def resolve(self, name: str, revision: str, path: str) -> None:
        repository = self.repository(name)
        if repository is None:
            return
        commit = repository.at(revision)
        blob = commit.tree.get(path) if commit else None
        if blob is None:
            self.send(404, b"Entry not found", {"X-Error-Code": "EntryNotFound"})
        elif blob.large:
            self.send(302, b"", {"Location": f"/storage/{name}/{blob.oid}"})
        else:
            self.send_content(blob.content, "text/plain; charset=utf-8")

    def storage(self, name: str, oid: str) -> None:
        # A log-in does not belong here: real storage refuses a request with two.
        if self.headers.get("Authorization"):
            self.send(400, b"only one auth mechanism allowed")
            return
        self.send_content(self.server.repositories[name].large[oid], "application/octet-stream")

    def send_content(self, content: bytes, kind: str) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        start = int(asked[1]) if asked else 0
        headers = {"Content-Type": kind}
        if asked and start >= len(content):
            self.send(416)
            return
        if asked:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.send(206 if asked else 200, content[start:], headers)


NAME, REVISION = r"([^/]+/[^/]+?)", r"([^/]+)"
ROUTES = (
    (f"GET /api/datasets/{NAME}", Answer.dataset_info),
    (f"GET /api/datasets/{NAME}/revision/{REVISION}", Answer.dataset_info),
    (f"POST /api/datasets/{NAME}/paths-info/{REVISION}", Answer.paths_info),
    ("POST /api/repos/create", Answer.create_repo),
    ("POST /api/validate-yaml", Answer.validate_yaml),
    (f"POST /api/datasets/{NAME}/preupload/{REVISION}", Answer.preupload),
    (rf"POST /datasets/{NAME}\.git/info/lfs/objects/batch", Answer.lfs_batch),
    (f"PUT /lfs/{NAME}/([0-9a-f]{{64}})", Answer.lfs_put),
    (f"POST /api/datasets/{NAME}/commit/{REVISION}", Answer.commit),
    (f"POST /api/datasets/{NAME}/tag/{REVISION}", Answer.tag),
    (f"(?:GET|HEAD) /datasets/{NAME}/resolve/{REVISION}/(.+)", Answer.resolve),
    (f"(?:GET|HEAD) /storage/{NAME}/([0-9a-f]{{64}})", Answer.storage),
)
