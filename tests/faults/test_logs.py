"""A name, a telephone and a code go through every flow of the site, and are not found in what it wrote down."""

import json
import re
from urllib.parse import quote, quote_plus

from tests.faults.campaign import open_round, receipt_in
from tests.phones import ANSWERS, Phone
from tests.servers import ForkedServer

NAME, TELEPHONE = "王金丝雀", "13812345678"
TYPED = f"{NAME} {TELEPHONE}"


def walk(phone, token, canaries):
    """Take every way that a resident can take, the wrong ones too; return the statuses met."""
    form = phone.get(f"/s/{token}")
    sent = ANSWERS | {"q24": TYPED, "key": form.key}
    complaint = {"category": "EQ01", "kind": "complaint", "text": TYPED, "key": phone.get(f"/c/{token}").key}
    stored = phone.post(f"/s/{token}", sent)
    receipt, address = receipt_in(stored), stored.header("Location")
    canaries += [receipt, address, form.key]
    answers = [
        form,
        stored,
        phone.post(f"/s/{token}", sent),
        phone.post(f"/s/{token}", sent | {"q01": "1"}),
        phone.post(f"/s/{token}", {"q24": TYPED, "key": form.key}),
        phone.post(f"/s/{token}", sent | {"key": TYPED}),
        phone.post(f"/s/{quote(TYPED)}", sent),
        phone.post(f"/s/{token}", sent | {"q24": TYPED * 30_000}),
        phone.get(address),
        phone.get(f"{address}/withdrawal"),
        phone.post(f"{address}/withdrawal", {"reason": TYPED}),
        phone.get(f"/r/{receipt}"),
        phone.get(f"/r/{quote(TYPED)}"),
        phone.post("/", {"number": receipt}),
        phone.post("/", {"number": TYPED}),
        phone.get(f"/s/{token}/privacy"),
        phone.post(f"/c/{token}", complaint),
        phone.post(f"/c/{token}", complaint | {"key": TYPED}),
        phone.post(f"/c/{token}", complaint | {"text": ""}),
        phone.get(f"/{quote(TYPED)}/{token}"),
    ]
    return {answer.status for answer in answers}


def test_no_name_telephone_or_code_is_found_in_the_logs(sqlite_database, config_on, tmp_path):
    token = open_round(sqlite_database)
    log = tmp_path / "log"
    canaries = [NAME, TELEPHONE, token]

    for kind in ("site", "out-of-order"):
        with ForkedServer(config_on(sqlite_database), kind=kind, errors=log) as server, Phone(server.address) as phone:
            if kind == "site":
                statuses = walk(phone, token, canaries)
            else:
                form = ANSWERS | {"q24": TYPED}
                failures = [
                    phone.post(f"/s/{token}", form | {"key": phone.get(f"/s/{token}").key}).status for _ in range(3)
                ]

    assert {200, 303, 400, 404, 409, 413, 422} <= statuses
    assert failures == [503, 503, 500]
    written = log.read_text("utf-8")
    lines = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    assert {"refused", "unavailable", "failed"} <= {line["event"] for line in lines}
    for canary in canaries:
        for spelling in (canary, quote(canary), quote_plus(canary), json.dumps(canary).strip('"')):
            assert spelling not in written
    assert not re.search(re.escape(token[:12]), written)
