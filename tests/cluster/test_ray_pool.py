"""Tasks in actors: what kills its process costs one answer."""

import os
from pathlib import Path

import pytest

from deadly_tasks import died
from ray_cluster import ray_cluster
from unblur.cluster import ray_pool
from unblur.cluster.ray_pool import run_on_ray
from unblur.errors import ClusterError

TESTS = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Ray, about itself
def test_a_task_that_kills_its_process_costs_one_answer(monkeypatch):
    monkeypatch.setattr(ray_pool, "_WAVE", 4)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]))
    with ray_cluster(2) as (cluster, _):
        running = run_on_ray(range(10), "deadly_tasks:double_or_die", 7, on_death=died, address=cluster.address)
        answers = [str(answer) for answer in running]
    assert sorted(answers) == sorted([str((7, "SIGKILL")), *(str(2 * number) for number in range(10) if number != 7)])


@pytest.mark.parametrize("address", ["127.0.0.1:9", "127.0.0.1:port"])
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_is_not_there_is_one_sentence(address):
    with pytest.raises(ClusterError, match=f"the Ray cluster {address} cannot be reached"):
        next(run_on_ray([1], "deadly_tasks:double_or_die", 7, on_death=died, address=address))
