"""Jobs side by side: same results in the same order, steps told where the caller is, all of them stopped at once."""

import threading
import time

import pytest
import torch

from unblur.errors import Cancelled
from unblur.system.threads import run_side_by_side


@pytest.fixture(params=[1, 3])
def threads(request, monkeypatch):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_results_come_in_the_order_of_the_jobs(threads):
    def job(number, on_step):
        time.sleep(0.02 * (5 - number % 5))
        return number

    jobs = [lambda on_step, number=number: job(number, on_step) for number in range(10)]
    assert list(run_side_by_side(jobs)) == list(range(10))
    assert torch.get_num_threads() == threads


def test_jobs_really_run_side_by_side():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    meeting = threading.Barrier(2, timeout=10)  # breaks where a job waits for the other alone
    try:
        assert sorted(run_side_by_side([lambda _: meeting.wait()] * 2)) == [0, 1]
    finally:
        torch.set_num_threads(before)


def test_every_step_is_told_in_the_callers_thread(threads):
    told: list[int] = []

    def job(on_step):
        for _ in range(7):
            on_step()

    list(run_side_by_side([job] * 4, lambda: told.append(threading.get_ident())))
    assert told == [threading.get_ident()] * 28


def test_a_refused_step_stops_all_jobs_and_comes_through(threads):
    def endless(on_step):
        while True:
            time.sleep(0.01)
            on_step()

    def refuse():
        raise Cancelled("enough")

    with pytest.raises(Cancelled, match="enough"):
        list(run_side_by_side([endless] * 6, refuse))
    assert torch.get_num_threads() == threads


def test_an_error_of_a_job_comes_through(threads):
    with pytest.raises(ZeroDivisionError):
        list(run_side_by_side([lambda _: 1, lambda _: 1 // 0, lambda _: 1]))


@pytest.mark.parametrize("learning", [True, False])
def test_gradients_are_recorded_only_where_the_caller_records_them(threads, learning):
    weight = torch.ones(3, requires_grad=True)
    with torch.set_grad_enabled(learning):
        answers = list(run_side_by_side([lambda _: weight * 2] * 3))
    assert [answer.requires_grad for answer in answers] == [learning] * 3
