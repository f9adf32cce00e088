"""Benchmarks are run by hand: whether they can be loaded at all is checked with the tests."""

import importlib
import pkgutil

import pytest

import tests.benchmarks

SUITES = [module.name for module in pkgutil.iter_modules(tests.benchmarks.__path__) if module.name.startswith("bench_")]


@pytest.mark.parametrize("name", SUITES)
def test_every_benchmark_finds_what_it_measures(name):
    assert callable(importlib.import_module(f"tests.benchmarks.{name}").benchmarks)
