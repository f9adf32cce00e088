"""The shipped rule file, and copies of it with other choices."""

from pathlib import Path

import yaml

from analytics.rules import parse_rules

REPOSITORY = Path(__file__).parents[2]
SHIPPED = REPOSITORY / "data" / "rules" / "wuhai" / "2021-08-23.yaml"


ADDED_BY_FORMAT_2 = {"modes": "pooled", "design_effect": "3/2", "repeat_complaints": "20 %"}


def rule_text(choices):
    """Return the shipped rule file with other choices, by dotted key: `{"satisfaction.ties": "exclude"}`."""
    return _with_choices(yaml.safe_load(SHIPPED.read_text("utf-8")), choices)


def rule_text_2(choices):
    """Return the shipped rule file in format 2 with other choices, as `rule_text`."""
    content = yaml.safe_load(SHIPPED.read_text("utf-8"))
    content["evidence"] |= ADDED_BY_FORMAT_2
    return _with_choices(content | {"format": "jiayuan-rules-2"}, choices)


def _with_choices(content, choices):
    for key, choice in choices.items():
        *path, last = key.split(".")
        place = content
        for part in path:
            place = place[part]
        # Only a composite has domains, so that the shipped rules do not.
        assert last in place or last == "domains"
        place[last] = choice
    return yaml.safe_dump(content, allow_unicode=True)


def rules_with(choices):
    return parse_rules(rule_text(choices).encode("utf-8"), "rules.yaml")


def rules_2_with(choices):
    return parse_rules(rule_text_2(choices).encode("utf-8"), "rules.yaml")
