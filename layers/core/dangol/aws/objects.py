"""Objects in S3."""

import hashlib
import mimetypes
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from dangol.aws.batches import send_all
from dangol.errors import ObjectReplaced

_THREADS = 8
_GONE = ("NoSuchKey", "404")
_FORBIDDEN = ("AccessDenied", "403")
_REPLACED = ("PreconditionFailed", "412", "ConditionalRequestConflict", "409")
_DELETED_AT_ONCE = 1_000


class S3Store:
    """One bucket as ObjectStore (see dangol.ledger.store)."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def keys(self, prefix: str) -> list[str]:
        """See ObjectStore."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return sorted(item["Key"] for page in pages for item in page.get("Contents", ()))

    def read(self, key: str) -> bytes:
        """See ObjectStore."""
        with self._found(key):
            body: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return body

    def write(self, key: str, data: bytes) -> None:
        """See ObjectStore."""
        kind = mimetypes.guess_type(key)[0] or "application/octet-stream"  # a browser shows what says it is HTML
        self._client.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType=kind)

    def read_tagged(self, key: str) -> tuple[bytes, str]:
        """See ConfigurationStore in dangol.moves.configure."""
        with self._found(key):
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            return answer["Body"].read(), answer["ETag"]

    def replace(self, key: str, data: bytes, tag: str | None) -> bool:
        """See ConfigurationStore in dangol.moves.configure."""
        condition = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data, **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] in _REPLACED:
                return False
            raise
        return True

    def download(self, keys: Sequence[str], folder: Path) -> list[Path]:
        """See ObjectStore."""
        with ThreadPoolExecutor(_THREADS) as pool:
            return list(pool.map(lambda key: self._download(key, folder), keys))

    def upload(self, files: Iterable[tuple[Path, str]]) -> None:
        """See ObjectStore."""
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(lambda file: self._client.upload_file(str(file[0]), self._bucket, file[1]), files))

    def delete(self, keys: Sequence[str]) -> None:
        """See ObjectStore."""
        for start in range(0, len(keys), _DELETED_AT_ONCE):
            send_all(keys[start : start + _DELETED_AT_ONCE], _DELETED_AT_ONCE, self._delete)

    def purge(self, prefix: str) -> int:
        """See ErasableStore in dangol.moves.forget_doors."""
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix)
        old = [item for page in pages for item in page.get("Versions", ()) if not item["IsLatest"]]
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(self._delete_version, old))
        return len(old)

    def fetch(self, key: str, etag: str, target: Path) -> None:
        """Copy the object that an event announced. Raises ObjectReplaced when it is no longer the one there."""
        try:
            with self._found(key):
                self._copy(target, Key=key, IfMatch=etag)
        except FileNotFoundError as error:
            raise ObjectReplaced(key) from error
        except ClientError as error:
            if error.response["Error"]["Code"] in _REPLACED:
                raise ObjectReplaced(key) from error
            raise

    def _delete(self, keys: list[str]) -> tuple[list[str], str]:
        objects = [{"Key": key} for key in keys]
        answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})
        refused = answer.get("Errors", [])
        return [error["Key"] for error in refused], refused[0]["Code"] if refused else ""

    def _delete_version(self, item: Mapping[str, Any]) -> None:
        # One by one: a batch would need the right to delete objects that are not replaced as well.
        self._client.delete_object(Bucket=self._bucket, Key=item["Key"], VersionId=item["VersionId"])

    def _download(self, key: str, folder: Path) -> Path:
        path = folder / (hashlib.sha256(key.encode()).hexdigest()[:32] + Path(key).suffix)
        with self._found(key):
            self._copy(path, Key=key)
        return path

    def _copy(self, target: Path, **wanted: str) -> None:
        body = self._client.get_object(Bucket=self._bucket, **wanted)["Body"]
        with target.open("wb") as file:
            for chunk in body.iter_chunks(1024 * 1024):
                file.write(chunk)

    @contextmanager
    def _found(self, key: str) -> Iterator[None]:
        """Raises FileNotFoundError when S3 says that there is no such object.

        It says so only to who may list the key; where that right is limited to prefixes it may answer
        403 all the same. Then the list tells.
        """
        try:
            yield
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _GONE or (code in _FORBIDDEN and key not in self.keys(key)):
                raise FileNotFoundError(key) from error
            raise
