"""What a store's own tasks say when nobody waits for them any more."""

import asyncio
import gc
import time

import pytest

from autoqa.store.objects import Objects
from tests.object_store import URL, ObjectStore, s3, started_store

__all__ = ["s3", "started_store"]


def test_a_request_that_broke_off_leaves_no_traceback(
    s3: ObjectStore, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken() -> None:
        raise ConnectionResetError("Cannot write to closing transport")

    async def left_alone() -> None:
        asyncio.ensure_future(broken())  # noqa: RUF006 - nobody waits for it
        await asyncio.sleep(0)

    loop = Objects(URL)._fs.loop
    asyncio.run_coroutine_threadsafe(left_alone(), loop).result(timeout=10)
    with caplog.at_level("WARNING"):
        for _ in range(20):
            gc.collect()
            time.sleep(0.05)
    assert not caplog.records
