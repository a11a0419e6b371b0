"""Instances and clusters that routing tests choose among."""

from __future__ import annotations

from typing import Any

from aigw.model.instance import Instance
from aigw.model.policy import Policy
from aigw.model.route import Route
from aigw.routing.cluster import Cluster


def instance(name: str, weight: int = 1, **fields: Any) -> Instance:
    return Instance(name=name, provider="openai", weight=weight, **fields)


def cluster(
    *instances: Instance, before: Cluster | None = None, **policy: Any
) -> Cluster:
    """A cluster whose random numbers are all a half."""
    route = Route("many", ("/v1/*",), instances, policy=Policy(**policy))
    return Cluster(route, before, random=lambda: 0.5)
