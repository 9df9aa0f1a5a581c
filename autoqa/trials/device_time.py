"""How many hours of devices a study's runs may take, over all its searches and machines."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState

from autoqa.planning.time_plan import MIN_SHARE_OF_RUN
from autoqa.trials.trial_attributes import TrialAttributes
from autoqa.trials.trials import Trials


@dataclass(frozen=True)
class DeviceTime:
    """What ``[search] device_hours`` leaves for further runs.

    Attributes:
        trials: The study's trials.
        hours: The limit; ``None`` for none.
        usual: Seconds that a run of a backbone takes, ``None`` where nobody knows yet.
        width: Devices of each run that starts here.
    """

    trials: Trials
    hours: float | None
    usual: Callable[[str], float | None]
    width: int = 1

    def left(self) -> float | None:
        """Seconds that a further run may take, what runs now being seen to its usual end."""
        if self.hours is None:
            return None
        used = sum(map(self._device_seconds, self.trials.in_states()))
        return (3600 * self.hours - used) / self.width

    def fits(self, usual: float | None) -> bool:
        """Whether a run may start; it is made smaller where only most of it fits.

        Args:
            usual: Seconds that such a run takes, or ``None`` where nobody knows yet.
        """
        left = self.left()
        return left is None or (left > 0 and (usual is None or left >= MIN_SHARE_OF_RUN * usual))

    def deadline(self, other: float | None) -> float | None:
        """When a run that starts now must end.

        Args:
            other: When it must end for another reason, seconds since the epoch, if it must.
        """
        left = self.left()
        if left is None:
            return other
        own = time.time() + left
        return own if other is None else min(own, other)

    def _device_seconds(self, trial: FrozenTrial) -> float:
        attributes = TrialAttributes.of(trial)
        devices = attributes.devices or 1
        begin, end = trial.datetime_start, trial.datetime_complete
        if begin is None or attributes.elsewhere or attributes.duplicate_of is not None:
            return 0.0
        if trial.state == TrialState.RUNNING:
            so_far = time.time() - begin.timestamp()
            return devices * max(so_far, self.usual(str(attributes.backbone)) or 0.0)
        return 0.0 if end is None else devices * (end - begin).total_seconds()
