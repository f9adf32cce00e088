"""Signed addresses of slips and receipts, and the device digest of a request."""

from collections.abc import Iterable

from flask import request, url_for

from survey_app.attachments.scanning import AttachmentFault
from survey_app.clock import current_time
from survey_app.codes.codes import scan_slip
from survey_app.responses.device_digests import terminal_digest
from survey_app.responses.receipts import sign_change, sign_receipt
from survey_app.web.context import site


def address_of_slip(typed: str) -> str:
    """Return the signed address of a slip whose code was scanned or typed; `UnknownCode` if it is none."""
    with site().database.reading() as session:
        reference = scan_slip(session, typed=typed, secret_key=site().config.secret_key, now=current_time())
    return url_for("survey.show_form", token=reference)


def address_of_receipt(number: str) -> str:
    """Return the address of the page that a receipt number alone leads to."""
    return url_for("receipts.show", reference=sign_receipt(number, secret_key=site().config.secret_key))


def address_of_own_receipt(number: str, photo_faults: Iterable[AttachmentFault] = ()) -> str:
    """Return the address of the receipt for the phone that sent the answers, or where their change code was typed.

    Its page also says why photos that came along were not taken.
    """
    reference = sign_change(number, secret_key=site().config.secret_key, now=current_time())
    return url_for("receipts.show", reference=reference, photo=list(photo_faults))


def device_digest_of_request(round_id: int) -> str | None:
    """Return the device digest of the phone that asks."""
    return terminal_digest(
        address=request.remote_addr,
        user_agent=request.user_agent.string,
        round_id=round_id,
        secret_key=site().config.secret_key,
    )
