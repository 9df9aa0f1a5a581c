"""All stages of a run, drawn and cut."""

from functools import partial

from autoqa.features.encode import Encoded
from autoqa.training.batches import PreparedStage, prepare_stage
from autoqa.training.jobs import TrialJob
from autoqa.training.messages import Emit, Progress
from autoqa.training.workbench import Workbench


def prepared_stages(
    job: TrialJob, bench: Workbench, emit: Emit, *, similar_lengths: bool
) -> list[PreparedStage]:
    """Prepares each stage of a run.

    Args:
        job: What to train.
        bench: Its data, and its plugins.
        emit: Takes the messages to the parent.
        similar_lengths: Put windows of similar length into one batch; for models that pad.

    Raises:
        ConfigError: Windows have no room for question and context, or an augmentation wants what
            there is not.
        DataError: Nothing is left of a stage.
        PluginError: An augmentation breaks windows or rows.
        StoppedError: The run was asked to stop while an augmentation worked.
    """
    run, ready = job.run, bench.backbone(job.backbone)
    stages = len(run.recipe.stages)

    def encoded(source: str) -> Encoded:
        emit(Progress(job.trial, "tokenizing", stages=stages))
        return bench.encoded(job.backbone, source)

    def augmented(stage: int, done: int, total: int) -> None:
        emit(Progress(job.trial, "augmenting", stage + 1, stages, done, total))
        bench.stop.check()

    return [
        prepare_stage(
            *(stage, bench.bound.augmentations(stage), bench.data, encoded, ready.tokenizer),
            epochs=ready.bound.protocol.epochs,
            seed=(run.seed, number),
            similar_lengths=similar_lengths,
            labelling=bench.labelling(job.backbone, run.recipe.method.answers),
            progress=partial(augmented, number),
        )
        for number, stage in enumerate(run.recipe.stages)
    ]
