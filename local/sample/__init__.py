"""A seeded, fictional sneaker marketplace: the user data behind the demo, the benchmarks and the tests."""

from local.sample.generate import generate

__all__ = ["generate"]
