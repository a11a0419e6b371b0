"""The benchmark's pure parts: its arithmetic, the configurations, the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aigw.config.load import load
from aigw.providers import built_in
from benchmarks import cases, render
from benchmarks.arguments import Plan, parse
from benchmarks.cases import Case, Setup, Unit
from benchmarks.edge import certificate
from benchmarks.processes import Cores
from benchmarks.render import Wiring
from benchmarks.samples import Sample, middle, of_load, ratio, spread
from benchmarks.table import Run, from_json, markdown, number, to_json
from benchmarks.targets import TARGETS, Target
from benchmarks.tools import chat_body, load_command

BURST = next(case for case in cases.ALL if case.name == "burst")
NON_STREAM = next(case for case in cases.ALL if case.name == "non-stream")
FIRST = next(case for case in cases.ALL if case.name == "first-token")


def result(**changed: Any) -> dict[str, Any]:
    """What load.c prints after a clean run."""
    clean = {
        "secs": 2.0,
        "ok": 100,
        "ev": 10_000,
        "cpu": 0.05,
        **dict.fromkeys(("err", "integ", "http", "connerr"), 0),
        "ttft": {"n": 100, "p50": 700.0, "p90": 800.0, "p99": 900.0, "max": 1000.0},
        "note": "",
    }
    return {**clean, **changed}


def a_run(**samples: dict[str, list[Sample]]) -> Run:
    return Run(
        made="2026-01-02",
        machine={"processor": "P", "cores": 2, "memory_gib": 8, "kernel": "Linux 6.1"},
        versions={"aigw": "1", "nginx": "2", "envoy": "3"},
        settings={"rounds": 3, "seconds": 1.5},
        cases=[case for case in cases.ALL if case.name in samples],
        samples=samples,
    )


def wiring(setup: Setup) -> Wiring:
    return Wiring(8001, 8002, setup, Path("/somewhere"), Path("/certificates"))


# -- arithmetic --


def test_a_request_costs_cpu_time_divided_by_the_requests_completed() -> None:
    sample = of_load(NON_STREAM, result())
    assert sample.value == pytest.approx(500.0)  # µs
    assert sample.extra["rate"] == pytest.approx(50.0)


def test_an_event_costs_cpu_time_divided_by_the_events_seen() -> None:
    assert of_load(BURST, result()).value == pytest.approx(5.0)


@pytest.mark.parametrize("flaw", ["err", "integ", "http", "connerr"])
def test_a_single_flaw_takes_the_figure_away(flaw: str) -> None:
    sample = of_load(BURST, result(**{flaw: 1}, note="what happened"))
    assert sample.value is None
    assert "what happened" in sample.problem


def test_a_run_that_completes_nothing_has_no_figure() -> None:
    assert of_load(NON_STREAM, result(ok=0)).value is None


def test_added_time_is_the_difference_to_asking_directly() -> None:
    ttft = {"n": 100, "p50": 200.0, "p90": 300.0, "p99": 400.0, "max": 500.0}
    direct = of_load(FIRST, result(ttft=ttft))
    sample = of_load(FIRST, result(), direct)
    assert sample.value == pytest.approx(500.0)
    assert sample.extra["added_p99_us"] == pytest.approx(500.0)


def test_the_median_is_taken_of_each_figure() -> None:
    samples = [Sample(float(v), {"rate": 10.0 * v}) for v in (9, 1, 4)]
    assert middle(samples) == Sample(4.0, {"rate": 40.0})


def test_one_failed_round_fails_the_case() -> None:
    several = [Sample(1.0), Sample(None, problem="corrupt"), Sample(2.0)]
    assert middle(several).value is None
    assert middle(several).problem == "corrupt"


def test_rounds_that_differ_are_told() -> None:
    assert spread([Sample(10.0), Sample(13.0), Sample(12.0)]) == pytest.approx(0.3)
    assert spread([Sample(10.0)]) == 0.0


def test_needing_half_of_what_they_need_is_a_ratio_of_two() -> None:
    assert ratio(Sample(5.0), Sample(10.0)) == pytest.approx(2.0)


@pytest.mark.parametrize("theirs", [None, Sample(None), Sample(0.0), Sample(-1.0)])
def test_there_is_no_ratio_to_a_figure_that_is_missing(theirs: Sample | None) -> None:
    assert ratio(Sample(5.0), theirs) is None


# -- targets --


def target(text: str) -> Target:
    return next(target for target in TARGETS if target.text == text)


def test_a_target_is_met_at_its_bound() -> None:
    figures = {"non-stream": {"aigw": Sample(80.0), "envoy": Sample(40.0)}}
    assert target("non-stream, times Envoy").met(figures) is True
    figures["non-stream"]["aigw"] = Sample(81.0)
    assert target("non-stream, times Envoy").met(figures) is False


def test_a_target_of_at_most_is_missed_above_it() -> None:
    assert target("KiB an idle stream").met({"idle": {"aigw": Sample(10.1)}}) is False
    assert target("KiB an idle stream").met({"idle": {"aigw": Sample(9.9)}}) is True


def test_a_target_that_was_not_measured_is_neither_met_nor_missed() -> None:
    assert all(target.met({}) is None for target in TARGETS)


def test_conversion_is_compared_with_the_passthrough_of_portkey() -> None:
    figures = {
        "conversion": {"aigw": Sample(5.0)},
        "burst": {"portkey": Sample(20.0), "aigw": Sample(1.0)},
    }
    measured = target("conversion, times Portkey's passthrough").measured(figures)
    assert measured == pytest.approx(4.0)


# -- the table --


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (0.0471, "0.047"),
        (0.6044, "0.60"),
        (2.204, "2.20"),
        (17.33, "17.3"),
        (201.4, "201"),
        (11100, "11,100"),
        (-0.31, "-0.31"),
    ],
)
def test_figures_are_shown_without_false_precision(value: float, shown: str) -> None:
    assert number(value) == shown


def test_the_table_has_ratios_and_says_what_failed_or_is_not_served() -> None:
    table = markdown(
        a_run(
            **{
                "non-stream": {
                    "aigw": [Sample(50.0), Sample(50.0)],
                    "nginx": [Sample(20.0)],
                    "envoy": [Sample(None, problem="2 corrupt streams: gap")],
                },
                "burst": {"nginx": [Sample(2.0)]},
            }
        )
    )
    rows = [line for line in table.splitlines() if line.startswith("| **")]
    assert "| 50.0 | 20.0 | 0.40 x | **failed** | - |" in rows[0]
    assert "| - | 2.00 | - | - | - |" in rows[1]
    assert "- non-stream, envoy: 2 corrupt streams: gap" in table
    assert "aigw 1, nginx 2, envoy 3" in table


def test_a_run_is_read_back_as_it_was_saved() -> None:
    run = a_run(burst={"aigw": [Sample(1.5, {"rate": 3.0}), Sample(None, {}, "no")]})
    assert from_json(to_json(run)) == run


def test_other_json_is_not_a_run() -> None:
    with pytest.raises(ValueError, match="not a run"):
        from_json("{}")


# -- cases and requests --


def test_names_of_cases_are_unique() -> None:
    names = [case.name for case in cases.ALL]
    assert len(names) == len(set(names))


def test_the_quick_run_is_the_four_cases_of_the_targets() -> None:
    quick = [case.name for case in cases.chosen([], quick=True)]
    assert quick == ["non-stream", "burst", "packed", "paced"]


def test_a_case_knows_how_many_events_its_streams_have() -> None:
    assert BURST.events == 100
    assert NON_STREAM.events == 0


def test_streams_held_open_fit_the_descriptors_of_a_proxy() -> None:
    held = next(case for case in cases.ALL if case.name == "idle-limit")
    fitted = cases.scaled(held, 2200)
    assert fitted.connections == 1000
    assert fitted.title.startswith("1,000 silent")
    assert cases.scaled(held, 20000) == held
    assert cases.scaled(BURST, 202) == BURST


@pytest.mark.parametrize("size", [100, 1000, 1234, 100_000])
def test_a_body_has_the_size_asked_for_and_is_a_chat_request(size: int) -> None:
    body = chat_body("m", True, size)
    assert len(body) == size
    assert json.loads(body)["model"] == "m"


def test_a_body_too_small_for_a_request_is_refused() -> None:
    with pytest.raises(ValueError, match="too small"):
        chat_body("m", True, 10)


def test_the_load_is_told_all_of_the_case() -> None:
    case = Case("x", "", Unit.EVENT, connections=7, close_each=True, path="/p")
    command = load_command(
        case, 81, 1.5, 0.5, pids=[4, 5], headers=["a: b"], rewritten=True
    )
    text = " ".join(command[1:])
    assert "-p 81 -k sse -h /p -c 7 -m m-n100-s200-d0-b1 -t 1.5 -w 0.5" in text
    assert "-P 4,5 -n 100 -H a: b -L -C" in text


def test_a_proxy_has_its_core_for_itself() -> None:
    assert Cores.of({0, 1}) == Cores("0", "1", "1")
    assert Cores.of({2, 4, 6}) == Cores("2", "4", "6")
    with pytest.raises(ValueError, match="two cores"):
        Cores.of({3})


# -- configurations --


@pytest.mark.parametrize(
    "setup", sorted(set(Setup) - {Setup.EVENTSTREAM}, key=lambda setup: setup.value)
)
def test_aigw_accepts_what_it_is_measured_with(setup: Setup, tmp_path: Path) -> None:
    certificate(tmp_path)
    config = render.aigw(replace(wiring(setup), tls=tmp_path), 9001)
    hosts = {name: provider.host for name, provider in built_in().items()}
    settings = load(config.encode(), {}, providers=hosts)
    assert settings.server.workers == (2 if setup is Setup.WORKERS_2 else 1)
    assert not settings.warnings


def test_aigw_is_measured_with_its_access_log_and_the_providers_key() -> None:
    value = json.loads(render.aigw(wiring(Setup.PLAIN), 9001))
    assert value["log"]["access"]["path"] == "/somewhere/access.log"
    proxy = value["routes"][0]["plugins"]["ai-proxy"]
    assert proxy["auth"]["header"]["Authorization"] == "Bearer sk-upstream"
    assert proxy["override"]["endpoint"].startswith("http://127.0.0.1:8002/")


def test_nginx_relays_at_once_and_keeps_connections() -> None:
    conf = render.nginx(wiring(Setup.PLAIN), "")
    assert "proxy_buffering off;" in conf
    assert 'proxy_set_header Connection "";' in conf
    assert "keepalive 512;" in conf
    assert "proxy_pass http://provider;" in conf
    assert "listen 127.0.0.1:8001 backlog" in conf


def test_tls_stands_on_the_side_that_is_asked_for() -> None:
    client = render.nginx(wiring(Setup.TLS_CLIENT), "")
    provider = render.nginx(wiring(Setup.TLS_PROVIDER), "")
    assert "listen 127.0.0.1:8001 ssl" in client
    assert "proxy_pass http://" in client
    assert "listen 127.0.0.1:8001 backlog" in provider
    assert "proxy_pass https://" in provider
    listener, cluster = (
        json.loads(render.envoy(wiring(setup)))["static_resources"]
        for setup in (Setup.TLS_CLIENT, Setup.TLS_PROVIDER)
    )
    assert "transport_socket" in listener["listeners"][0]["filter_chains"][0]
    assert "transport_socket" not in listener["clusters"][0]
    assert "transport_socket" in cluster["clusters"][0]


# -- the command line --


def plan(*arguments: str, peers: str = "") -> Plan:
    return parse(arguments, {"BENCH_PEERS": peers}, 20000)


def test_envoy_is_compared_where_it_is_installed() -> None:
    assert plan().peers == ("aigw", "nginx", "envoy")
    assert plan().optional == {"envoy"}
    assert not plan().install


def test_bench_peers_adds_and_installs_all() -> None:
    everyone = plan(peers="1")
    assert everyone.peers == ("aigw", "nginx", "envoy", "portkey", "litellm")
    assert everyone.install
    assert not everyone.optional
    assert plan(peers="0") == plan()


def test_named_cases_and_peers_are_the_ones_that_run() -> None:
    named = plan("--cases", "paced,idle", "--peers", "nginx,aigw")
    assert [case.name for case in named.cases] == ["paced", "idle"]
    assert named.peers == ("aigw", "nginx")


def test_the_quick_run_is_shorter() -> None:
    quick, full = plan("--quick"), plan()
    assert quick.pace.seconds * quick.pace.rounds < full.pace.seconds * full.pace.rounds
    assert replace(quick.pace, rounds=7) == plan("--quick", "--rounds", "7").pace


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--cases", "nonsense"], "no such case: nonsense"),
        (["--peers", "apache"], "no such peer: apache"),
        (["--rounds", "0"], "at least 1"),
        (["--seconds", "0"], "more than 0"),
        (["--save", "../x"], "not a path"),
    ],
)
def test_a_wrong_command_line_is_refused(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        plan(*arguments)
    assert told in capsys.readouterr().err
