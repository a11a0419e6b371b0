"""Lets ``twist`` and ``twistd`` offer ``aigw``, and endpoint strings ``reuse:``."""

from twisted.application.service import ServiceMaker

from aigw.reuse import Reuse

aigw = ServiceMaker("aigw", "aigw.tap", "The correct-streaming AI gateway.", "aigw")
reuse = Reuse()
