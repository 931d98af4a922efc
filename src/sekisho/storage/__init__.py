"""Engines that keep the promises of `ports.storage`. They know nothing above the ports."""
