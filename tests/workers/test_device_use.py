"""What a worker says of the device that it uses."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from autoqa.training.messages import DeviceUse, Message, Note, Progress
from autoqa.workers import device_use
from autoqa.workers.device_use import with_device_use


def test_threads_and_memory_of_this_process_on_a_cpu() -> None:
    use = device_use.device_use()
    assert use is not None
    assert (use.device, use.threads, use.total) == ("CPU", torch.get_num_threads(), 0)
    resident = next(
        int(line.split()[1]) * 1024
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmRSS")
    )
    assert use.memory == pytest.approx(resident, rel=0.2)


def test_progress_gets_it_and_nothing_else_does() -> None:
    sent: list[Message] = []
    emit = with_device_use(sent.append)
    known = DeviceUse("GPU 7", 0, 1, 2)
    emit(Note(0, "text"))
    emit(Progress(0, "training"))
    emit(Progress(0, "training", device=known))
    assert sent[0] == Note(0, "text")
    assert isinstance(sent[1], Progress)
    assert sent[1].device is not None
    assert isinstance(sent[2], Progress)
    assert sent[2].device == known


def test_nothing_is_said_before_the_job_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch")
    assert device_use.device_use() is None


def test_a_gpu_is_named_as_on_its_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Needs no GPU: what torch would say of one stands in for it."""
    cuda = SimpleNamespace(
        is_initialized=lambda: True,
        mem_get_info=lambda: (130_000_000_000, 141_000_000_000),
        current_device=lambda: 1,
    )
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda, get_num_threads=lambda: 1))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    assert device_use.device_use() == DeviceUse("GPU 5", 0, 11_000_000_000, 141_000_000_000)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    use = device_use.device_use()
    assert use is not None
    assert use.device == "GPU 1"
