"""A run folder looked through before work on it begins: what is damaged is mended, or set aside."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from autoqa.config.study import StudyFile
from autoqa.data import StudyData
from autoqa.data.answer_lengths import limit_of
from autoqa.decoding.span_search import MAX_ANSWER_TOKENS
from autoqa.errors import AutoqaError, DataError
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.files import kept_limit, save_windows
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.window_group import WindowGroup
from autoqa.files import write_atomically
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.checksums import (
    DamagedError,
    check,
    checksum,
    damage_beside,
    sum_beside,
    written_sums,
)
from autoqa.store.predictions import left_out
from autoqa.store.run_folder import RECORD, Part, RunFolder
from autoqa.store.study_tables import Store
from autoqa.types import Example


def mend_candidates(folder: RunFolder, store: Store) -> list[str]:
    """Looks through the candidates on disk, but not their weights.

    Call it as the process that leads the study.

    A record is written again from the database. Where that cannot be, the candidate is set aside:
    its row, if there is one, is enough for a retraining to make it again. So is a soup whose
    predictions are damaged, and its row goes, too, because it is made anew in moments.

    Returns:
        One sentence for each candidate that is damaged.
    """
    known = {record.id: record for record in store.candidates()}
    sentences = []
    for name in folder.candidate_ids():
        try:
            mend_record(folder, name, known.get(name))
            record = folder.read_record(name)
        except DamagedError as error:
            aside = f"candidate {name} is set aside as {folder.set_aside(name)}: {error}"
            if name in known and known[name].ingredients:
                store.remove_candidate(name)
            elif name in known:
                aside += f"; `autoqa retrain {folder.path.name} {name}` makes it again"
            sentences.append(aside)
            continue
        except DataError:  # of a newer version: whoever needs it says so
            continue
        sentence = left_out(folder, name)
        if sentence is not None and record.ingredients:
            store.remove_candidate(name)
            sentence += f", after it was set aside as {folder.set_aside(name)}"
        if sentence is not None:
            sentences.append(sentence)
    return sentences


def mend_record(folder: RunFolder, name: str, known: CandidateRecord | None) -> None:
    """Writes a damaged record again, if the database holds the one that was written.

    Raises:
        DamagedError: It does not, or nothing says what was written.
        DataError: The record is of a newer version.
    """
    try:
        folder.read_record(name)
    except DamagedError:
        path = folder.candidate(name) / RECORD
        expected = written_sums(path.parent).get(RECORD)
        if known is None or expected is None:
            raise
        if hashlib.sha256(known.as_text().encode()).hexdigest() != expected.sha256:
            raise
        write_atomically(path, known.as_text())


def mend_windows(folder: RunFolder, study: StudyFile, data: StudyData) -> list[str]:
    """Cuts damaged evaluation windows again, by the tokenizer of a candidate of their group.

    Args:
        folder: The run folder.
        study: The study file.
        data: The study's data, which are those that it began with.

    Returns:
        One sentence for each damaged file.
    """
    parts: dict[Part, tuple[Example, ...]] = {"public": data.public, "private": data.private}
    sentences = []
    for group in sorted(path.name for path in folder.validation.glob("*") if path.is_dir()):
        for part, examples in parts.items():
            path = folder.windows_path(group, part)
            problem = damage_beside(path) if path.is_file() else None
            if problem is not None:
                again = _cut_again(folder, group, path, examples, study, data)
                end = "is written again" if again else "could not be made again as it was"
                sentences.append(f"{path} was damaged ({problem}) and {end}")
    return sentences


def _cut_again(
    folder: RunFolder,
    group: str,
    path: Path,
    examples: Sequence[Example],
    study: StudyFile,
    data: StudyData,
) -> bool:
    """Writes windows again if they come out as they were; stored predictions belong to those."""
    tokenizer, of = _tokenizer(folder, group), WindowGroup.parse(group)
    if tokenizer is None:
        return False
    windows = cut(encode(tokenizer, examples), of.length, of.stride)
    other_part = kept_limit(folder, group)
    limits = (other_part, limit_of(study, data, tokenizer, of.length), MAX_ANSWER_TOKENS)
    with TemporaryDirectory(dir=path.parent) as scratch:
        made = Path(scratch) / path.name
        for limit in filter(None, limits):
            save_windows(made, replace(windows, max_answer_tokens=limit))
            if checksum(made) == sum_beside(path):
                made.replace(path)
                return True
    return False


def _tokenizer(folder: RunFolder, group: str) -> QATokenizer | None:
    """The tokenizer of a group of windows, as a candidate keeps it."""
    for name in folder.candidate_ids():
        try:
            if folder.read_record(name).windows == group:
                check(folder.candidate(name), "model/tokenizer.json")
                return QATokenizer.from_folder(folder.model(name))
        except AutoqaError:  # the next one has the same
            continue
    return None
