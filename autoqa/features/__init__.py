"""Examples become windows of tokens with exact labels."""

from autoqa.features.cut import Plan, cut
from autoqa.features.encode import Encoded, encode
from autoqa.features.files import load_windows, save_windows
from autoqa.features.select import concatenate, drop_negatives, take
from autoqa.features.tokenizer import QATokenizer, Template
from autoqa.features.windows import Windows

__all__ = [
    "Encoded",
    "Plan",
    "QATokenizer",
    "Template",
    "Windows",
    "concatenate",
    "cut",
    "drop_negatives",
    "encode",
    "load_windows",
    "save_windows",
    "take",
]
