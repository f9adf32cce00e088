"""Static files: styles and scripts, read and compressed once, and cached by browsers until they change."""

import gzip
import mimetypes
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any

import rcssmin
import rjsmin
from flask import Flask, Response, abort, current_app, request
from werkzeug.wrappers import Response as AnyResponse

from survey_app.web.spliced_pages import accepts_gzip

# Comments and indentation are for those who read the source; a phone pays for a third of a script with them.
_MINIFIERS: Mapping[str, Callable[[str], str]] = {".css": rcssmin.cssmin, ".js": rjsmin.jsmin}
_FOLDER = Path(__file__).parents[1] / "static"
_FILES_EXTENSION = "jiayuan-static-files"
_DIGEST_LENGTH = 16
_FOR_A_YEAR = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class StaticFile:
    """Static file as it is and compressed; its digest stands in its address, so that a new one has a new address."""

    content: bytes
    packed: bytes
    mimetype: str
    digest: str

    @classmethod
    def read(cls, path: Path) -> "StaticFile":
        """Read, minify and compress a file."""
        content = path.read_bytes()
        if shorten := _MINIFIERS.get(path.suffix):
            content = shorten(content.decode("utf-8")).encode("utf-8")
        return cls(
            content=content,
            packed=gzip.compress(content, mtime=0),
            mimetype=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
            digest=sha256(content).hexdigest()[:_DIGEST_LENGTH],
        )

    @property
    def policy_source(self) -> str:
        """What allows this content, and no other, inside a page by its Content-Security-Policy."""
        return f"'sha256-{b64encode(sha256(self.content).digest()).decode('ascii')}'"


def stylesheet() -> StaticFile:
    """Return the style that all pages of residents share, for a page that carries it inside."""
    files: Mapping[str, StaticFile] = current_app.extensions[_FILES_EXTENSION]
    return files["site.css"]


def init_app(app: Flask) -> None:
    """Serve the static files from memory, each under an address with the digest of its content."""
    files = {
        path.relative_to(_FOLDER).as_posix(): StaticFile.read(path) for path in _FOLDER.rglob("*") if path.is_file()
    }

    def add_digest(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and (file := files.get(values["filename"])):
            values["v"] = file.digest

    # A function with a name: extensions ask views for theirs.
    def send(filename: str) -> AnyResponse:
        return _send(files, filename)

    app.extensions[_FILES_EXTENSION] = files
    app.url_defaults(add_digest)
    app.view_functions["static"] = send


def _send(files: Mapping[str, StaticFile], filename: str) -> AnyResponse:
    file = files.get(filename)
    if file is None:
        abort(HTTPStatus.NOT_FOUND)
    is_packed = len(file.packed) < len(file.content) and accepts_gzip(request.environ.get("HTTP_ACCEPT_ENCODING", ""))
    response = Response(file.packed if is_packed else file.content, mimetype=file.mimetype)
    if is_packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = _FOR_A_YEAR if request.args.get("v") == file.digest else "no-cache"
    response.set_etag(f"{file.digest}{'-gzip' if is_packed else ''}")
    return response.make_conditional(request)
