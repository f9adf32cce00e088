"""Migrations are one line: two of one number or two ends are found before a city tries to migrate."""

from tests.revisions import doubled_numbers, main, several_heads


def test_the_migrations_of_the_repository_are_one_line():
    assert main() == 0


def test_two_files_with_one_number_and_two_heads_are_faults():
    assert doubled_numbers(["0001_a.py", "0001_b.py"]) == ["migrations: several files have the number 0001"]
    assert several_heads(["0003", "0002"]) == ["migrations: 2 heads, 0002, 0003"]
    assert doubled_numbers(["0001_a.py", "0002_b.py"]) == several_heads(["0002"]) == []
