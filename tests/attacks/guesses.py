"""Everything that can be guessed on the site, and the table of its odds in ARCHITECTURE.md."""

from survey_app.accounts.second_factor import RECOVERY_CODES, RECOVERY_DIGITS
from survey_app.accounts.sign_in import CODE_TRIES, PASSWORD_TRIES, RECOVERY_TRIES
from survey_app.accounts.staff_attempts import STAFF_CHANGE_TRIES, STAFF_NUMBER_TRIES
from survey_app.app.home_views import NUMBER_TRIES
from survey_app.complaints.case_secrets import SECRET_DIGITS, SECRET_TRIES
from survey_app.responses.receipt_views import CHANGE_TRIES
from survey_app.security.change_codes import CHANGE_CODE_DIGITS
from survey_app.security.check_digits import RECEIPT_DIGITS, SLIP_DIGITS
from tests.attacks.guessing import Guess, most_tries_of

# In a city of a million households that all hold a slip and have all answered.
HOUSEHOLDS = 1_000_000
# What a list of leaked passwords that follow the rules may hold before the one of the account.
PASSWORDS = 10_000_000
# Where a guess comes from: lines and the prefixes that they share.
SOURCES = {"one line": (1, 1), "256 lines of one prefix": (256, 1), "10,000 lines": (10_000, 10_000)}


def numbers(digits):
    return 9 * 10 ** (digits - 2)


GUESSES = (
    Guess("any slip's digits", NUMBER_TRIES, numbers(SLIP_DIGITS), HOUSEHOLDS),
    Guess("any receipt number (opens nothing)", NUMBER_TRIES, numbers(RECEIPT_DIGITS), HOUSEHOLDS),
    Guess("the secret of a complaint", SECRET_TRIES, numbers(SECRET_DIGITS)),
    Guess("the change code of a receipt", CHANGE_TRIES, numbers(CHANGE_CODE_DIGITS)),
    Guess("the password of an account", PASSWORD_TRIES, PASSWORDS),
    Guess("its authenticator code, the password being known", CODE_TRIES, 10**6, 3),
    Guess("its recovery code, the password being known", RECOVERY_TRIES, numbers(RECOVERY_DIGITS), RECOVERY_CODES),
    Guess("any slip's digits, signed in", STAFF_NUMBER_TRIES, numbers(SLIP_DIGITS), HOUSEHOLDS),
    Guess("the change code of a receipt, signed in", STAFF_CHANGE_TRIES, numbers(CHANGE_CODE_DIGITS)),
)


def table():
    """Return the table of tries and odds in a day, as ARCHITECTURE.md shows it."""
    lines = ["| guessed within a day | " + " | ".join(SOURCES) + " |", "|---|" + "---|" * len(SOURCES)]
    for guess in GUESSES:
        cells = []
        for source, (count, prefixes) in SOURCES.items():
            is_staff = guess.limit.prefix is None
            if is_staff and source != "one line":
                cells.append("–")
                continue
            tries = most_tries_of(guess.limit, lines=count, prefixes=prefixes)
            cells.append(f"{tries:,} tries, {guess.odds(lines=count, prefixes=prefixes):.0e}")
        lines.append(f"| {guess.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
