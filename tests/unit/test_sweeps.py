"""A sweep gives one table, however many processes or machines compute it."""

import importlib.util
import os
import subprocess
import sys

import pandas as pd
import pytest

from lib import ROOT, sweeps
from lib.sweeps import Grid, sweep


def draw(rng, a: float, b: float) -> dict:
    return {"sum": a + b, "draw": float(rng.random())}


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.setitem(sweeps.SWEEPS, "toy", Grid(draw, {"a": (1, 2), "b": (10, 20, 30)}, 7))


def test_every_point_once_in_order(toy):
    table = sweep("toy")
    assert list(zip(table["a"], table["b"])) == [(1, 10), (1, 20), (1, 30), (2, 10), (2, 20), (2, 30)]
    assert list(table["sum"]) == [11, 21, 31, 12, 22, 32]
    assert table["draw"].nunique() == 6
    pd.testing.assert_frame_equal(table, sweep("toy"))


def test_two_processes_give_the_table_of_one():
    pytest.importorskip("joblib", reason="joblib is in requirements-dev.txt")
    pd.testing.assert_frame_equal(sweep("sorting"), sweep("sorting", jobs=2))


@pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None,
    reason="distributed is in requirements-dev.txt; without `make test`: `pip install distributed`",
)
def test_a_cluster_gives_the_table_of_one_process():
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        pd.testing.assert_frame_equal(sweep("sorting"), sweep("sorting", scheduler=cluster.scheduler_address))


@pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="distributed is in requirements-dev.txt")
def test_the_command_sends_its_grid_to_a_scheduler():
    """The command's table from a cluster is that of one process, byte for byte; points are counted on the way."""
    from distributed import LocalCluster

    command = [sys.executable, "-m", "lib", "sweep", "cutoff"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    alone = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=True)
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        sent = subprocess.run(
            [*command, "--scheduler", cluster.scheduler_address],
            capture_output=True, text=True, env=environment, cwd=ROOT, check=True,
        )  # fmt: skip
    assert sent.stdout == alone.stdout and sent.stdout.count("\n") == 13
    assert "cutoff: 12 of 12 points" in sent.stderr and "cutoff: 12 of 12 points" in alone.stderr


def test_what_cannot_run_says_so(monkeypatch):
    with pytest.raises(ValueError, match="no sweep named 'none'; there are composite"):
        sweep("none")
    with pytest.raises(ValueError, match="give 1 or more"):
        sweep("cutoff", jobs=0)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(RuntimeError, match="pip install distributed"):
        sweep("cutoff", scheduler="tcp://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "joblib", None)
    with pytest.raises(RuntimeError, match="joblib"):
        sweep("cutoff", jobs=2)


def test_no_result_hides_a_parameter():
    for name, grid in sweeps.SWEEPS.items():
        row = sweeps.solve(name, 0)
        assert {k: row[k] for k in grid.axes} == grid.points()[0]
