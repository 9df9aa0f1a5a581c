"""The kit's checks as pytest classes: subclass one, say which plugin, and each check is a test.

::

    from autoqa.testing.cases import SourceCase
    from my_package.capitals import CapitalOptions, spec

    class TestCapitals(SourceCase):
        spec = spec
        options = CapitalOptions(rows=2)
        exempt = {"licence": "the data are made up"}
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from autoqa.registry.records import PluginKind, Spec
from autoqa.testing.check import Check
from autoqa.testing.kit import check_exemptions, checks_of, options_of, run_check
from autoqa.testing.subject import DamagedRows, Subject, kind_of


class PluginCase:
    """One test for each check of a plugin.

    A subclass whose name begins with ``Test`` is collected by pytest.

    Attributes:
        spec: The plugin.
        options: An instance of its options, or the table that a study file would hold; left out,
            the defaults.
        exempt: Names of checks that it need not pass, each with the reason. The test is reported as
            one that is expected to fail, and warns where it would pass.
    """

    kind: ClassVar[PluginKind]
    spec: ClassVar[Any]
    options: ClassVar[BaseModel | Mapping[str, Any] | None] = None
    exempt: ClassVar[Mapping[str, str]] = {}
    _subject: ClassVar[Subject[Any]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        spec: Spec | None = cls.__dict__.get("spec")
        if spec is None:
            return
        if kind_of(spec) != cls.kind:
            raise TypeError(
                f"{cls.__name__} is for {cls.kind}s, and {spec.name!r} is a {kind_of(spec)}"
            )
        check_exemptions(spec, cls.exempt)

        @pytest.mark.parametrize("check", checks_of(spec), ids=lambda check: check.name)
        def test_check(self: PluginCase, check: Check, subject: Subject[Any]) -> None:
            self.do(check, subject)

        cls.test_check = test_check  # type: ignore[attr-defined]

    @pytest.fixture
    def subject(self, tmp_path_factory: pytest.TempPathFactory) -> Subject[Any]:
        """The plugin with its options and a folder; made once, for all its checks."""
        case = type(self)
        if "_subject" not in case.__dict__:
            case._subject = self._made(tmp_path_factory.mktemp(f"{case.kind}-checks"))
        return case._subject

    def _made(self, folder: Path) -> Subject[Any]:
        case = type(self)
        return Subject(
            spec=case.spec,
            options=options_of(case.spec, case.options),
            folder=folder,
            **{
                name: getattr(case, name)
                for name in ("languages", "damaged", "seconds")
                if hasattr(case, name)
            },
        )

    def do(self, check: Check, subject: Subject[Any]) -> None:
        """Does one check, and ends the test as its result says."""
        result = run_check(check, subject, self.exempt.get(check.name))
        if result.outcome == "not applicable":
            pytest.skip(result.sentence)
        if result.outcome == "failed":
            pytest.fail(f"{check.name}: {result.sentence}", pytrace=False)
        if result.needless:
            warnings.warn(
                f"{subject.spec.name!r} passes {check.name!r}, from which it is exempted "
                f"({result.sentence}); take the exemption out",
                stacklevel=2,
            )
        elif result.outcome == "exempt":
            pytest.xfail(result.sentence)


class SourceCase(PluginCase):
    """The checks of a source.

    Attributes:
        damaged: Options whose files hold a row that cannot be used, and what the error must say.
    """

    kind = "source"
    damaged: ClassVar[DamagedRows | None] = None


class BackboneCase(PluginCase):
    """The checks of a backbone.

    Attributes:
        languages: ISO codes of languages that its tokenizer must read, besides those that it
            claims.
        seconds: How long it may take to learn twenty examples.
    """

    kind = "backbone"
    languages: ClassVar[tuple[str, ...]] = ()
    seconds: ClassVar[float] = 300.0


class AugmentationCase(PluginCase):
    """The checks of an augmentation."""

    kind = "augmentation"


class MetricCase(PluginCase):
    """The checks of a metric."""

    kind = "metric"
