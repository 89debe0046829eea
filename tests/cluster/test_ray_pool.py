"""Tasks in actors: what kills its process costs one answer."""

import os
import signal

import pytest

from ray_cluster import ray_cluster
from unblur.cluster import ray_pool
from unblur.cluster.ray_pool import run_on_ray


def double_or_die(setup, task, send):
    if task == setup:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * task


def died(task, how):
    return (task, how)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Ray, about itself
def test_a_task_that_kills_its_process_costs_one_answer(monkeypatch):
    monkeypatch.setattr(ray_pool, "_WAVE", 4)
    monkeypatch.syspath_prepend(os.path.dirname(__file__))  # noqa: PTH120
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.path.dirname(__file__), os.environ.get("PYTHONPATH", "")]))  # noqa: PTH120
    with ray_cluster(2) as (cluster, _):
        answers = list(run_on_ray(range(10), "test_ray_pool:double_or_die", 7, on_death=died, address=cluster.address))
    assert sorted(map(str, answers)) == sorted(map(str, [(7, "SIGKILL"), *(2 * n for n in range(10) if n != 7)]))
