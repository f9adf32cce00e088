"""Command line of the analytics, without server or database: `python -m analytics --help`."""

from analytics.commands.lazy_group import LazyGroup

main = LazyGroup(
    "main",
    {
        "evaluate": "analytics.commands.evaluate:evaluate_command",
        "what-if": "analytics.commands.evaluate:what_if_command",
        "plan": "analytics.commands.plan:plan_command",
        "trends": "analytics.commands.trends:trends_command",
        "drivers": "analytics.commands.responses:drivers_command",
        "integrity": "analytics.commands.responses:integrity_command",
        "rake": "analytics.commands.responses:rake_command",
        "calibrate": "analytics.commands.calibrate:calibrate_command",
    },
    help="Recompute standings of residential communities from a table and a rule file.",
)

if __name__ == "__main__":
    main(prog_name="python -m analytics")
