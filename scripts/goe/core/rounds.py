"""Rounds of Snakemake's scheduler: when a job has ended, and once a second."""

import threading
from typing import Any


def one_timer(scheduler: Any) -> None:
    """Let the scheduler of a run wait for one timer at a time.

    It asks after every round how many jobs its limit of jobs a second (100, or the profile's) leaves, by a timer that
    begins another round. Of itself it starts a timer though one is waiting, and each of them another, so while jobs are
    ready every job that has ended adds a round a second, for as long as the run takes (Snakemake 9.27).
    """
    waiting = threading.Lock()

    def again() -> None:
        waiting.release()
        scheduler._open_jobs.release()

    def later(delay: float) -> None:
        if waiting.acquire(blocking=False):
            timer = threading.Timer(delay, again)
            timer.daemon = True  # the end of a run does not wait for it
            timer.start()

    scheduler._schedule_reevalutation = later
