import pytest

from autoqa.errors import AutoqaError, ConfigError
from autoqa.workers.resources import NodeRoom, plan_on_nodes

GIB = 1024**3


def test_workers_have_their_places_on_the_nodes_of_a_cluster() -> None:
    small, large = NodeRoom(4, 0, 64 * GIB), NodeRoom(16, 0, 64 * GIB)
    each = plan_on_nodes("auto", [NodeRoom(0, 0, 8 * GIB), small, large])
    assert each.devices == (None,) * 20
    assert each.spelled() == "20 workers with 1 thread each (one per processor of 3 nodes)"
    # Two of eight threads fit the large node; three of five leave one without a place.
    assert (plan_on_nodes(2, [small, large]).threads, plan_on_nodes(4, [small, large]).threads) == (
        8,
        4,
    )
    tight = plan_on_nodes("auto", [NodeRoom(16, 0, 5 * GIB), NodeRoom(2, 0, GIB)])
    assert tight.spelled() == "3 workers with 5 threads each (as many as memory holds)"
    late = plan_on_nodes(6, [small])
    assert late.spelled().endswith("(as asked for; the cluster has 4 places now, the others wait)")


def test_gpus_are_what_is_counted_where_there_are_some() -> None:
    plan = plan_on_nodes("auto", [NodeRoom(16, 4, 64 * GIB), NodeRoom(8, 0, 64 * GIB)])
    assert (plan.count, plan.threads, None in plan.devices) == (4, 4, False)


def test_a_cluster_without_a_processor_is_refused_unless_a_number_is_stated() -> None:
    with pytest.raises(AutoqaError, match=r"no processor for a worker \(1 nodes\): add a node"):
        plan_on_nodes("auto", [NodeRoom(0, 0, GIB)])
    assert plan_on_nodes(2, [NodeRoom(0, 0, GIB)]).threads == 1


def test_a_worker_there_has_one_device() -> None:
    assert plan_on_nodes("auto", [NodeRoom(4, 0, 64 * GIB)], "auto").width == 1
    with pytest.raises(ConfigError, match=r"devices_per_run = 2: on Ray each run has one device"):
        plan_on_nodes("auto", [NodeRoom(4, 0, 64 * GIB)], 2)
