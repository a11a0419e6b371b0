"""Lets ``twist`` and ``twistd`` offer the ``aigw`` subcommand."""

from twisted.application.service import ServiceMaker

aigw = ServiceMaker("aigw", "aigw.tap", "The correct-streaming AI gateway.", "aigw")
