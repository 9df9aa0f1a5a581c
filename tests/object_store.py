"""A real S3 server in this process, whose requests are counted, and which can be stopped."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem

BUCKET = "bucket"
URL = f"s3://{BUCKET}/studies"


class ObjectStore:
    """Moto's server on a port of its own."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
        self._server.start()
        self._host, self._port = self._server.get_host_and_port()

    @property
    def endpoint(self) -> str:
        return f"http://{self._host}:{self._port}"

    @property
    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name="us-east-1",
        )

    def make_bucket(self, name: str = BUCKET) -> None:
        self.client.create_bucket(Bucket=name)

    def clear(self) -> None:
        client = self.client
        for bucket in client.list_buckets()["Buckets"]:
            for name in self.names(bucket["Name"]):
                client.delete_object(Bucket=bucket["Name"], Key=name)
            client.delete_bucket(Bucket=bucket["Name"])

    def names(self, bucket: str = BUCKET) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return sorted(each["Key"] for page in pages for each in page.get("Contents", ()))

    def content(self, name: str) -> bytes:
        body: bytes = self.client.get_object(Bucket=BUCKET, Key=name)["Body"].read()
        return body

    def write(self, name: str, content: bytes) -> None:
        self.client.put_object(Bucket=BUCKET, Key=name, Body=content)

    def stop(self) -> None:
        """What it holds stays, as a server's disk does."""
        self._server.stop()

    def start(self) -> None:
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self._port)
        self._server.start()

    @contextmanager
    def only_known_keys(self) -> Iterator[None]:
        """While the block runs keys are compared with those of users, of whom there are none."""
        self._authenticate("0")
        try:
            yield
        finally:
            self._authenticate("inf")

    def _authenticate(self, after: str) -> None:
        kind = {"Content-Type": "application/octet-stream"}
        url = f"{self.endpoint}/moto-api/reset-auth"
        with urlopen(Request(url, after.encode(), kind)) as answer:
            answer.read()

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """Paths that are asked for while the block runs, by whoever asks."""
        seen: list[str] = []

        class Seen(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                seen.append(record.getMessage())

        log, handler = logging.getLogger("werkzeug"), Seen()
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False
        try:
            yield seen
        finally:
            log.removeHandler(handler)
            log.setLevel(logging.ERROR)
            log.propagate = True


@pytest.fixture(scope="session")
def started_store() -> Iterator[ObjectStore]:
    server = ObjectStore()
    yield server
    server.stop()


@pytest.fixture
def s3(started_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """An empty server with one bucket, which the environment leads to."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", started_store.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    S3FileSystem.clear_instance_cache()  # its connections have the keys that they began with
    started_store.clear()
    started_store.make_bucket()
    return started_store
