"""``python -m autoqa``: the command where no script of it is on the path."""

from autoqa.cli.main import main

if __name__ == "__main__":  # processes of workers import the module, too
    main()
