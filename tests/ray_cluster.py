"""A Ray cluster of several nodes on this machine, any of which can be killed as a machine is lost."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

__all__ = ["ray_cluster"]

_MEMORY = 80 << 20
"""Bytes of a node's object store, the least that Ray takes: paths and reports are all that is in it."""


@contextmanager
def ray_cluster(nodes: int) -> Generator[tuple[Any, list[Any]]]:
    """A cluster with a head that computes nothing and `nodes` nodes of one core each.

    Yields:
        The cluster, whose `address` is for `--address` and whose `remove_node(node, allow_graceful=False)` kills one,
        and its nodes.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "object_store_memory": _MEMORY, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        yield cluster, [cluster.add_node(num_cpus=1, object_store_memory=_MEMORY) for _ in range(nodes)]
    finally:
        cluster.shutdown()
