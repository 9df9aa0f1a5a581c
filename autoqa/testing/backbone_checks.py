"""What a backbone of any kind has to do: licence, files, tokenizer."""

import json
import time
from pathlib import Path
from subprocess import Popen

from autoqa.api import BackboneFacts, BackboneSpec, ConfigError, TrainingProtocol
from autoqa.features.flat import encode_texts
from autoqa.features.offset_check import check_offsets
from autoqa.features.tokenizer import QATokenizer
from autoqa.testing.check import Check, CheckFailedError, NotApplicableError, require
from autoqa.testing.preparation import FILES, digests, outcomes, release, start
from autoqa.testing.samples import TEXTS, word_examples
from autoqa.testing.source_checks import check_light
from autoqa.testing.spec_checks import OPTION_CHECKS, SPEC_CHECKS
from autoqa.testing.subject import Subject

BackboneSubject = Subject[BackboneSpec]

UNKNOWN_SHARE = 0.02
"""Of a text's tokens, those that may be unknown."""


def here(backbone: BackboneSubject) -> None:
    """Raises NotApplicableError where weights are not on this machine."""
    sentence = backbone.spec.missing(backbone.options)
    if sentence is not None:
        raise NotApplicableError(f"not on this machine: {sentence}")


def prepared(backbone: BackboneSubject) -> Path:
    """Its folder, prepared once for all checks."""
    here(backbone)
    if "prepared" not in backbone.made:
        cache = backbone.folder / "prepared"
        cache.mkdir(parents=True, exist_ok=True)
        begin = time.perf_counter()
        backbone.made["prepared"] = Path(backbone.spec.prepare(backbone.options, cache))
        backbone.made["seconds"] = time.perf_counter() - begin
    return Path(backbone.made["prepared"])


def tokenizer_of(backbone: BackboneSubject) -> QATokenizer:
    """Its tokenizer."""
    return QATokenizer.from_folder(prepared(backbone))


def check_functions(backbone: BackboneSubject) -> None:
    """What is asked before anything is loaded is quick and light."""
    check_light(backbone)


def check_protocol(backbone: BackboneSubject) -> None:
    """The protocol is one, and its windows fit into the model."""
    protocol = backbone.spec.protocol(backbone.options)
    require(
        isinstance(protocol, TrainingProtocol),
        f"protocol gives {protocol!r}, not a TrainingProtocol",
    )
    if backbone.spec.missing(backbone.options) is not None:
        return
    facts = backbone.spec.facts(backbone.options)
    require(isinstance(facts, BackboneFacts), f"facts gives {facts!r}, not a BackboneFacts")
    require(
        facts.positions is None or protocol.length <= facts.positions,
        f"the protocol's windows of {protocol.length} tokens are longer than the "
        f"{facts.positions} positions that facts tells of",
    )


def check_licence(backbone: BackboneSubject) -> None:
    """The licence of the weights is said in a word."""
    licence = backbone.spec.licence(backbone.options)
    require(
        isinstance(licence, str) and licence.strip() and "\n" not in licence,
        f"licence gives {licence!r}; give an SPDX identifier, or 'unknown'",
    )


def check_files(backbone: BackboneSubject) -> None:
    """``prepare`` gives a folder with the four files."""
    folder = prepared(backbone)
    absent = [name for name in FILES if not (folder / name).is_file()]
    require(not absent, f"prepare gives {folder.name}, which lacks {', '.join(absent)}")
    for name in ("config.json", "tokenizer_config.json"):
        try:
            content = json.loads((folder / name).read_text(encoding="utf-8"))
        except ValueError as error:
            raise CheckFailedError(f"{name} is no JSON: {error}") from error
        require(isinstance(content, dict), f"{name} holds no JSON object")


def check_equal_bytes(backbone: BackboneSubject) -> None:
    """``prepare`` makes the same bytes in any cache folder."""
    first = digests(prepared(backbone))
    cache = backbone.folder / "again"
    cache.mkdir(parents=True, exist_ok=True)
    second = digests(Path(backbone.spec.prepare(backbone.options, cache)))
    other = [name for name in first if first[name] != second.get(name)]
    require(
        not other,
        f"in two cache folders prepare makes different bytes of {', '.join(other)}; checkpoints of "
        "one machine would not fit on another",
    )


def check_atomic(backbone: BackboneSubject) -> None:
    """Killed in the middle, ``prepare`` leaves nothing that is taken for whole."""
    expected, seconds = digests(prepared(backbone)), float(backbone.made["seconds"])
    for number, share in enumerate((0.0, 0.3, 0.7)):
        cache = backbone.folder / f"killed-{number}"
        cache.mkdir(parents=True, exist_ok=True)
        process = _started(backbone, cache)
        release([process])
        _wait(process, cache, share * seconds)
        process.kill()
        process.communicate()
        folder = Path(backbone.spec.prepare(backbone.options, cache))
        other = [name for name in FILES if digests(folder).get(name) != expected[name]]
        require(
            not other,
            f"killed while it prepared, and prepared again, {', '.join(other)} of it is not what "
            "it should be; write to a temporary name first, and rename it when it is whole",
        )


def _wait(process: "Popen[str]", cache: Path, seconds: float) -> None:
    """Waits for the first file below a folder, and some seconds more."""
    while process.poll() is None and not _has_files(cache):
        time.sleep(0.002)
    end = time.perf_counter() + seconds
    while process.poll() is None and time.perf_counter() < end:
        time.sleep(0.002)


def _has_files(folder: Path) -> bool:
    try:
        return any(path.is_file() for path in folder.rglob("*"))
    except FileNotFoundError:  # a temporary folder that was renamed meanwhile
        return True


def _started(backbone: BackboneSubject, cache: Path) -> "Popen[str]":
    if backbone.location is None:
        raise NotApplicableError("the spec stands in no module that another process could import")
    return start(backbone.location, backbone.options.model_dump_json(), cache)


def check_concurrent(backbone: BackboneSubject) -> None:
    """Several processes that prepare it at once get one whole folder."""
    expected = digests(prepared(backbone))
    cache = backbone.folder / "concurrent"
    cache.mkdir(parents=True, exist_ok=True)
    processes = [_started(backbone, cache) for _ in range(3)]
    release(processes)
    done, failures = outcomes(processes)
    require(not failures, f"of three processes that prepare it at once one fails: {failures[:1]}")
    different = {each.folder.resolve() for each in done}
    require(len(different) == 1, f"three processes at once prepare {len(different)} folders")
    wrong = [name for name in FILES if any(e.files.get(name) != expected[name] for e in done)]
    require(
        not wrong,
        f"one of three processes that prepare it at once is handed a folder in which "
        f"{', '.join(wrong)} is not whole yet; make it under a temporary name and rename it",
    )


def check_tokenizer(backbone: BackboneSubject) -> None:
    """The tokenizer is a fast one that lays out question and context."""
    try:
        tokenizer_of(backbone)
    except ConfigError as error:
        raise CheckFailedError(str(error)) from error


def check_letters(backbone: BackboneSubject) -> None:
    """Tokens cover all letters of the languages that it claims, few of them unknown."""
    tokenizer = tokenizer_of(backbone)
    claimed = (*backbone.spec.languages(backbone.options), *backbone.languages)
    known = [language for language in dict.fromkeys(claimed) if language in TEXTS]
    if not known:
        raise NotApplicableError("it claims no language of which the kit has a text")
    unknown = _unknown_id(tokenizer)
    for language in known:
        try:
            check_offsets(tokenizer, word_examples(language), language)
        except ConfigError as error:
            raise CheckFailedError(str(error)) from error
        ids, _, _ = encode_texts(tokenizer.core, [TEXTS[language]])
        share = float((ids == unknown).mean())
        require(
            share <= UNKNOWN_SHARE,
            f"{share:.0%} of the tokens of a text in {language!r} are unknown to the tokenizer",
        )


def _unknown_id(tokenizer: QATokenizer) -> int:
    model = json.loads(tokenizer.core.to_str())["model"]
    named = tokenizer.core.token_to_id(model["unk_token"]) if model.get("unk_token") else None
    number = named if model.get("unk_id") is None else model["unk_id"]
    return -1 if number is None else int(number)


BACKBONE_CHECKS = (
    *SPEC_CHECKS,
    *OPTION_CHECKS,
    Check(
        name="functions",
        summary="`missing`, `licence`, `facts` and the like are quick and light",
        function=check_functions,
    ),
    Check(name="licence", summary="the licence is said", function=check_licence),
    Check(name="protocol", summary="the protocol fits the model", function=check_protocol),
    Check(name="files", summary="`prepare` gives the four files", function=check_files),
    Check(
        name="equal-bytes",
        summary="`prepare` makes the same bytes everywhere",
        function=check_equal_bytes,
    ),
    Check(name="atomic", summary="`prepare` may be killed", function=check_atomic),
    Check(
        name="concurrent",
        summary="several processes may prepare it at once",
        function=check_concurrent,
    ),
    Check(name="tokenizer", summary="the tokenizer is a fast one", function=check_tokenizer),
    Check(
        name="letters",
        summary="tokens cover the letters of its languages",
        function=check_letters,
    ),
)
"""Of backbones of every kind."""
