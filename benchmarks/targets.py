"""The figures aigw is to reach, each a question to a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .samples import Sample, ratio

#: Medians: by case, by peer.
Figures = Mapping[str, Mapping[str, Sample]]


@dataclass(frozen=True, slots=True)
class Target:
    """
    One target.

    :ivar measured: the figure in question; None where the run does not have it.
    :ivar bound: what it must reach, or where ``most`` must not exceed.
    """

    text: str
    measured: Callable[[Figures], float | None]
    bound: float
    most: bool = False

    def met(self, figures: Figures) -> bool | None:
        """Whether it is met; None where that was not measured."""
        value = self.measured(figures)
        if value is None:
            return None
        return value <= self.bound if self.most else value >= self.bound


def _sample(figures: Figures, case: str, peer: str = "aigw") -> Sample | None:
    return figures.get(case, {}).get(peer)


def _beside(
    case: str, peer: str, theirs: str = ""
) -> Callable[[Figures], float | None]:
    def measured(figures: Figures) -> float | None:
        return ratio(_sample(figures, case), _sample(figures, theirs or case, peer))

    return measured


def _figure(case: str, extra: str = "") -> Callable[[Figures], float | None]:
    def measured(figures: Figures) -> float | None:
        sample = _sample(figures, case)
        if sample is None:
            return None
        return sample.extra.get(extra) if extra else sample.value

    return measured


def _two_workers(figures: Figures) -> float | None:
    one, two = _sample(figures, "workers-1"), _sample(figures, "workers-2")
    return ratio(two, one)


TARGETS = (
    Target("non-stream, times Envoy", _beside("non-stream", "envoy"), 0.5),
    Target("non-stream, times Portkey", _beside("non-stream", "portkey"), 20),
    Target("non-stream, times LiteLLM", _beside("non-stream", "litellm"), 100),
    Target("burst, times Envoy", _beside("burst", "envoy"), 0.8),
    Target("packed, times Envoy", _beside("packed", "envoy"), 0.5),
    Target("paced, times nginx", _beside("paced", "nginx"), 1 / 1.6),
    Target(
        "µs added to first token, p50",
        _figure("first-token"),
        400,
        most=True,
    ),
    Target(
        "µs added to first token, p99",
        _figure("first-token", "added_p99_us"),
        3000,
        most=True,
    ),
    Target(
        "conversion, times Portkey's passthrough",
        _beside("conversion", "portkey", "burst"),
        3,
    ),
    Target("MiB at start", _figure("start"), 70e6 / 2**20, most=True),
    Target("KiB an idle stream", _figure("idle"), 10, most=True),
    Target("KiB grown, slow reader", _figure("slow-reader"), 1e6 / 1024, most=True),
    Target(
        "KiB grown, slow reader, 60 KB events",
        _figure("slow-reader-64k"),
        1e6 / 1024,
        most=True,
    ),
    Target("% grown by 5,000 cut streams", _figure("cut"), 5, most=True),
    Target("two workers, times one a CPU-second", _two_workers, 0.9),
    Target(
        "% of the requests' CPU in the busier of two workers",
        _figure("workers-2", "busier_percent"),
        60,
        most=True,
    ),
)
