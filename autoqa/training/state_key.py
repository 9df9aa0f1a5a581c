"""What names the state of a run at the end of a stage."""

from dataclasses import asdict

from autoqa.store.run_folder import RunFolder
from autoqa.store.weight_quota import original
from autoqa.training.checkpoint import key_of
from autoqa.training.jobs import TrialJob
from autoqa.training.schedule import LearningRate
from autoqa.training.workbench import Workbench


def state_key(
    job: TrialJob, bench: Workbench, rates: LearningRate, stage: int, before: str | None
) -> str:
    """Names the state at the end of a stage by all that influenced it.

    Args:
        job: The run.
        bench: Its data.
        rates: Its schedule.
        stage: Counts from 0.
        before: Key of the state that the first stage begins with, where others come before it.
    """
    run = job.run
    stages = run.recipe.stages[: rates.horizon(stage) + 1]
    # Only where it differs: checkpoints from before there was one stay valid.
    own_head = job.head_seed is None or job.head_seed == run.seed
    head = {} if own_head else {"head_seed": job.head_seed}
    taught = {"teachers": job.taught_by} if job.taught_by else {}
    folder = RunFolder(bench.run_folder)
    begun = [original(folder, name) for name in run.begins_with]
    sources = [portion.source for each in stages for portion in each.portions]
    several = run.recipe.method.answers != "first"
    answers = {"answers": [bench.references_key(source) for source in sources]} if several else {}
    changes = [key for each in stages for key in bench.changes.of(each, bench.data)]
    return key_of(
        {
            **head,
            **({} if before is None else {"before": before}),
            **taught,
            **({"begins_with": begun} if begun else {}),
            **answers,
            **({"augmentations": changes} if any(changes) else {}),
            "backbone": bench.backbone_key(job.backbone),
            "learning_rate": run.learning_rate,
            "seed": run.seed,
            "method": run.recipe.method.to_dict(),
            "stages": [asdict(each) for each in stages],
            "data": [
                bench.portion_key(job.backbone, portion)
                for each in stages
                for portion in each.portions
            ],
            "stage": stage,
            "closes": rates.closes(stage),
        }
    )
