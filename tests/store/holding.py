"""Holds a study's lock in a process of its own, with its address and name as arguments."""

import sys
import time

from autoqa.store.connection import StudyDatabase

if __name__ == "__main__":
    with StudyDatabase(sys.argv[1], sys.argv[2]) as database, database.exclusively():
        print("held", flush=True)
        time.sleep(float(sys.argv[3]))
        print(time.time(), flush=True)
