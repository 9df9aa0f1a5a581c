"""``autoqa completion``: what makes a shell complete commands and options."""

import os
from pathlib import Path
from typing import NamedTuple

import click

from autoqa.errors import ConfigError

SHELLS = ("bash", "zsh", "fish")


class _Place(NamedTuple):
    """Where a shell looks for a script, and the line that its own file needs for that, if any."""

    script: Path
    start_file: Path | None
    line: str


@click.command()
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@click.option("--install", is_flag=True, help="Put it where the shell finds it, from now on.")
def completion(shell: str | None, install: bool) -> None:
    """Make SHELL complete the commands and options of autoqa.

    SHELL is bash, zsh or fish; left out, the one that runs. Without --install the script is
    printed, for `eval "$(autoqa completion bash)"`.
    """
    shell = shell or _running_shell()
    text = _script(shell)
    if not install:
        click.echo(text)
        return
    place = _place(shell)
    try:
        place.script.parent.mkdir(parents=True, exist_ok=True)
        place.script.write_text(text + "\n", encoding="utf-8")
        if place.start_file is not None:
            _add_line(place.start_file, place.line)
    except OSError as error:
        raise ConfigError(
            f"{error.filename}: cannot be written ({error.strerror}); print the script without "
            "--install and put it where the shell reads it"
        ) from error
    click.echo(
        f"{place.script} is written; it works in shells that are opened from now on", err=True
    )


def _running_shell() -> str:
    path = os.environ.get("SHELL", "")
    name = Path(path).name
    if name not in SHELLS:
        raise ConfigError(
            f"SHELL is {path!r}, which is none of {', '.join(SHELLS)}: name one of them, "
            "such as `autoqa completion bash`"
        )
    return name


def _script(shell: str) -> str:
    from click.shell_completion import get_completion_class

    from autoqa.cli.main import COMPLETION, cli

    kind = get_completion_class(shell)
    assert kind is not None  # click knows all of SHELLS
    return kind(cli, {}, "autoqa", COMPLETION).source()


def _place(shell: str) -> _Place:
    home = Path.home()
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share")
    if shell == "fish":
        config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
        return _Place(config / "fish/completions/autoqa.fish", None, "")
    if shell == "zsh":
        script = data / "autoqa/completion.zsh"
        start_file = Path(os.environ.get("ZDOTDIR") or home) / ".zshrc"
        return _Place(script, start_file, f'source "{script}"')
    # The package bash-completion would find a script by itself, but is not on every machine.
    script = data / "autoqa/completion.bash"
    return _Place(script, home / ".bashrc", f'source "{script}"')


def _add_line(path: Path, line: str) -> None:
    """Adds a line to a shell's own file, once."""
    present = path.read_text(encoding="utf-8") if path.exists() else ""
    if line in present.splitlines():
        return
    gap = "" if not present or present.endswith("\n") else "\n"
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{gap}{line}\n")
