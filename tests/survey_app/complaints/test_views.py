import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from survey_app.accounts.attempt_budgets import LINE
from survey_app.codes.codes import issue_poster_code
from survey_app.complaints.case_addresses import read_case, sign_case
from survey_app.complaints.cases import take_step
from survey_app.complaints.contacts import read_contact
from survey_app.errors import WriterBusy
from survey_app.models import Attachment, Complaint, ComplaintEvent, ComplaintSupport, District
from survey_app.models.vocabulary import CaseAction, CaseActor
from survey_app.security.check_digits import grouped, new_number
from survey_app.storage.group_commit import Writer
from survey_app.web.context import SITE_EXTENSION
from tests.factories import SECRET, make_community, make_complaint, make_poster_code, make_round
from tests.survey_app.responses.test_survey_views import Page

WORDS = {
    "category": "EQ01",
    "kind": "complaint",
    "text": "电梯停了三天 <b>&",
    "place": "3号楼",
    "occurred": "2026-09-01",
}
CONTACT = {"contact": "李娜 13800138000", "consent": "yes"}


@pytest.fixture
def token(sqlite_database):
    with sqlite_database.writing() as session:
        community = make_community(session, name="滨河家园", english_name="Riverside Homes")
        return issue_poster_code(session, community=community, now=datetime.now(UTC)).token


def key_of(client, token):
    return Page(client.get(f"/c/{token}")).given["key"][0]


def count(database, table=Complaint):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table))


def picture(width=64):
    stream = io.BytesIO()
    Image.new("RGB", (width, 48), "red").save(stream, "JPEG")
    return stream.getvalue()


def file_case(client, token, **words):
    """Send a whole form and return its reference and secret, as the page shows them."""
    page = client.post(f"/c/{token}", data=WORDS | words | {"key": key_of(client, token)}).text
    reference, secret = (part.split("</p>")[0].replace(" ", "") for part in page.split('<p class="number">')[1:3])
    return reference, secret


def address_of_case(reference):
    return f"/complaint/{sign_case(reference, secret_key=SECRET)}"


def open_case(client, reference, secret):
    return Page(client.post(f"/complaint/{reference}/open", data={"secret": secret}))


def move(database, reference, *actions, text="", now=None):
    for action in actions:
        with database.writing() as session:
            take_step(
                session,
                reference=reference,
                action=action,
                actor=CaseActor.BUREAU,
                by="operator",
                text=text if action is actions[-1] else "",
                now=now or datetime.now(UTC),
            )


def answer(database, reference, **values):
    move(database, reference, CaseAction.ACCEPT, CaseAction.DISPATCH, CaseAction.START, CaseAction.RESPOND, **values)


def step(client, page, reference, **values):
    hidden = {name: page.given[name][0] for name in ("pass", "step_key")}
    return Page(client.post(f"/complaint/{reference}/step", data=hidden | {"text": ""} | values))


def statuses(database):
    with database.reading() as session:
        return session.scalars(select(Complaint.status)).all()


def test_the_form_offers_every_category_in_its_group_and_needs_no_round(client, token):
    page = Page(client.get(f"/c/{token}"))

    assert page.status == 200
    assert "<h1>滨河家园</h1>" in page.text
    assert page.text.count("<summary") == 10
    assert page.text.count('name="category"') == 42
    assert "|乱停车|" in page.text, "the words to search by stand in the page"


def test_what_others_will_see_is_shown_before_anything_is_stored(client, token, sqlite_database):
    words = {"text": "3号楼2单元501的张三先生说13800138000没人接，车牌蒙C12345", "key": key_of(client, token)}

    page = Page(client.post(f"/c/{token}/check", data=WORDS | CONTACT | words))

    assert page.status == 200
    shown = page.text.split("<blockquote>")[1].split("</blockquote>")[0]
    assert "3号楼2单元" in shown
    for hidden in ("501", "张三", "13800138000", "蒙C12345"):
        assert hidden not in shown
    for word in ("电话已隐去", "姓名已隐去", "房号已隐去", "车牌已隐去"):
        assert word in shown
    assert page.given["text"][-1] == words["text"], "and all of it goes along to the next step"
    assert count(sqlite_database) == 0


@pytest.mark.parametrize(
    ("text", "kind"),
    [("路灯坏了", "repair"), ("路灯坏了，报修过多次没人管", "complaint"), ("请问路灯归谁管", "enquiry")],
)
def test_the_kind_is_suggested_by_the_words_and_the_resident_decides(client, token, sqlite_database, text, kind):
    form = {"category": "EQ03", "text": text, "key": key_of(client, token)}
    page = Page(client.post(f"/c/{token}/check", data=form))
    assert page.given["kind"] == [kind]

    page.given["kind"] = ["complaint"]
    client.post(f"/c/{token}", data=page.given)

    with sqlite_database.reading() as session:
        assert session.scalar(select(Complaint.kind)) == "complaint"


def test_a_kind_that_was_chosen_is_not_suggested_anew(client, token):
    page = Page(client.post(f"/c/{token}/check", data=WORDS | {"kind": "enquiry", "key": key_of(client, token)}))

    assert page.given["kind"] == ["enquiry"]


def test_what_was_checked_can_be_changed(client, token):
    form = WORDS | CONTACT | {"key": key_of(client, token)}

    page = Page(client.post(f"/c/{token}/edit", data=form))

    assert page.status == 200
    for name in ("text", "place", "occurred", "contact", "consent", "key"):
        assert page.given[name] == [form[name]]


def test_filing_shows_reference_and_secret_once_and_stores_a_hash(client, token, sqlite_database):
    response = client.post(f"/c/{token}", data=WORDS | CONTACT | {"key": key_of(client, token)})

    page = Page(response)
    assert page.status == 200
    assert "data-acknowledged" in page.text
    assert "Set-Cookie" not in response.headers
    with sqlite_database.reading() as session:
        stored = session.scalars(select(Complaint)).one()
        assert (stored.text, stored.place, stored.occurred_on.isoformat()) == (WORDS["text"], "3号楼", "2026-09-01")
        assert read_contact(session, complaint=stored, secret_key=SECRET) == CONTACT["contact"]
        assert grouped(stored.reference) in page.text
        kept_link = next(link for link in page.links if "#" in link and "complaint" in link)
        secret = kept_link.split("#")[1].split(".")[0]
        assert grouped(secret) in page.text
        assert secret not in stored.secret_hash
    assert secret not in client.get(kept_link.split("#")[0]).text


def test_the_public_page_shows_where_the_case_stands_and_none_of_its_words(client, token, sqlite_database):
    reference, _secret = file_case(client, token, **CONTACT)
    answer(sqlite_database, reference, text="师傅已上门")

    page = client.get(address_of_case(reference)).text

    for shown in (grouped(reference), "滨河家园", "电梯", "已答复，待您确认"):
        assert shown in page
    for hidden in ("停了三天", "3号楼", "李娜", "师傅已上门"):
        assert hidden not in page


def test_the_case_is_found_under_its_typed_reference(client, token):
    reference, _secret = file_case(client, token)

    found = client.post("/", data={"number": grouped(reference)})

    assert (found.status_code, found.location) == (303, address_of_case(reference))
    assert client.get("/complaint/12345678901235").status_code == 404


def test_an_address_with_a_bare_number_does_not_tell_whether_there_is_such_a_case(client, token):
    reference, _secret = file_case(client, token)
    unknown = new_number(14)

    known, made_up = (
        client.get(f"/complaint/{number}").text.replace(number, "").replace(grouped(number), "")
        for number in (reference, unknown)
    )
    assert known == made_up
    assert open_case(client, unknown, new_number(12)).status == 403
    assert client.get(f"{address_of_case(reference)}x").status_code == 404


def test_a_double_tap_is_one_case_and_one_secret(client, token, sqlite_database):
    form = WORDS | CONTACT | {"key": key_of(client, token)}

    assert client.post(f"/c/{token}", data=form).text == client.post(f"/c/{token}", data=form).text
    assert count(sqlite_database) == 1


def test_the_same_form_with_another_contact_asks(client, token):
    form = WORDS | CONTACT | {"key": key_of(client, token)}
    client.post(f"/c/{token}", data=form)

    assert client.post(f"/c/{token}", data=form | {"contact": "13900139000"}).status_code == 409


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"category": ""}, "#category"),
        ({"category": "XX99"}, "#category"),
        ({"kind": "wish"}, "#kind"),
        ({"text": " "}, "#text"),
        ({"text": "字" * 1001}, "#text"),
        ({"place": "字" * 61}, "#place"),
        ({"occurred": "2199-01-01"}, "#occurred"),
        ({"occurred": "昨天"}, "#occurred"),
        ({"consent": ""}, "#contact"),
        ({"contact": "1" * 101}, "#contact"),
    ],
)
def test_what_cannot_be_filed_is_named_and_linked_with_every_word_kept(client, token, sqlite_database, wrong, place):
    form = WORDS | CONTACT | wrong | {"key": key_of(client, token)}
    for address in (f"/c/{token}", f"/c/{token}/check"):
        page = Page(client.post(address, data=form))

        assert page.status == 422
        assert place in page.links
        assert place.removeprefix("#") in page.ids
        for name in {"text", "place", "occurred", "contact"} - {"text" if wrong.get("text") == " " else ""}:
            assert page.given[name] == [form[name]]
    assert count(sqlite_database) == 0


def test_a_chosen_category_stays_chosen(client, token):
    page = client.post(f"/c/{token}/check", data=WORDS | {"text": "", "key": key_of(client, token)}).text

    assert page.count(" checked>") == 1
    assert page.split(" checked>")[1].startswith("<span>电梯")
    assert page.count("<details data-name") - page.count('<details data-name="设施设备" open>') == 9


def test_other_words_on_a_sent_form_are_offered_as_another_complaint_and_then_stored(client, token, sqlite_database):
    form = WORDS | {"key": key_of(client, token)}
    client.post(f"/c/{token}", data=form)

    page = Page(client.post(f"/c/{token}", data=form | {"text": "水也停了"}))

    assert page.status == 409
    assert client.post(f"/c/{token}", data=page.given).status_code == 200
    with sqlite_database.reading() as session:
        assert session.scalars(select(Complaint.text).order_by(Complaint.id)).all() == [WORDS["text"], "水也停了"]


@pytest.mark.parametrize("step", ["", "/check"])
@pytest.mark.parametrize("key", ["", "forged"])
def test_a_complaint_with_a_bad_key_comes_back_with_a_good_one(client, token, sqlite_database, key, step):
    page = Page(client.post(f"/c/{token}{step}", data=WORDS | {"key": key}))

    assert page.status == 400
    assert page.given["text"] == [WORDS["text"]]
    assert count(sqlite_database) == 0
    assert client.post(f"/c/{token}", data=WORDS | {"key": page.given["key"]}).status_code == 200


def test_a_key_of_another_poster_files_nothing(client, token, sqlite_database):
    with sqlite_database.writing() as session:
        other = make_poster_code(session).token

    assert client.post(f"/c/{token}", data=WORDS | {"key": key_of(client, other)}).status_code == 400
    assert count(sqlite_database) == 0


def test_unknown_and_revoked_codes_are_explained(client, sqlite_database):
    with sqlite_database.writing() as session:
        revoked = make_poster_code(session, revoked_at=datetime.now(UTC)).token
        session.execute(update(District).values(telephone="0473-1"))

    assert client.get("/c/unknown").status_code == 404
    shown = client.get(f"/c/{revoked}")
    assert shown.status_code == 410
    assert 'href="tel:0473-1"' in shown.text
    assert client.post(f"/c/{revoked}", data=WORDS).status_code == 410


def test_large_bodies_without_photos_are_refused(client, token, sqlite_database):
    words = {"key": key_of(client, token), "text": "x" * 10_000_000}
    parts = b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n' + b"x" * 10_000_000 + b"\r\n--b--\r\n"
    multipart = {"data": parts, "content_type": "multipart/form-data; boundary=b"}

    assert client.post(f"/c/{token}/check", data=words).status_code == 413
    assert client.post(f"/c/{token}/check", **multipart).status_code == 413
    assert client.post(f"/s/{token}", **multipart).status_code == 413
    assert count(sqlite_database) == 0


def check_with(client, token, *files, **words):
    photos = {"photo": [(io.BytesIO(content), "a.jpg") for content in files]}
    return Page(client.post(f"/c/{token}/check", data=WORDS | words | photos))


def test_photos_wait_for_their_case_and_come_with_it(client, token, sqlite_database):
    page = check_with(client, token, picture(), picture(80), key=key_of(client, token))
    assert page.text.count("data:image/jpeg;base64,") == 2

    client.post(f"/c/{token}", data=page.given)

    with sqlite_database.reading() as session:
        case = session.scalar(select(Complaint.id))
        assert session.scalars(select(Attachment.complaint_id)).all() == [case, case]


def test_a_failed_photo_never_blocks_the_words_and_says_so(client, token, sqlite_database):
    page = check_with(client, token, b"no photo", picture(), key=key_of(client, token))

    assert page.status == 200
    assert "没有收下" in page.text
    assert client.post(f"/c/{token}", data=page.given).status_code == 200
    assert count(sqlite_database, Attachment) == 1


def test_photos_that_were_taken_survive_a_fault_in_the_words_and_can_be_taken_back(client, token, sqlite_database):
    page = check_with(client, token, picture(), text="", key=key_of(client, token))
    assert page.status == 422
    assert "data:image/jpeg;base64," in page.text

    with sqlite_database.reading() as session:
        name = session.scalar(select(Attachment.name))
    again = Page(client.post(f"/c/{token}/check", data=WORDS | {"key": page.given["key"], "drop": name}))

    assert "data:image/jpeg" not in again.text
    assert count(sqlite_database, Attachment) == 0


def test_while_the_database_is_away_every_word_comes_back_in_the_page(client, token, monkeypatch):
    form = WORDS | CONTACT | {"key": key_of(client, token)}

    def fail(*_arguments, **_values):
        raise OperationalError("", {}, Exception("away"))

    with monkeypatch.context() as broken:
        broken.setattr("survey_app.complaints.filing_views.file_complaint", fail)
        page = Page(client.post(f"/c/{token}", data=form))
    assert page.status == 503
    assert page.given["text"] == [form["text"]]

    assert client.post(f"/c/{token}", data=page.given).status_code == 200


@pytest.mark.parametrize("step", ["", "/check"])
def test_when_too_many_wait_to_be_written_every_word_stays_in_the_page(
    client, token, sqlite_database, monkeypatch, step
):
    form = WORDS | CONTACT | {"key": key_of(client, token)}

    def refuse(_writer, _job):
        raise WriterBusy(12)

    with monkeypatch.context() as context:
        context.setattr(Writer, "run", refuse)
        photo = {"photo": (io.BytesIO(picture()), "a.jpg")} if step else {}
        response = client.post(f"/c/{token}{step}", data=form | photo)
    page = Page(response)

    assert page.status == 503
    assert int(response.headers["Retry-After"]) > 0
    assert page.given["text"] == [form["text"]]
    assert client.post(f"/c/{token}", data=page.given).status_code == 200
    assert count(sqlite_database) == 1


def test_cases_that_are_written_in_one_commit_each_get_their_own_reference(client, token, sqlite_database):
    site = client.application.extensions[SITE_EXTENSION]
    site.writer.start(max_pending=12)
    forms = [WORDS | {"key": key_of(client, token)} for _ in range(6)]
    clients = [client.application.test_client() for _ in forms]
    with ThreadPoolExecutor(len(forms)) as pool:
        pages = list(pool.map(lambda own, form: own.post(f"/c/{token}", data=form), clients, forms))
    site.writer.close()

    assert {page.status_code for page in pages} == {200}
    with sqlite_database.reading() as session:
        assert len(set(session.scalars(select(Complaint.reference)))) == len(forms)
        assert session.scalar(select(func.count()).select_from(ComplaintEvent)) == len(forms)


def test_others_who_report_the_same_are_shown_and_me_too_counts_once(client, token, sqlite_database):
    earlier, _secret = file_case(client, token)
    page = Page(client.post(f"/c/{token}/check", data=WORDS | {"text": "电梯又停了", "key": key_of(client, token)}))
    assert "我也遇到" in page.text
    assert "停了三天" not in page.text

    for _tap in range(2):
        form = {name: values[0] for name, values in page.given.items()}
        supported = Page(client.post(f"/c/{token}/support", data=form))

    assert supported.status == 200
    assert grouped(earlier) in supported.text
    assert supported.given["text"] == ["电梯又停了"], "what was typed can still be sent"
    assert (count(sqlite_database), count(sqlite_database, ComplaintSupport)) == (1, 1)
    assert "另有1户也遇到" in client.get(address_of_case(earlier)).text


def test_a_case_of_another_community_cannot_be_supported(client, token, sqlite_database):
    with sqlite_database.writing() as session:
        elsewhere = make_complaint(session, make_community(session)).reference
        known = new_number(14)
    form = WORDS | {"key": key_of(client, token)}

    for reference in (known, elsewhere):
        offered = sign_case(reference, secret_key=SECRET)
        assert client.post(f"/c/{token}/support", data=form | {"reference": offered}).status_code == 404
    for made_up in ("12", known, elsewhere):
        assert client.post(f"/c/{token}/support", data=form | {"reference": made_up}).status_code == 400
    assert count(sqlite_database, ComplaintSupport) == 0


def test_the_secret_opens_the_case_with_all_its_words(client, token, sqlite_database):
    reference, secret = file_case(client, token, **CONTACT)
    answer(sqlite_database, reference, text="师傅已上门")

    page = open_case(client, reference, grouped(secret))

    assert page.status == 200
    for shown in ("电梯停了三天 &lt;b&gt;&amp;", "师傅已上门", "3号楼"):
        assert shown in page.text
    assert "李娜" not in page.text, "a phone in other hands does not give away how to reach whom"


def test_a_wrong_secret_is_refused_and_after_many_the_page_says_how_long_to_wait(client, token):
    reference, secret = file_case(client, token)
    wrong = next(number for number in iter(lambda: new_number(12), secret))

    for _try in range(LINE.free):
        page = open_case(client, reference, wrong)
        assert (page.status, "编号或查询密码不对" in page.text) == (403, True)
    waiting = open_case(client, reference, secret)
    assert (waiting.status, "秒后再试" in waiting.text) == (429, True)
    assert "step" not in waiting.given


def test_words_that_are_sent_with_the_secret_too_early_are_kept(client, token):
    reference, secret = file_case(client, token)
    for _try in range(LINE.free):
        open_case(client, reference, new_number(12))

    early = client.post(f"/complaint/{reference}/step", data={"secret": secret, "step": "add", "text": "又停了"})

    assert (early.status_code, int(early.headers["Retry-After"]) > 0) == (429, True)
    assert Page(early).given["text"] == ["又停了"]


@pytest.mark.parametrize(
    ("action", "status"),
    [("confirmed_fixed", "closed"), ("partly_fixed", "reopened"), ("rejected", "reopened"), ("escalate", "stage2")],
)
def test_the_resident_says_what_became_of_an_answer(client, token, sqlite_database, action, status):
    reference, secret = file_case(client, token)
    answer(sqlite_database, reference)

    page = step(client, open_case(client, reference, secret), reference, step=action, text="见到了")

    assert page.status == 200
    assert "见到了" in page.text
    assert statuses(sqlite_database) == [status]


def test_the_resident_adds_withdraws_and_reopens(client, token, sqlite_database):
    reference, secret = file_case(client, token)
    page = step(client, open_case(client, reference, secret), reference, step="add", text="又停了")
    assert "又停了" in page.text
    answer(sqlite_database, reference)
    page = step(client, open_case(client, reference, secret), reference, step="confirmed_fixed")
    page = step(client, page, reference, step="reopen", because="came_back")
    assert statuses(sqlite_database) == ["reopened"]

    assert step(client, page, reference, step="withdraw").status == 200
    assert statuses(sqlite_database) == ["withdrawn"]


def test_a_second_tap_takes_no_second_step_and_keeps_the_words(client, token, sqlite_database):
    reference, secret = file_case(client, token)
    page = open_case(client, reference, secret)

    assert [step(client, page, reference, step="add", text="又停了").status for _tap in range(2)] == [200, 200]
    other = step(client, page, reference, step="add", text="水也停了")

    assert other.status == 409
    assert other.given["text"] == ["水也停了"]
    assert count(sqlite_database, ComplaintEvent) == 2
    assert step(client, other, reference, step="add", text="水也停了").status == 200


@pytest.mark.parametrize("action", ["accept", "respond", "confirmed_fixed", "auto_close", "merge"])
def test_a_step_that_is_not_the_residents_is_refused_with_the_words_kept(client, token, sqlite_database, action):
    reference, secret = file_case(client, token)

    page = step(client, open_case(client, reference, secret), reference, step=action, text="请处理")

    assert page.status == 409
    assert page.given["text"] == ["请处理"]
    assert statuses(sqlite_database) == ["submitted"]


@pytest.mark.parametrize("wrong", [{"step": "add"}, {"step": "add", "text": "字" * 1001}, {"step": "fly"}, {}])
def test_a_step_that_cannot_be_read_is_explained(client, token, sqlite_database, wrong):
    reference, secret = file_case(client, token)

    assert step(client, open_case(client, reference, secret), reference, **wrong).status == 422
    assert count(sqlite_database, ComplaintEvent) == 1


def test_a_page_that_was_open_too_long_keeps_the_words_and_asks_for_the_secret(
    client, token, sqlite_database, monkeypatch
):
    reference, secret = file_case(client, token)
    page = open_case(client, reference, secret)
    with monkeypatch.context() as later:
        later.setattr("survey_app.complaints.case_secrets.PASS_SECONDS", -1)
        expired = step(client, page, reference, step="add", text="又停了")
    assert expired.status == 403
    assert expired.given["text"] == ["又停了"]

    form = {name: values[0] for name, values in expired.given.items()} | {"secret": secret}
    assert client.post(f"/complaint/{reference}/step", data=form).status_code == 200
    assert count(sqlite_database, ComplaintEvent) == 2


def test_without_a_pass_nothing_is_shown_or_done(client, token, sqlite_database):
    reference, _secret = file_case(client, token)

    page = Page(client.post(f"/complaint/{reference}/step", data={"step": "withdraw", "pass": "forged"}))

    assert page.status == 403
    assert "停了三天" not in page.text
    assert statuses(sqlite_database) == ["submitted"]


def test_nothing_is_written_and_nothing_opened_by_an_address(client, token, sqlite_database):
    reference, secret = file_case(client, token)

    page = client.get(f"/complaint/{reference}?secret={secret}&step=withdraw")

    assert "停了三天" not in page.text
    assert client.get(f"/complaint/{reference}/step").status_code == 405
    assert statuses(sqlite_database) == ["submitted"]


def test_a_case_closed_by_silence_reads_as_closed_before_it_is_settled(client, token, sqlite_database):
    reference, secret = file_case(client, token)
    answer(sqlite_database, reference)
    with sqlite_database.writing() as session:
        long_ago = datetime.now(UTC) - timedelta(days=8)
        old = make_complaint(session, make_community(session), submitted_at=long_ago).reference
    answer(sqlite_database, old, now=long_ago)

    assert "已办结" in client.get(address_of_case(old)).text
    assert "自动办结" in open_case(client, reference, secret).text


@pytest.mark.parametrize("language", ["zh-Hans", "en"])
@pytest.mark.parametrize("kind", ["complaint", "repair", "enquiry"])
def test_every_page_is_well_formed_in_its_language(client, token, sqlite_database, language, kind):
    with sqlite_database.writing() as session:
        make_round(session)
    asked = f"?lang={language}"
    form = Page(client.get(f"/c/{token}{asked}"))
    words = (
        WORDS | CONTACT | {"kind": kind, "text": "Lift out of order, Mr. Li in flat 501", "key": form.given["key"][0]}
    )
    file_case(client, token)
    checked = Page(client.post(f"/c/{token}/check{asked}", data=words | {"photo": (io.BytesIO(picture()), "a.jpg")}))
    filed = Page(client.post(f"/c/{token}{asked}", data=words))
    secret_link = next(link for link in filed.links if "/complaint/" in link and "#" in link)
    reference = secret_link.split("/complaint/")[1].split("?")[0].split("#")[0]
    secret = secret_link.split("#")[1].split(".")[0]
    own = Page(client.post(f"/complaint/{reference}/open{asked}", data={"secret": secret}))
    answer(sqlite_database, read_case(reference, secret_key=SECRET).reference, text="Done.")
    pages = [
        form,
        checked,
        filed,
        own,
        Page(client.get(f"/complaint/{reference}{asked}")),
        Page(client.get(f"/complaint/{new_number(14)}{asked}")),
        Page(client.post(f"/complaint/{reference}/open{asked}", data={"secret": secret})),
        Page(client.post(f"/complaint/{reference}/open{asked}", data={"secret": "1"})),
        Page(client.post(f"/complaint/{reference}/step{asked}", data={"pass": own.given["pass"], "step": "fly"})),
        Page(client.post(f"/c/{token}/edit{asked}", data=words)),
        Page(client.post(f"/c/{token}{asked}", data=words | {"show": "again"})),
        Page(client.post(f"/c/{token}/check{asked}", data={"key": form.given["key"]})),
        Page(client.post(f"/c/{token}{asked}", data=words | {"text": "Still out of order"})),
        Page(client.post(f"/c/{token}{asked}", data=words | {"key": ""})),
    ]

    for page in pages:
        assert f'<html lang="{language}"' in page.text
        assert page.text.count("<h1") == 1


def test_the_home_page_leads_from_the_number_of_a_poster_to_a_complaint(client, token):
    page = client.get("/").text
    assert 'name="to" value="complaint"' in page
    assert client.post("/", data={"number": grouped(token), "to": "complaint"}).location == f"/c/{token}"
    assert client.post("/", data={"number": f"http://x/s/{token}", "to": "complaint"}).location == f"/c/{token}"
    assert client.post("/", data={"number": grouped(token)}).location == f"/s/{token}"
