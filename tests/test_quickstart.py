"""What the quickstart's score is worth: the same backbones without training."""

from pathlib import Path

import pytest

from autoqa.decoding.decoder import SpanDecoder
from autoqa.modeling.forward import predict
from autoqa.modeling.training_setup import load_for_training
from autoqa.registry import open_study
from autoqa.scores.metrics import score
from autoqa.training.workbench import Workbench

STUDY = Path(__file__).parents[1] / "studies" / "quickstart.toml"


@pytest.mark.parametrize("backbone", ["e5", "minilm"])
def test_untrained_backbones_know_next_to_nothing(backbone: str, tmp_path: Path) -> None:
    bench = Workbench(open_study(STUDY), tmp_path)
    ready = bench.backbone(backbone)
    found = []
    for seed in range(3):
        model = load_for_training(ready.folder, ready.bound.protocol, seed)
        model.eval()
        spans = SpanDecoder(ready.public, [e.context for e in bench.public]).best(
            *predict(model, ready.public)
        )
        found.append(score([span.text for span in spans], bench.public).mean().jaccard)
    print(f"\n{backbone}, fresh heads: public Jaccard {', '.join(f'{s:.3f}' for s in found)}")
    assert max(found) < 0.1
