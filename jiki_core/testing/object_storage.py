"""A real S3 over HTTP for tests: moto's server in a thread (jiki-core[dev]), with one bucket."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import boto3
import pytest
from moto.server import ThreadedMotoServer

BUCKET = "jiki-test-files"
REGION = "us-east-1"
#: as `docs/storage.md` asks for: everybody may read what is below public/
PUBLIC_FILES = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{BUCKET}/public/*",
        }
    ],
}


@contextmanager
def object_storage_settings() -> Iterator[Mapping[str, str]]:
    """The settings of an app that keeps its files there."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        client = boto3.client("s3", endpoint_url=url, region_name=REGION)
        client.create_bucket(Bucket=BUCKET)
        client.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(PUBLIC_FILES))
        yield {
            "JIKI_STORAGE_SERVICE": "s3",
            "JIKI_STORAGE_S3_BUCKET": BUCKET,
            "JIKI_STORAGE_S3_REGION": REGION,
            "JIKI_STORAGE_S3_ENDPOINT_URL": url,
        }
    server.stop()
