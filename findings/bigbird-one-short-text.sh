#!/bin/sh
# One short text turns a BigBird model's sparse attention off for good.
#
# transformers 5.23.0 (models/big_bird/modeling_big_bird.py): a model with attention_type
# "block_sparse" cannot take a text of few blocks, and goes over to full attention, not for that text
# but for the life of the model; evaluation mode makes no difference. From then on the same long text
# gives other numbers, and costs memory in the square of its length. A logged warning says that the
# attention type is changed, not that it stays so, and config.attention_type still says
# "block_sparse". So what such a model answers depends on what it was asked before.
#
# Seen: a text of 512 tokens twice, equal to the last bit; the same after one text of 32 tokens,
# differs. Fails if it does not any more.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
	'torch==2.13.0' 'transformers==5.23.0'
cat > "$folder/short.py" <<'PYTHON'
import logging

import torch
import transformers
from transformers import BigBirdConfig, BigBirdModel

transformers.logging.set_verbosity(logging.ERROR)
torch.manual_seed(0)
config = BigBirdConfig(
    vocab_size=50,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=64,
    max_position_embeddings=1024,
    attention_type="block_sparse",
    block_size=16,
    num_random_blocks=2,
)
model = BigBirdModel(config).eval()
long = torch.arange(512)[None] % 50
short = long[:, :32]
mask = torch.ones_like(long)


@torch.no_grad()
def output():
    return model(input_ids=long, attention_mask=mask).last_hidden_state


before, again = output(), output()
with torch.no_grad():
    model(input_ids=short, attention_mask=mask[:, :32])
after = output()
print(f"transformers {transformers.__version__}, torch {torch.__version__}")
print(f"the same text twice: differs by {(before - again).abs().max():.6f}")
print(f"after one short text: differs by {(before - after).abs().max():.6f}")
print(f"attention_type: model {model.attention_type!r}, configuration {config.attention_type!r}")
assert torch.equal(before, again)
assert (before - after).abs().max() > 1e-3, "one short input changes nothing any more"
PYTHON
"$folder/venv/bin/python" "$folder/short.py"
