"""Wording of the checklist: what a step is, why it is needed, what is still missing, and where it is done."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from analytics.languages import Translate, Wording
from survey_app.catalogue import translator
from survey_app.preparation.checklist import State, Step, StepKey
from survey_app.preparation.facts import Facts

PAGES: Mapping[StepKey, str] = MappingProxyType(
    {
        StepKey.CITY_ACCOUNTS: "staff.accounts",
        StepKey.QUESTIONNAIRE: "staff.documents",
        StepKey.RULES: "staff.documents",
        StepKey.COMMUNITIES: "staff.show_import",
        StepKey.HOUSEHOLDS: "staff.show_import",
        StepKey.CALENDAR: "staff.calendars",
        StepKey.NEXT_CALENDAR: "staff.calendars",
        StepKey.DISTRICT_ACCOUNTS: "staff.accounts",
        StepKey.CLERK_ACCOUNTS: "staff.accounts",
        StepKey.POSTER_CODES: "staff.communities",
        StepKey.ROUND: "staff.plan_round",
        StepKey.POSTERS: "staff.printing",
        StepKey.SLIPS: "staff.printing",
    }
)
"""Endpoint of the page on which a step is done; the others are done on the server."""

# Of districts that lack something, so many are named.
_MOST_NAMED: Final = 5


@dataclass(frozen=True)
class StepWords:
    """Step in words, with the command by which it is done on the server, if there is one."""

    key: StepKey
    state: State
    title: str
    reason: str
    missing: str
    page: str | None
    command: str | None


def words_of(step: Step, facts: Facts, language: str) -> StepWords:
    """Return a step in the words of a language; what is missing is said of a step that is to do."""
    _ = translator(language)
    title, reason = _titles(facts, _)[step.key]
    return StepWords(
        key=step.key,
        state=step.state,
        title=title,
        reason=reason,
        missing=_missing(step.key, facts, language) if step.state is State.TO_DO else "",
        page=PAGES.get(step.key),
        command=_command(step.key, facts),
    )


def state_name(state: State, language: str) -> str:
    """Return what a state is called."""
    _ = translator(language)
    return {State.DONE: _("done"), State.TO_DO: _("to do"), State.NOT_YET: _("not needed yet")}[state]


def _titles(facts: Facts, _: Translate) -> Mapping[StepKey, tuple[str, str]]:
    year = facts.today.year
    return {
        StepKey.CITY_ACCOUNTS: (
            _("Accounts of the city bureau and an administrator"),
            _(
                "The city bureau needs an account, and a second person must be able to confirm the reset of an "
                "account. Each signs in with a password and an authenticator."
            ),
        ),
        StepKey.PUBLIC_ADDRESS: (
            _("Public address of the site"),
            _("The codes on posters and slips hold this address. Phones must be able to open it."),
        ),
        StepKey.TYPEFACE: (
            _("Chinese typeface on the server"),
            _("Posters and slips cannot be printed without it."),
        ),
        StepKey.DISCLOSURE_RULES: (
            _("Disclosure rules"),
            _("They say which small numbers are withheld, and come with the program."),
        ),
        StepKey.PRIVACY_NOTICE: (
            _("Privacy notice"),
            _("It tells residents before the first question what is kept and until when, and comes with the program."),
        ),
        StepKey.COMPLAINT_CATEGORIES: (
            _("Complaint categories"),
            _("Residents file complaints by category; the categories come with the program."),
        ),
        StepKey.CALENDAR: (
            _("Working days of {year}", year=year),
            _("The time limits of complaints count working days, public holidays and make-up days considered."),
        ),
        StepKey.NEXT_CALENDAR: (
            _("Working days of {year}", year=year + 1),
            _("Complaints filed at the end of a year are due in the next. The State Council announces its holidays."),
        ),
        StepKey.QUESTIONNAIRE: (
            _("Freeze a questionnaire"),
            _("A round asks the questions of a frozen questionnaire, which nobody can change while residents answer."),
        ),
        StepKey.RULES: (
            _("Freeze the rule file"),
            _("The rules by which results are calculated are settled before the first answer."),
        ),
        StepKey.COMMUNITIES: (
            _("Import the communities"),
            _("Codes, posters and results refer to the communities of this list."),
        ),
        StepKey.HOUSEHOLDS: (
            _("Numbers of households"),
            _("Return rates and complaint rates are calculated per household. Correct the list and import it again."),
        ),
        StepKey.TELEPHONES: (
            _("Telephones of the district housing bureaus"),
            _("The privacy notice, posters and slips name the responsible office and its telephone."),
        ),
        StepKey.DISTRICT_ACCOUNTS: (
            _("Accounts of the districts"),
            _("Each district follows its own communities. Each account signs in with a password and an authenticator."),
        ),
        StepKey.CLERK_ACCOUNTS: (
            _("Accounts of the clerks"),
            _("Clerks hand out posters and slips, and type in answers from paper and telephone."),
        ),
        StepKey.POSTER_CODES: (
            _("Issue the poster codes"),
            _("Residents scan the code of their community, or type its number."),
        ),
        StepKey.ROUND: (
            _("Plan the round"),
            _(
                "Residents can answer from its first day. The page estimates beforehand whether the quota can be "
                "filled; household slips, each of which takes one answer, exclude false answers best."
            ),
        ),
        StepKey.POSTERS: (
            _("Print the posters"),
            _("Each poster states the dates of the round and has the code of its community."),
        ),
        StepKey.SLIPS: (
            _("Print the household slips"),
            _("Each household answers with its own slip. Slips do not pass through the property company."),
        ),
    }


def _missing(key: StepKey, facts: Facts, language: str) -> str:
    """Return what is still missing for a step that is to do; empty where its reason says all."""
    _ = translator(language)
    communities, districts = facts.communities, facts.districts
    return {
        StepKey.PUBLIC_ADDRESS: lambda: _("Now it is {url}, which no phone can open.", url=facts.public_url),
        StepKey.CITY_ACCOUNTS: lambda: (
            _("There is one account with an authenticator: another person of the city or an administrator is missing.")
            if facts.has_city_account
            else _("No account of the city bureau has linked an authenticator yet.")
        ),
        StepKey.DISCLOSURE_RULES: lambda: _repair(_),
        StepKey.PRIVACY_NOTICE: lambda: _repair(_),
        StepKey.COMPLAINT_CATEGORIES: lambda: _repair(_),
        StepKey.HOUSEHOLDS: lambda: _lacking(communities.without_households, communities.total, _),
        StepKey.TELEPHONES: lambda: _lacking_districts(districts.without_telephone, language),
        StepKey.DISTRICT_ACCOUNTS: lambda: _lacking_districts(districts.without_account, language),
        StepKey.CLERK_ACCOUNTS: lambda: _lacking_districts(districts.without_clerk, language),
        StepKey.POSTER_CODES: lambda: _lacking(communities.without_code, communities.total, _),
        StepKey.POSTERS: lambda: _lacking(
            (communities.without_poster or 0) + communities.without_code, communities.total, _
        ),
        StepKey.SLIPS: lambda: _lacking(communities.without_slips, communities.total, _),
    }.get(key, str)()


def _repair(_: Translate) -> str:
    return _("The file cannot be read: install this version again.")


def _lacking(number: int, total: int, _: Translate) -> str:
    return _("Communities still missing: {number} of {total}.", number=f"{number:,}", total=f"{total:,}")


def _lacking_districts(names: Sequence[Wording], language: str) -> str:
    _ = translator(language)
    named = _(", ").join(name.in_language(language) for name in names[:_MOST_NAMED])
    more = "…" if len(names) > _MOST_NAMED else ""
    return _("Districts still missing: {names}.", names=f"{named}{more}")


def _command(key: StepKey, facts: Facts) -> str | None:
    """Return the command by which a step is done; what stands in capitals is to be filled in."""
    districts = facts.districts
    return {
        StepKey.CITY_ACCOUNTS: "jiayuan accounts add USERNAME --role city",
        StepKey.PUBLIC_ADDRESS: "export JIAYUAN_PUBLIC_URL=https://ADDRESS",
        StepKey.TYPEFACE: "apt install fonts-noto-cjk",
        StepKey.QUESTIONNAIRE: "jiayuan questionnaire publish data/questionnaires/resident-satisfaction-2.yaml",
        StepKey.RULES: "jiayuan rules freeze FILE",
        StepKey.COMMUNITIES: "jiayuan import-communities FILE",
        StepKey.HOUSEHOLDS: "jiayuan export-communities FILE",
        StepKey.TELEPHONES: f"jiayuan districts telephone {_first(districts.without_telephone)} NUMBER",
        StepKey.DISTRICT_ACCOUNTS: (
            f"jiayuan accounts add USERNAME --role district --district {_first(districts.without_account)}"
        ),
        StepKey.CLERK_ACCOUNTS: (
            f"jiayuan accounts add USERNAME --role clerk --district {_first(districts.without_clerk)}"
        ),
        StepKey.POSTER_CODES: "jiayuan codes issue",
        StepKey.ROUND: (
            "jiayuan rounds create --name NAME --opens YYYY-MM-DD --last-day YYYY-MM-DD "
            f"--questionnaire {facts.questionnaire or 'KEY:VERSION'} --rules FILE"
        ),
        StepKey.POSTERS: "jiayuan posters DIRECTORY",
        StepKey.SLIPS: (
            f"jiayuan slips {shlex.quote(facts.coming_round.name) if facts.coming_round else 'ROUND'} DIRECTORY"
        ),
    }.get(key)


def _first(names: Sequence[Wording]) -> str:
    # The Chinese name is unique.
    return shlex.quote(names[0].zh_hans) if names else "DISTRICT"
