import math
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_app.codes.codes import find_code, issue_poster_code, revoke_code
from survey_app.errors import RevokedCode, UnknownCode
from survey_app.security.check_digits import CODE_DIGITS, RECEIPT_DIGITS, grouped, new_number, read_number
from tests.factories import NOW, SECRET, make_community, make_district


def test_an_issued_code_stands_for_its_community(database):
    with database.writing() as session:
        district = make_district(session, name="乌达区", english_name="Wuda")
        community = make_community(session, district=district, name="滨河家园", english_name=None)

        token = issue_poster_code(session, community=community, now=NOW).token

    with database.reading() as session:
        code = find_code(session, token=token, secret_key=SECRET)
    assert (code.token, code.community_id) == (token, community.id)
    assert (code.community.zh_hans, code.community.en) == ("滨河家园", "滨河家园")
    assert (code.district.zh_hans, code.district.en) == ("乌达区", "Wuda")


def test_a_community_may_have_several_good_codes(sqlite_database):
    with sqlite_database.writing() as session:
        community = make_community(session)
        tokens = {issue_poster_code(session, community=community, now=NOW).token for _ in range(3)}

        assert {find_code(session, token=token, secret_key=SECRET).community_id for token in tokens} == {community.id}
    assert len(tokens) == 3


def test_a_revoked_code_says_whose_it_was_and_stays_revoked_since_the_first_time(sqlite_database):
    with sqlite_database.writing() as session:
        code = issue_poster_code(session, community=make_community(session, name="滨河家园"), now=NOW)
        revoke_code(session, code=code, now=NOW)
        revoke_code(session, code=code, now=NOW.replace(year=2027))

        with pytest.raises(RevokedCode) as caught:
            find_code(session, token=code.token, secret_key=SECRET)
        assert caught.value.community.zh_hans == "滨河家园"
        assert code.revoked_at == NOW


@pytest.mark.parametrize("token", ["", "0" * CODE_DIGITS, "\x00", "码", "a b", "1" * 5000, "' OR 1=1"])
def test_what_was_never_issued_is_unknown(database, token):
    with database.reading() as session, pytest.raises(UnknownCode):
        find_code(session, token=token, secret_key=SECRET)


def test_a_token_is_digits_with_at_least_60_random_bits_and_a_receipt_with_40():
    assert set(new_number(CODE_DIGITS)) <= set(string.digits)
    # One digit checks, and the first is never 0.
    assert math.log2(9 * 10 ** (CODE_DIGITS - 2)) >= 60
    assert math.log2(9 * 10 ** (RECEIPT_DIGITS - 2)) >= 40


def test_numbers_have_their_length_and_differ():
    numbers = {new_number(RECEIPT_DIGITS) for _ in range(1000)}

    assert len(numbers) == 1000
    assert {len(number) for number in numbers} == {RECEIPT_DIGITS}
    assert not any(number.startswith("0") for number in numbers)


def test_a_number_reads_back_however_it_was_separated():
    number = new_number(RECEIPT_DIGITS)
    wide = grouped(number).translate({ord(digit): ord(digit) - ord("0") + ord("０") for digit in string.digits})

    for typed in (number, grouped(number), grouped(number).replace(" ", "-"), f"  {grouped(number)}\t", wide):
        assert read_number(typed, RECEIPT_DIGITS) == number


@given(st.integers(0, RECEIPT_DIGITS - 1), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(position, shift):
    number = new_number(RECEIPT_DIGITS)
    wrong = str((int(number[position]) + shift) % 10)

    assert read_number(number[:position] + wrong + number[position + 1 :], RECEIPT_DIGITS) is None


@given(st.integers(0, RECEIPT_DIGITS - 2))
def test_two_swapped_neighbours_are_always_noticed(position):
    number = new_number(RECEIPT_DIGITS)
    swapped = number[:position] + number[position + 1] + number[position] + number[position + 2 :]

    assert swapped == number or read_number(swapped, RECEIPT_DIGITS) is None


@given(st.text())
def test_no_text_makes_reading_a_number_fail(typed):
    found = read_number(typed, RECEIPT_DIGITS)

    assert found is None or (len(found) == RECEIPT_DIGITS and found.isascii() and found.isdigit())
