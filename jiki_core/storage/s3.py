"""The S3 driver (boto3, jiki-core[aws]): objects of one bucket; browsers read and write them by presigned URLs."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, cast
from urllib.parse import quote

import boto3
from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from jiki_core.db import refuse_inside_unit
from jiki_core.observability import get_logger
from jiki_core.storage.content_types import content_disposition
from jiki_core.storage.errors import FileMissing, StorageUnavailable
from jiki_core.storage.service import DEFAULT_TYPE, StoredObject, UploadTarget, check_key, check_public_key

log = get_logger(__name__)
_ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})
#: larger streams go up in parts
_PART_BYTES = 16 * 1024 * 1024
#: no upload in parts takes as long as this
_BROKEN_OFF_HOURS = 24


class S3Service:
    """Implements `StorageService`. `public_origin` is the CDN in front of the bucket; empty = the bucket itself."""

    name = "s3"

    def __init__(
        self,
        bucket: str,
        *,
        region: str = "",
        endpoint_url: str = "",
        public_origin: str = "",
        timeout_seconds: float = 8.0,
    ) -> None:
        self._bucket = bucket
        # Threads of transfers would outlive a request; a request waits for its file anyway.
        self._transfer = TransferConfig(
            use_threads=False, multipart_threshold=_PART_BYTES, multipart_chunksize=_PART_BYTES
        )
        self._client = boto3.client(
            "s3",
            region_name=region or None,
            endpoint_url=endpoint_url or None,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path" if endpoint_url else "virtual"},
                connect_timeout=min(3.0, timeout_seconds),
                read_timeout=timeout_seconds,
                retries={"mode": "standard", "max_attempts": 2},
                request_checksum_calculation="when_required",  # else presigned uploads demand a CRC of the browser
            ),
        )
        self._public_origin = (public_origin or self._bucket_url()).rstrip("/")

    def put(
        self, key: str, body: bytes | BinaryIO, *, content_type: str = DEFAULT_TYPE, cache_control: str = ""
    ) -> None:
        refuse_inside_unit("writing a file")
        check_key(key)
        headers = {"ContentType": content_type, **({"CacheControl": cache_control} if cache_control else {})}
        with _told(key):
            if isinstance(body, bytes):
                checksum = base64.b64encode(hashlib.sha256(body).digest()).decode()
                self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ChecksumSHA256=checksum, **headers)
            else:
                self._client.upload_fileobj(body, self._bucket, key, ExtraArgs=headers, Config=self._transfer)

    def open(self, key: str) -> BinaryIO:
        refuse_inside_unit("reading a file")
        check_key(key)
        with _told(key):
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
        return cast(BinaryIO, io.BufferedReader(_Body(key, answer["Body"], answer["ContentLength"]), 1 << 20))

    def stat(self, key: str) -> StoredObject | None:
        refuse_inside_unit("looking at a file")
        check_key(key)
        try:
            with _told(key):
                found = self._client.head_object(Bucket=self._bucket, Key=key)
        except FileMissing:
            return None
        return StoredObject(key, found["ContentLength"], found["LastModified"])

    def copy(self, source: str, target: str, *, content_type: str, cache_control: str = "") -> None:
        refuse_inside_unit("copying a file")
        check_key(source)
        check_key(target)
        headers = {"ContentType": content_type, **({"CacheControl": cache_control} if cache_control else {})}
        with _told(source):
            self._client.copy(
                {"Bucket": self._bucket, "Key": source},
                self._bucket,
                target,
                ExtraArgs={**headers, "MetadataDirective": "REPLACE"},
                Config=self._transfer,
            )

    def delete(self, key: str) -> None:
        refuse_inside_unit("deleting a file")
        check_key(key)
        with _told(key):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        refuse_inside_unit("listing files")
        pages = iter(self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix))
        while True:
            with _told(prefix):
                page = next(pages, None)
            if page is None:
                return
            for found in page.get("Contents", ()):
                yield StoredObject(found["Key"], found["Size"], found["LastModified"])

    def tidy(self) -> None:
        """Uploads in parts that were broken off; the bucket's own lifecycle rule would do as well."""
        refuse_inside_unit("tidying files")
        with _told(""):
            oldest = datetime.now(UTC) - timedelta(hours=_BROKEN_OFF_HOURS)
            for one in self._client.list_multipart_uploads(Bucket=self._bucket).get("Uploads", ()):
                if one["Initiated"] < oldest:
                    self._client.abort_multipart_upload(Bucket=self._bucket, Key=one["Key"], UploadId=one["UploadId"])

    def signed_url(self, key: str, *, expires_in_seconds: int, filename: str, content_type: str, inline: bool) -> str:
        check_key(key)
        parameters = {
            "Bucket": self._bucket,
            "Key": key,
            "ResponseContentType": content_type,
            "ResponseContentDisposition": content_disposition(filename, inline=inline),
        }
        return str(self._client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=expires_in_seconds))

    def signed_upload(
        self, key: str, *, expires_in_seconds: int, byte_size: int, sha256: bytes, content_type: str
    ) -> UploadTarget:
        """S3 itself refuses another length, type or content: all three are signed headers."""
        check_key(key)
        checksum = base64.b64encode(sha256).decode()
        parameters = {
            "Bucket": self._bucket,
            "Key": key,
            "ContentType": content_type,
            "ContentLength": byte_size,
            "ChecksumSHA256": checksum,
        }
        url = self._client.generate_presigned_url("put_object", Params=parameters, ExpiresIn=expires_in_seconds)
        return UploadTarget(str(url), {"Content-Type": content_type, "x-amz-checksum-sha256": checksum})

    def public_url(self, key: str) -> str:
        check_public_key(key)
        return f"{self._public_origin}/{quote(key)}"

    def _bucket_url(self) -> str:
        url: str = self._client.generate_presigned_url("get_object", Params={"Bucket": self._bucket, "Key": "x"})
        return url.partition("?")[0].removesuffix("/x")


class _Body(io.RawIOBase):
    """A response's body as a file; one that ends too early is an error and not the end of the file."""

    def __init__(self, key: str, body: Any, length: int) -> None:
        self._key, self._body, self._left = key, body, length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _told(self._key):
            chunk = self._body.read(len(buffer)) if self._left else b""
        if self._left and not chunk:
            log.warning("storage_answered_in_part", key=self._key, missing=self._left)
            raise StorageUnavailable()
        self._left -= len(chunk)
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        self._body.close()
        super().close()


@contextmanager
def _told(key: str) -> Iterator[None]:
    """boto's errors as ours. What an operator must put right (access denied, no bucket) is logged as an error."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code"))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if code in _ABSENT:
            raise FileMissing() from None
        tell = log.warning if status in (429, 500, 502, 503, 504) else log.error
        tell("storage_refused", key=key, code=code, status=status)
        raise StorageUnavailable() from error
    except (BotoCoreError, S3UploadFailedError) as error:
        log.warning("storage_unreachable", key=key, error=type(error).__name__)
        raise StorageUnavailable() from error
