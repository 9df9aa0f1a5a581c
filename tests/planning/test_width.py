from autoqa.planning.width import Layout, choose_layout, wider_may_help

MANY, WIDE = Layout(at_once=4, width=1), Layout(at_once=1, width=4)


def chosen(runs: int, faster: float, seconds: float | None = None) -> tuple[int, str]:
    """Devices per run where one on one device takes 100 s, and the reason."""
    layout, sentence = choose_layout(
        MANY, WIDE, runs=runs, whole_run=100.0, wide_run=100.0 / faster, seconds=seconds
    )
    return layout.width, sentence


def test_more_runs_win_where_all_devices_have_one() -> None:
    for runs in (4, 5, 40):
        width, sentence = chosen(runs, faster=4.0)
        assert width == 1
        assert sentence == "each run is trained on one device: there are runs enough for all 4"


def test_devices_that_would_be_idle_make_the_few_runs_faster() -> None:
    width, sentence = chosen(2, faster=3.2)
    assert width == 4
    assert sentence == (
        "each run is trained on 4 devices, 3.2 times as fast as on one: the 2 wanted take 62% of "
        "the time that they take on one each"
    )


def test_but_not_if_the_few_runs_would_end_later() -> None:
    width, sentence = chosen(3, faster=2.5)
    assert width == 1
    assert "on 4 devices it is 2.5 times as fast, which does not make up" in sentence


def test_a_time_that_holds_no_run_on_one_device_holds_one_on_several() -> None:
    width, sentence = chosen(40, faster=2.0, seconds=60.0)
    assert width == 4
    assert sentence.endswith("2.0 times as fast as on one: the time holds no whole run on one")
    assert chosen(40, faster=1.5, seconds=60.0)[0] == 1, "it holds none on several, either"
    assert chosen(40, faster=2.0, seconds=120.0)[0] == 1


def test_runs_of_a_fixed_number_of_workers_take_what_devices_there_are() -> None:
    many, wide = Layout(at_once=2, width=1), Layout(at_once=2, width=4)
    for wide_run, width in ((50.0, 4), (120.0, 1)):
        layout, _ = choose_layout(
            many, wide, runs=9, whole_run=100.0, wide_run=wide_run, seconds=None
        )
        assert layout.width == width


def test_wider_runs_are_timed_only_where_they_may_help() -> None:
    def may(runs: int, seconds: float | None = None, wide: Layout = WIDE) -> bool:
        return wider_may_help(MANY, wide, runs=runs, whole_run=100.0, seconds=seconds)

    assert may(3)
    assert may(9, seconds=90.0)
    assert not may(4)
    assert not may(9, seconds=110.0)
    assert not may(1, seconds=1.0, wide=Layout(at_once=1, width=1)), "there is one device"
