import pytest
from cryptography.fernet import InvalidToken
from hypothesis import given
from hypothesis import strategies as st

from survey_app.security.digests import keyed_digest
from survey_app.security.encryption import seal, unseal


@given(st.text(), st.text(min_size=1), st.text(min_size=1))
def test_what_is_sealed_is_read_again_with_the_same_key_and_purpose(text, purpose, key):
    sealed = seal(text, purpose=purpose, secret_key=key)

    assert unseal(sealed, purpose=purpose, secret_key=key) == text
    assert sealed != seal(text, purpose=purpose, secret_key=key)


@pytest.mark.parametrize(("purpose", "key"), [("contact", "other key"), ("second factor", "key")])
def test_another_key_or_purpose_opens_nothing(purpose, key):
    sealed = seal("13800138000", purpose="contact", secret_key="key")

    assert "13800138000" not in sealed
    with pytest.raises(InvalidToken):
        unseal(sealed, purpose=purpose, secret_key=key)


def test_a_sealed_text_that_was_altered_is_refused():
    sealed = seal("13800138000", purpose="contact", secret_key="key")

    with pytest.raises(InvalidToken):
        unseal(sealed[:-4] + "AAA=", purpose="contact", secret_key="key")


def test_digests_differ_with_key_purpose_and_text():
    digests = {keyed_digest(text, purpose=purpose, secret_key=key) for text in "ab" for purpose in "ab" for key in "ab"}

    assert len(digests) == 8
