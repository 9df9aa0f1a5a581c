#!/bin/sh
# Two processes that open a new Optuna database at the same moment: one of them may die.
#
# optuna 5.0.0 (optuna/storages/_rdb/storage.py, RDBStorage.__init__) looks whether its tables are
# there and makes them, with no lock in between and no second try. Its own documentation tells people
# to start the same script several times for distributed optimisation, all of which pass
# load_if_exists=True; that flag is about the study, not about the tables. On SQLite the loser gets
# "table ... already exists" or an IntegrityError on the version row. With tables made beforehand
# nothing happens.
#
# Seen: 27 of 30 new databases, and none of 30 whose tables were there. Fails if no new database
# shows it any more, or an old one does.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'optuna==5.0.0'
cat > "$folder/race.py" <<'PYTHON'
import multiprocessing
import sys

import optuna

ROUNDS = 30


def open_all(folder, name, made, barrier, failures):
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for number in range(ROUNDS):
        url = f"sqlite:///{folder}/{name}-{number}.db"
        if made and barrier.wait() == 0:
            optuna.storages.RDBStorage(url)
        barrier.wait()
        try:
            optuna.create_study(storage=url, study_name="s", load_if_exists=True)
        except Exception as error:
            failures.put(f"{type(error).__name__}: {str(error).splitlines()[0]}")


def race(folder, name, made):
    context = multiprocessing.get_context("spawn")
    barrier, failures = context.Barrier(2), context.Queue()
    arguments = (folder, name, made, barrier, failures)
    processes = [context.Process(target=open_all, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    found = []
    while not failures.empty():
        found.append(failures.get())
    return found


if __name__ == "__main__":
    new, old = race(sys.argv[1], "new", False), race(sys.argv[1], "old", True)
    print(f"optuna {optuna.__version__}: {len(new)} of {ROUNDS} new databases, one process failed")
    for sentence in sorted(set(new)):
        print(f"  {sentence}")
    print(f"{len(old)} of {ROUNDS} databases that had their tables")
    sys.exit(0 if new and not old else 1)
PYTHON
"$folder/venv/bin/python" "$folder/race.py" "$folder"
