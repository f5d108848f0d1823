"""Objects in S3, and what S3 says when one is not there."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber
from dangol.aws import batches
from dangol.aws.objects import S3Store
from dangol.errors import DangolError, ObjectReplaced

from tests.integration.conftest import Aws

KEY = "incoming/orders/2026 상반기/주문 내역 (1)+%.csv"


@pytest.fixture
def store(aws: Aws) -> S3Store:
    return S3Store(aws.s3, aws.bucket)


def test_keys_are_found_by_prefix_in_order(store: S3Store) -> None:
    for key in ("ledger/b", "ledger/a/2", "ledger/a/1", "other"):
        store.write(key, b"")
    assert store.keys("ledger/") == ["ledger/a/1", "ledger/a/2", "ledger/b"]
    assert store.keys("ledger/a") == ["ledger/a/1", "ledger/a/2"]
    store.delete(["ledger/a/1", "ledger/b", "gone"])
    assert store.keys("") == ["ledger/a/2", "other"]


def test_more_keys_than_one_call_takes_are_listed_and_removed(aws: Aws) -> None:
    """S3 lists, and removes, a thousand at a time."""
    names = [f"ledger/{number:04d}" for number in range(1_005)]
    client = boto3.client("s3")
    with Stubber(client) as stub:
        for start, token in ((0, {"IsTruncated": True, "NextContinuationToken": "next"}), (1_000, {})):
            stub.add_response(
                "list_objects_v2", {"Contents": [{"Key": name} for name in names[start:][:1_000]], **token}
            )
        for start in (0, 1_000):
            objects = [{"Key": name} for name in names[start:][:1_000]]
            stub.add_response("delete_objects", {}, {"Bucket": ANY, "Delete": {"Objects": objects, "Quiet": True}})
        store = S3Store(client, aws.bucket)
        assert store.keys("ledger/") == names
        store.delete(names)
        stub.assert_no_pending_responses()


def test_what_is_written_is_read_and_replaced(store: S3Store) -> None:
    store.write(KEY, b"old")
    store.write(KEY, b"new")
    assert store.read(KEY) == b"new"
    assert store.keys(KEY) == [KEY]


def test_what_is_not_there_is_not_found(store: S3Store, tmp_path: Path) -> None:
    store.write("there", b"")
    with pytest.raises(FileNotFoundError):
        store.read("gone")
    with pytest.raises(FileNotFoundError):
        store.download(["there", "gone"], tmp_path)
    store.delete(["gone"])


def test_files_go_up_and_come_down_in_the_order_asked_for(store: S3Store, tmp_path: Path) -> None:
    uploads = []
    for number in range(20):
        (tmp_path / f"{number}.parquet").write_text(str(number))
        uploads.append((tmp_path / f"{number}.parquet", f"ledger/shard={number}/part.parquet"))
    store.upload(iter(uploads))
    keys = [key for _, key in reversed(uploads)]
    down = store.download(keys, tmp_path)
    assert [path.read_text() for path in down] == [str(number) for number in reversed(range(20))]
    assert {path.suffix for path in down} == {".parquet"}


def test_an_upload_is_fetched_as_announced(store: S3Store, aws: Aws, tmp_path: Path) -> None:
    etag = aws.s3.put_object(Bucket=aws.bucket, Key=KEY, Body=b"orders")["ETag"].strip('"')
    store.fetch(KEY, etag, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"orders"


def test_an_object_that_s3_does_not_remove_at_once_is_removed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 answers with success though it refused some: whoever is erased would stay."""
    monkeypatch.setattr(batches.time, "sleep", lambda seconds: None)
    client = boto3.client("s3")
    with Stubber(client) as stub:
        refused = {"Errors": [{"Key": "ledger/b", "Code": "InternalError"}]}
        for keys, answer in ((["ledger/a", "ledger/b"], refused), (["ledger/b"], {})):
            objects = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
            stub.add_response("delete_objects", answer, {"Bucket": "shop", "Delete": objects})
        S3Store(client, "shop").delete(["ledger/a", "ledger/b"])
        stub.assert_no_pending_responses()
        for _ in range(8):
            stub.add_response("delete_objects", {"Errors": [{"Key": "ledger/b", "Code": "AccessDenied"}]})
        with pytest.raises(DangolError, match="AccessDenied"):
            S3Store(client, "shop").delete(["ledger/b"])


def test_an_upload_that_was_replaced_or_deleted_is_not_mistaken_for_the_next(
    store: S3Store, aws: Aws, tmp_path: Path
) -> None:
    etag = aws.s3.put_object(Bucket=aws.bucket, Key=KEY, Body=b"orders")["ETag"].strip('"')
    store.write(KEY, b"others")
    with pytest.raises(ObjectReplaced):
        store.fetch(KEY, etag, tmp_path / "file")
    store.delete([KEY])
    with pytest.raises(ObjectReplaced):
        store.fetch(KEY, etag, tmp_path / "file")


@pytest.mark.parametrize("listed", [[], ["gone and more"]], ids=["nothing listed", "another listed"])
def test_forbidden_means_not_found_when_the_list_knows_no_such_key(aws: Aws, listed: list[str], tmp_path: Path) -> None:
    """S3 answers 403 for a missing key to who may not list the whole bucket."""
    client = boto3.client("s3")
    with Stubber(client) as stub:
        for _ in range(3):
            stub.add_client_error("get_object", "AccessDenied", http_status_code=403)
            contents = [{"Key": key} for key in listed]
            stub.add_response("list_objects_v2", {"Contents": contents}, {"Bucket": ANY, "Prefix": "gone"})
        store = S3Store(client, aws.bucket)
        with pytest.raises(FileNotFoundError):
            store.read("gone")
        with pytest.raises(FileNotFoundError):
            store.download(["gone"], tmp_path)
        with pytest.raises(ObjectReplaced):
            store.fetch("gone", "etag", tmp_path / "file")


def test_forbidden_is_forbidden_when_the_key_is_there(aws: Aws) -> None:
    client = boto3.client("s3")
    with Stubber(client) as stub:
        stub.add_client_error("get_object", "AccessDenied", http_status_code=403)
        stub.add_response("list_objects_v2", {"Contents": [{"Key": "there"}]}, {"Bucket": ANY, "Prefix": "there"})
        with pytest.raises(ClientError, match="AccessDenied"):
            S3Store(client, aws.bucket).read("there")


def test_other_errors_are_not_swallowed(aws: Aws, tmp_path: Path) -> None:
    store = S3Store(aws.s3, "no-such-bucket")
    for call in (lambda: store.read("a"), lambda: store.fetch("a", "etag", tmp_path / "file"), lambda: store.keys("")):
        with pytest.raises(ClientError, match="NoSuchBucket"):
            call()
