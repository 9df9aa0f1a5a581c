"""Entry points become records; records are looked up and bound to a study."""

from autoqa.registry.at_fault import plugin_at_fault
from autoqa.registry.bind import bind, open_study
from autoqa.registry.bound import BoundAugmentation, BoundBackbone, BoundSource, BoundStudy
from autoqa.registry.catalogue import Catalogue
from autoqa.registry.discover import discover
from autoqa.registry.records import Record

__all__ = [
    "BoundAugmentation",
    "BoundBackbone",
    "BoundSource",
    "BoundStudy",
    "Catalogue",
    "Record",
    "bind",
    "discover",
    "open_study",
    "plugin_at_fault",
]
