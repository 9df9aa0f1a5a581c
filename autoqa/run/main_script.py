"""Work in worker processes begins in the main script, below ``if __name__ == "__main__":``."""

from multiprocessing import current_process

from autoqa.errors import ConfigError


def check_main_script(call: str) -> None:
    """Refuses to train in a worker, which imports the script that began it.

    Args:
        call: What the script called, for people.

    Raises:
        ConfigError: This process is a worker.
    """
    if current_process().name.startswith("autoqa-worker-"):
        raise ConfigError(
            f"{call} was called by a script that a worker process imports: "
            'call it below `if __name__ == "__main__":`'
        )
