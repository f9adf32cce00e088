"""Signed addresses of slips and receipts, and the network digests of a request."""

from collections.abc import Iterable

from flask import url_for

from survey_app.accounts.network_digests import NetworkDigests
from survey_app.accounts.request_sources import network_digests_of_request
from survey_app.attachments.scanning import AttachmentFault
from survey_app.clock import current_time
from survey_app.codes.codes import scan_slip
from survey_app.responses.receipts import sign_change, sign_receipt
from survey_app.web.context import site


def address_of_slip(typed: str, form: str = "survey.show_form") -> str:
    """Return the signed address of a form for a slip whose code was scanned or typed; `UnknownCode` if it is none."""
    with site().database.reading() as session:
        reference = scan_slip(session, typed=typed, secret_key=site().config.secret_key, now=current_time())
    return url_for(form, token=reference)


def address_of_receipt(number: str) -> str:
    """Return the address of the page that a receipt number alone leads to."""
    return url_for("receipts.show", reference=sign_receipt(number, secret_key=site().config.secret_key))


def address_of_own_receipt(number: str, photo_faults: Iterable[AttachmentFault] = ()) -> str:
    """Return the address of the receipt for the phone that sent the answers, or where their change code was typed.

    Its page also says why photos that came along were not taken.
    """
    reference = sign_change(number, secret_key=site().config.secret_key, now=current_time())
    return url_for("receipts.show", reference=reference, photo=list(photo_faults))


def network_digests_of_answers(round_id: int) -> NetworkDigests | None:
    """Return the network digests of the phone that sends answers; nobody is recognised from one round to the next."""
    return network_digests_of_request(f"response.{round_id}")
