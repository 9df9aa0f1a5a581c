"""What an ablation found, as plain values that stay in the run folder."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from autoqa.ablation.arms import ArmChange
from autoqa.errors import ConfigError, DataError, check_keys, did_you_mean
from autoqa.files import write_atomically
from autoqa.store.run_folder import RunFolder

Verdict = Literal["helps", "hurts", "no clear effect", "too few seeds", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmResult:
    """What is known of one thing that was left out, added, or done otherwise.

    Attributes:
        name: ``without cutout``.
        factor: A key of :data:`autoqa.ablation.arms.FACTORS`.
        subject: The thing; what follows is of it, whether it was left out or added.
        change: What was done to it.
        recipe: The arm's recipe, in one line.
        trained: Seeds for which the arm was trained, the base being there.
        seeds: Seeds that the effect is from: those of the look that decided.
        effect: Mean gain of having the thing, -1 to 1; before the first look without an interval;
            ``None`` without a pair of runs.
        low: Lower end of its 95 % interval, which holds however often one looks.
        high: Upper end.
        cost: Training time with the thing, as a multiple of that without it.
        verdict: In words.
        failure: Why no effect is known, where runs failed.
    """

    name: str
    factor: str
    subject: str
    change: ArmChange
    recipe: str
    trained: int
    seeds: int
    effect: float | None
    low: float | None
    high: float | None
    cost: float | None
    verdict: Verdict
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation:
    """All that is known about one base.

    Attributes:
        study: Its name.
        version: Fingerprint of all that runs depend on besides their parameters.
        metric: What effects are differences of.
        base: ``t0003-100`` or ``protocol:e5``.
        run: :attr:`autoqa.recipes.TrainingRun.key` of the base.
        backbone: Name in the study file.
        recipe: The base's recipe, in one line.
        score: Mean public score of the base's runs; ``None`` where there is none.
        base_seeds: How many they are.
        questions: Public questions.
        documents: Documents that they are about.
        arms: The experiments.
        notes: Sentences on what could not be ablated.
        ended: Why no more runs were trained.
    """

    study: str
    version: str
    metric: str
    base: str
    run: str
    backbone: str
    recipe: str
    score: float | None
    base_seeds: int
    questions: int
    documents: int
    arms: tuple[ArmResult, ...]
    notes: tuple[str, ...] = ()
    ended: str = ""

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Ablation":
        """What :meth:`as_json` gave.

        Raises:
            DataError: A newer version has written it.
            TypeError: Something is missing.
        """
        check_keys(cls, content)
        arms = tuple(ArmResult(**arm) for arm in content["arms"])
        return cls(**{**content, "arms": arms, "notes": tuple(content["notes"])})

    def beside(self, earlier: "Ablation | None") -> "Ablation":
        """This one, with what an earlier command found of the same base and does not stand here."""
        if earlier is None or (earlier.run, earlier.version) != (self.run, self.version):
            return self
        names = {arm.name for arm in self.arms}
        return replace(
            self, arms=(*self.arms, *(arm for arm in earlier.arms if arm.name not in names))
        )


def keep(folder: RunFolder, ablation: Ablation) -> Ablation:
    """Writes a result beside those of other bases.

    Returns:
        It, with what was known of the same base.
    """
    path = _path(folder, ablation.base)
    try:
        earlier = _read(path) if path.is_file() else None
    except DataError:
        earlier = None  # its runs are there, and make it again
    whole = ablation.beside(earlier)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(whole.as_json(), ensure_ascii=False, indent=1) + "\n")
    return whole


def kept_ablation(folder: RunFolder, study: str, base: str | None = None) -> Ablation:
    """The result of the last ablation.

    Args:
        folder: The study's run folder.
        study: Its name.
        base: Of this base; left out, of whichever was ablated last.

    Raises:
        ConfigError: There is none.
        DataError: It is damaged, or of a newer version.
    """
    paths = _newest_first(folder)
    if not paths:
        raise ConfigError(f"study {study!r} has no ablation: `autoqa ablate {study}` makes one")
    if base is None:
        return _read(paths[0])
    if _path(folder, base) not in paths:
        known: Sequence[str] = sorted(path.stem.replace("=", ":") for path in paths)
        hint = did_you_mean(base, known) or f"; there are: {', '.join(known)}"
        raise ConfigError(f"base {base!r}: no ablation of it is kept{hint}")
    return _read(_path(folder, base))


def kept_ablations(folder: RunFolder) -> list[Ablation]:
    """The results of all bases, the last one first.

    Raises:
        DataError: One is damaged, or of a newer version.
    """
    return [_read(path) for path in _newest_first(folder)]


def _newest_first(folder: RunFolder) -> list[Path]:
    return sorted(folder.ablation.glob("*.json"), key=lambda path: -path.stat().st_mtime)


def _path(folder: RunFolder, base: str) -> Path:
    return folder.ablation / f"{base.replace(':', '=')}.json"


def _read(path: Path) -> Ablation:
    try:
        return Ablation.from_json(json.loads(path.read_text(encoding="utf-8")))
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(
            f"{path} is damaged ({error}): the same `autoqa ablate` makes it again from the runs "
            "that are kept"
        ) from error
