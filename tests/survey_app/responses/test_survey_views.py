import base64
import gzip
import hashlib
import json
import re
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from survey_app.codes.codes import issue_poster_code, issue_slips, new_slips, revoke_code
from survey_app.errors import WriterBusy
from survey_app.models import Code, Community, District, Response, Round
from survey_app.responses import submission
from survey_app.security.check_digits import grouped
from survey_app.storage import group_commit
from survey_app.storage.group_commit import Writer
from tests.factories import SECRET, make_community, make_district, make_poster_code, make_round, make_round_around
from tests.together import all_at_once

ANSWERS = {"q01": "4", "q16": "1"}
EVERY_ANSWER = (
    {f"q{number:02}": "4" for number in range(1, 16)}
    | {"q16": "1", "q17": "1", "q18": "1", "q19": ["1", "3"], "q20": "2", "q22": "3", "q23": "2"}
    | {"q24": "\n电梯 <b>& “灯”\n第二行"}
)


class Page(HTMLParser):
    """What a browser would find: the values a form sends, the ids, the links, and whether every element is closed."""

    EMPTY = frozenset({"meta", "link", "input", "br", "path", "img"})

    def __init__(self, response):
        super().__init__()
        self.text = response.get_data(as_text=True)
        self.status = response.status_code
        self.given, self.ids, self.links, self.names, self.open = {}, [], [], set(), []
        self._field = None
        self.feed(self.text)
        self.close()
        assert self.open == []
        assert len(self.ids) == len(set(self.ids))

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag not in self.EMPTY:
            self.open.append(tag)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag == "a":
            self.links.append(attributes["href"])
        name = attributes.get("name")
        if tag in {"input", "textarea", "select"}:
            self.names.add(name)
        if tag == "input" and (attributes.get("type") not in {"radio", "checkbox"} or "checked" in attributes):
            self.given.setdefault(name, []).append(attributes.get("value", ""))
        if tag == "textarea":
            self._field = name
            self.given[name] = [""]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag == "textarea":
            # A browser drops the line feed that follows the opening tag.
            self.given[self._field] = [self.given[self._field][0].removeprefix("\n")]
            self._field = None

    def handle_data(self, data):
        if self._field:
            self.given[self._field][0] += data


@pytest.fixture
def token(sqlite_database, now):
    with sqlite_database.writing() as session:
        make_round_around(
            session,
            now,
            name="秋季调查",
            english_name="Autumn survey",
        )
        district = make_district(session, name="海勃湾区", english_name="Haibowan District")
        community = make_community(session, district=district, name="滨河家园", english_name="Riverside Homes")
        return issue_poster_code(session, community=community, now=now).token


def key_of(client, token):
    return Page(client.get(f"/s/{token}")).given["key"][0]


def count(database):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Response))


def test_the_form_names_the_community_and_says_first_that_the_company_cannot_see_answers(client, token):
    page = Page(client.get(f"/s/{token}"))

    assert page.status == 200
    assert "<h1>滨河家园</h1>" in page.text
    assert page.text.index("物业公司看不到您的个人答卷") < page.text.index('name="q01"')
    assert {f"q{number:02}" for number in range(1, 25)} <= page.names


@pytest.mark.parametrize(
    ("address", "headers", "expected"),
    [
        ("", {}, "滨河家园"),
        ("", {"Accept-Language": "en-US,en;q=0.9"}, "Riverside Homes"),
        ("?lang=en", {}, "Riverside Homes"),
        ("?lang=zh-Hans", {"Accept-Language": "en"}, "滨河家园"),
        ("?lang=xx", {}, "滨河家园"),
    ],
)
def test_the_form_speaks_the_asked_language(client, token, address, headers, expected):
    assert f"<h1>{expected}</h1>" in client.get(f"/s/{token}{address}", headers=headers).text


def test_links_and_the_receipt_keep_the_chosen_language(client, token):
    page = Page(client.get(f"/s/{token}?lang=en"))
    sent = client.post(f"/s/{token}?lang=en", data=ANSWERS | {"key": page.given["key"]})

    assert f'formaction="/s/{token}?lang=zh-Hans"' in page.text
    assert f'action="/s/{token}?lang=en"' in page.text
    assert sent.location.endswith("?lang=en")


def test_links_and_the_receipt_keep_large_print(client, token):
    page = Page(client.get(f"/s/{token}?text=large"))
    sent = client.post(f"/s/{token}?text=large", data=ANSWERS | {"key": page.given["key"]})

    assert 'class="large"' in page.text
    assert f'formaction="/s/{token}?text=standard"' in page.text
    assert 'class="large"' in client.get(sent.location).text
    assert 'class="large"' not in client.get(f"/s/{token}?text=enormous").text


def test_the_buttons_that_change_language_bring_back_what_was_typed_and_store_nothing(client, token, sqlite_database):
    typed = {key: value for key, value in EVERY_ANSWER.items() if key != "q01"}
    key = key_of(client, token)

    page = Page(client.post(f"/s/{token}?lang=en", data=typed | {"key": key, "show": "again"}))

    assert page.status == 200
    assert page.given["q24"] == [EVERY_ANSWER["q24"]]
    assert page.given["key"] == [key]
    assert "fault" not in page.text
    assert count(sqlite_database) == 0


def test_a_demonstration_says_on_every_page_that_nothing_is_real(app, client):
    assert "演示" not in client.get("/").text

    app.jinja_env.globals["is_demo"] = True

    assert "演示系统" in client.get("/").text


def test_no_cookie_is_set_and_no_script_is_inline(client, token):
    form = client.get(f"/s/{token}")
    sent = client.post(f"/s/{token}", data=ANSWERS | {"key": Page(form).given["key"]})
    receipt = client.get(sent.location)

    for response in (form, sent, receipt):
        assert "Set-Cookie" not in response.headers
        assert not re.search(r"<script(?! src=)|<style| style=| on[a-z]+=", response.text)
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]


def test_looking_at_the_form_stores_nothing_and_every_form_has_a_key_of_its_own(client, token, sqlite_database):
    assert key_of(client, token) != key_of(client, token)
    assert count(sqlite_database) == 0


def test_sending_leads_to_a_receipt_in_groups_with_community_round_and_local_time(client, token, sqlite_database):
    response = client.post(f"/s/{token}", data=ANSWERS | {"key": key_of(client, token)})

    assert response.status_code == 303
    with sqlite_database.reading() as session:
        stored = session.execute(select(Response.receipt, Response.commitment, Response.submitted_at)).one()
    page = Page(client.get(response.location))
    local = stored.submitted_at + timedelta(hours=8)
    for expected in (
        grouped(stored.receipt),
        stored.commitment,
        "滨河家园",
        "秋季调查",
        f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}",
    ):
        assert expected in page.text
    assert f"/s/{token}" in page.links


def test_what_is_missing_is_named_beside_its_question_and_in_a_summary_with_links(client, token, sqlite_database):
    response = client.post(f"/s/{token}", data={"key": key_of(client, token), "q02": "5"})

    page = Page(response)
    assert page.status == 422
    assert {"#q01", "#q16"} <= set(page.links)
    assert {"q01", "q16", "q01-fault", "q16-fault"} <= set(page.ids)
    assert 'id="q02-fault"' not in page.text
    assert page.given["q02"] == ["5"]
    assert count(sqlite_database) == 0


def test_every_answer_is_kept_when_one_is_missing_and_can_then_be_sent(client, token, sqlite_database):
    answers = {key: value for key, value in EVERY_ANSWER.items() if key != "q16"}

    page = Page(client.post(f"/s/{token}", data=answers | {"key": key_of(client, token)}))

    expected = {key: value if isinstance(value, list) else [value] for key, value in answers.items()}
    assert page.status == 422
    assert {key: page.given[key] for key in expected} == expected
    assert client.post(f"/s/{token}", data=page.given | {"q16": "1"}).status_code == 303
    assert count(sqlite_database) == 1


@pytest.mark.parametrize(
    "wrong", [{"q02": "7"}, {"q02": "five"}, {"q01": ["4", "5"]}, {"q24": "字" * 501}, {"q99": "1"}, {"q<b>": "1"}]
)
def test_an_answer_that_the_form_does_not_offer_is_refused_and_the_others_are_kept(
    client, token, sqlite_database, wrong
):
    page = Page(client.post(f"/s/{token}", data=EVERY_ANSWER | wrong | {"key": key_of(client, token)}))

    assert page.status == 422
    for key in EVERY_ANSWER.keys() - wrong.keys():
        value = EVERY_ANSWER[key]
        assert page.given[key] == (value if isinstance(value, list) else [value])
    assert count(sqlite_database) == 0


def test_a_text_that_is_too_long_is_kept_to_be_shortened(client, token):
    page = Page(client.post(f"/s/{token}", data=ANSWERS | {"q24": "字" * 501, "key": key_of(client, token)}))

    assert page.given["q24"] == ["字" * 501]


def test_answers_to_questions_that_do_not_concern_the_resident_are_left_out(client, token, sqlite_database):
    client.post(f"/s/{token}", data=ANSWERS | {"q17": "2", "q18": "1", "key": key_of(client, token)})

    with sqlite_database.reading() as session:
        assert session.scalar(select(Response.answers)) == '{"q01":4,"q16":1,"q17":2}'


def test_a_conditional_question_says_whom_it_concerns(client, token):
    page = client.get(f"/s/{token}?lang=en").text

    assert "Only if you answered “Yes” to question 17." in page
    assert "data-show-if='{\"q17\": [1]}'" in page


def test_a_double_tap_leads_to_the_same_receipt(client, token, sqlite_database):
    form = ANSWERS | {"key": key_of(client, token)}

    assert client.post(f"/s/{token}", data=form).location == client.post(f"/s/{token}", data=form).location
    assert count(sqlite_database) == 1


def test_two_taps_at_one_moment_lead_to_the_same_receipt(app, client, token, sqlite_database):
    form = ANSWERS | {"key": key_of(client, token)}

    locations = all_at_once(lambda _tap: app.test_client().post(f"/s/{token}", data=form).location, range(2))

    assert len(set(locations)) == 1
    assert count(sqlite_database) == 1


def test_other_answers_on_a_sent_form_are_offered_as_another_members_and_then_stored(client, token, sqlite_database):
    form = EVERY_ANSWER | {"key": key_of(client, token)}
    client.post(f"/s/{token}", data=form)
    with sqlite_database.reading() as session:
        first = session.scalar(select(Response.receipt))

    page = Page(client.post(f"/s/{token}", data=form | {"q01": "1"}))

    assert page.status == 409
    assert grouped(first) in page.text
    assert count(sqlite_database) == 1
    # The page holds three forms with the same answers; the last one is another member's.
    second = client.post(f"/s/{token}", data=form | {"q01": "1", "key": page.given["key"][-1]})
    assert second.status_code == 303
    with sqlite_database.reading() as session:
        answers = session.scalars(select(Response.answers).order_by(Response.id)).all()
    assert answers[1] == answers[0].replace('"q01":4', '"q01":1')


@pytest.mark.parametrize("key", [None, "", "forged", "WzEsMV0.AAAA"])
def test_answers_with_a_bad_key_come_back_with_a_good_one_and_are_not_stored(client, token, sqlite_database, key):
    page = Page(client.post(f"/s/{token}", data=EVERY_ANSWER | ({} if key is None else {"key": key})))

    assert page.status == 400
    assert page.given["q24"] == [EVERY_ANSWER["q24"]]
    assert count(sqlite_database) == 0
    assert client.post(f"/s/{token}", data=page.given).status_code == 303


def test_a_form_of_another_poster_comes_back_for_this_one(client, token, sqlite_database):
    with sqlite_database.writing() as session:
        other = make_poster_code(session).token

    page = Page(client.post(f"/s/{token}", data=ANSWERS | {"key": key_of(client, other)}))

    assert page.status == 400
    assert count(sqlite_database) == 0


def test_an_unknown_code_is_explained(client):
    response = client.get("/s/nothing")

    assert response.status_code == 404
    assert "无法识别这个二维码" in response.text
    assert client.post("/s/nothing", data=ANSWERS).status_code == 404


def test_a_revoked_code_is_explained(client, token, sqlite_database, now):
    key = key_of(client, token)
    with sqlite_database.writing() as session:
        revoke_code(session, code=session.scalars(select(Code)).one(), now=now)
        session.execute(update(District).values(telephone="0473-1"))

    shown, sent = client.get(f"/s/{token}"), client.post(f"/s/{token}", data=ANSWERS | {"key": key})

    assert (shown.status_code, sent.status_code) == (410, 410)
    assert "这个二维码已停用" in shown.text
    assert "海勃湾区住建局" in shown.text
    assert 'href="tel:0473-1"' in shown.text
    assert count(sqlite_database) == 0


def test_between_rounds_the_page_says_when_and_offers_the_complaint_form(client, sqlite_database, now):
    with sqlite_database.writing() as session:
        make_round(session, opens_at=now - timedelta(days=40), closes_at=now - timedelta(days=10))
        make_round(session, opens_at=now + timedelta(days=10), closes_at=now + timedelta(days=40))
        token = make_poster_code(session).token

    page = Page(client.get(f"/s/{token}"))

    opens = now + timedelta(days=10, hours=8)
    assert page.status == 409
    assert f"调查将于{opens.year}年{opens.month}月{opens.day}日开始" in page.text
    assert f"/c/{token}" in page.links


@pytest.mark.parametrize("answers", [ANSWERS, {}])
def test_a_form_sent_after_the_close_is_told_plainly_that_it_was_not_stored(
    client, token, sqlite_database, monkeypatch, answers
):
    key = key_of(client, token)
    after_the_close = datetime.now(UTC) + timedelta(days=4)
    monkeypatch.setattr("survey_app.responses.survey_views.current_time", lambda: after_the_close)

    response = client.post(f"/s/{token}", data=answers | {"key": key})

    assert response.status_code == 409
    assert "您的答卷没有保存" in response.text
    assert count(sqlite_database) == 0


def test_ten_megabytes_are_refused_with_a_plain_page(client, token, sqlite_database):
    response = client.post(f"/s/{token}", data={"key": key_of(client, token), "q24": "x" * 10_000_000})

    assert response.status_code == 413
    assert "提交的内容过大" in Page(response).text
    assert count(sqlite_database) == 0


def test_while_the_database_is_away_answers_stay_in_the_page_and_can_be_sent_later(
    client, token, sqlite_database, monkeypatch
):
    form = EVERY_ANSWER | {"key": key_of(client, token)}
    with monkeypatch.context() as context:

        def fail(*_arguments, **_named):
            raise OperationalError("INSERT", {}, Exception("disk full"))

        context.setattr(group_commit, "insert_once", fail)
        response = client.post(f"/s/{token}", data=form)

    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert count(sqlite_database) == 0
    assert client.post(f"/s/{token}", data=Page(response).given).status_code == 303
    with sqlite_database.reading() as session:
        assert '"q24":"电梯 <b>& “灯”\\n第二行"' in session.scalar(select(Response.answers))


def test_when_too_many_wait_to_be_written_answers_stay_in_the_page(client, token, sqlite_database, monkeypatch):
    form = EVERY_ANSWER | {"key": key_of(client, token)}
    with monkeypatch.context() as context:

        def refuse(*_arguments, **_named):
            raise WriterBusy(12)

        context.setattr(Writer, "insert_once", refuse)
        response = client.post(f"/s/{token}", data=form)

    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert client.post(f"/s/{token}", data=Page(response).given).status_code == 303
    assert count(sqlite_database) == 1


def test_a_fault_of_the_site_shows_no_detail_and_keeps_the_answers(client, token, sqlite_database, monkeypatch):
    key = key_of(client, token)

    def fail(*_arguments, **_named):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(group_commit, "insert_once", fail)
    response = client.post(f"/s/{token}", data=EVERY_ANSWER | {"key": key})

    assert response.status_code == 500
    assert "secret detail" not in response.text
    assert Page(response).given["q01"] == ["4"]
    assert count(sqlite_database) == 0


def test_the_notice_names_what_is_known_and_leaves_out_what_is_not(client, token, sqlite_database):
    bare = client.get(f"/s/{token}").text
    with sqlite_database.writing() as session:
        session.execute(update(District).values(telephone="0473-1"))
        session.execute(update(Round).values(evaluator="评估中心", responses_kept_until=date(2027, 11, 30)))
    full = client.get(f"/s/{token}").text

    for page in (bare, full):
        assert "本调查由海勃湾区住建局负责" in page
        assert "物业公司看不到个人答卷。" in page
        assert not re.search(r"[\[\]{}]", page[page.index("本调查由") : page.index("自愿填写")])
    assert "电话" not in bare[bare.index("本调查由") : bare.index("用于评价")]
    assert "受托统计" not in bare
    assert re.search(r"保存至\d+年\d+月\d+日后删除。", bare)
    assert "负责，电话0473-1，用于评价" in full
    assert "评估中心受托统计，物业公司" in full
    assert "保存至2027年11月30日后删除。" in full


@pytest.mark.parametrize("language", ["zh-Hans", "en"])
def test_every_page_is_well_formed_and_has_one_heading_in_its_language(client, token, now, sqlite_database, language):
    with sqlite_database.writing() as session:
        revoked = make_poster_code(session, revoked_at=now).token
    asked = f"?lang={language}"
    form = Page(client.get(f"/s/{token}{asked}"))
    sent = client.post(f"/s/{token}{asked}", data=ANSWERS | {"key": form.given["key"]})
    pages = [
        form,
        Page(client.get(sent.location)),
        Page(client.post(f"/s/{token}{asked}", data={"key": form.given["key"]})),
        Page(client.post(f"/s/{token}{asked}", data=ANSWERS | {"q01": "1", "key": form.given["key"]})),
        Page(client.post(f"/s/{token}{asked}", data=ANSWERS)),
        *(
            Page(client.get(f"{address}{asked}"))
            for address in ("/", f"/s/{token}/privacy", f"/s/{revoked}", "/s/unknown", "/r/1", "/nowhere")
        ),
        Page(client.get(f"/{asked}&number=12")),
    ]

    for page in pages:
        assert f'<html lang="{language}">' in page.text
        assert page.text.count("<h1>") == 1
        is_chinese = re.search("[\u4e00-\u9fff]", re.sub(r">中文</(a|button)>|[“”]", "", page.text))
        assert bool(is_chinese) == (language == "zh-Hans")


def test_a_first_visit_is_small_enough_for_a_weak_network(client, token):
    """What goes over the wire, headers included; a second visit brings the page alone."""
    accepting = {"Accept-Encoding": "gzip"}
    form = client.get(f"/s/{token}", headers=accepting)
    files = sorted(set(re.findall(r"/static/[^\"]+", gzip.decompress(form.data).decode())))

    answers = [form, *(client.get(path, headers=accepting) for path in files)]

    assert len(answers) <= 3
    assert sum(len(str(answer.headers)) + len(answer.data) for answer in answers) <= 14_000
    assert all("immutable" in answer.headers["Cache-Control"] for answer in answers[1:])


def test_a_first_visit_by_a_slip_is_as_small_with_its_redirect(client, sqlite_database):
    now = datetime.now(UTC)
    with sqlite_database.writing() as session:
        opened = make_round(
            session, accepts_households=True, opens_at=now - timedelta(days=40), closes_at=now + timedelta(days=9)
        )
        sheet = issue_slips(
            session,
            survey_round=opened,
            community=make_community(session),
            new=new_slips(1, secret_key=SECRET),
            now=now,
        )
    accepting = {"Accept-Encoding": "gzip"}
    redirect = client.get(f"/h/{sheet.slips[0].token}", headers=accepting)
    form = client.get(redirect.location, headers=accepting)
    page = gzip.decompress(form.data).decode()
    answers = [redirect, form, *(client.get(path, headers=accepting) for path in re.findall(r"/static/[^\"]+", page))]

    assert len(answers) == 3
    assert sum(len(str(answer.headers)) + len(answer.data) for answer in answers) <= 14_000


def test_the_policy_of_a_form_with_its_style_inside_allows_that_style_alone(client, sqlite_database, token):
    now = datetime.now(UTC)
    with sqlite_database.writing() as session:
        opened = session.scalars(select(Round)).one()
        opened.accepts_households = True
        community = session.scalars(select(Community)).first()
        sheet = issue_slips(
            session, survey_round=opened, community=community, new=new_slips(1, secret_key=SECRET), now=now
        )
    form = client.get(f"/h/{sheet.slips[0].token}", follow_redirects=True)
    [style] = re.findall("<style>(.*?)</style>", form.text, re.DOTALL)
    policies = [page.headers["Content-Security-Policy"] for page in (client.get(f"/s/{token}"), form)]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert policies[1].replace(f" 'sha256-{digest}'", "") == policies[0]
    assert policies[1] != policies[0]
    assert "unsafe" not in policies[1]


def test_the_front_door_leads_on_from_a_typed_code(client, token):
    assert client.post("/", data={"number": grouped(token)}).location == f"/s/{token}"
    assert client.post("/", data={"number": token[:-1]}).status_code == 404


@pytest.mark.parametrize(
    "pasted", ["https://jiayuan.example/s/{}", " /s/{}/ ", "https://jiayuan.example/s/{}?lang=en", "\u200b{}\ufeff"]
)
def test_the_front_door_takes_a_pasted_address_and_signs_that_are_not_seen(client, token, pasted):
    assert client.post("/", data={"number": pasted.format(token)}).location == f"/s/{token}"


def test_an_address_with_a_slash_too_many_leads_on_to_the_form(client, token):
    assert client.get(f"/s/{token}/").location == f"/s/{token}"
    assert client.get(f"/s/{token}/?lang=en").location == f"/s/{token}?lang=en"
    assert "noindex" in client.get("/").text
    assert client.get("/s/").location == "/"
    assert "Disallow: /" in client.get("/robots.txt").text
    assert client.get("/healthz").text == "ok"


VALUES = st.one_of(st.sampled_from(["1", "2", "4", "5", "9", "", "x", "０", "\x00", "1" * 400]), st.text(max_size=30))
FIELDS = st.one_of(st.sampled_from([f"q{number:02}" for number in range(1, 26)]), st.text(max_size=8))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=st.dictionaries(FIELDS, st.lists(VALUES, max_size=3), max_size=12), has_key=st.booleans())
def test_no_form_data_makes_the_site_fail_or_store_what_was_not_offered(
    client, token, sqlite_database, fields, has_key
):
    sendable = {
        key: [value.encode("utf-8", "replace").decode() for value in values]
        for key, values in fields.items()
        if key.encode("utf-8", "ignore").decode() == key
    }
    if has_key:
        sendable["key"] = [key_of(client, token)]

    response = client.post(f"/s/{token}", data=sendable)

    assert response.status_code in {303, 400, 422}
    with sqlite_database.reading() as session:
        visit = submission.open_visit(
            session, token=token, secret_key="only for tests: 7f3c9a1e5b8d2046", now=datetime.now(UTC)
        )
        for answers in session.scalars(select(Response.answers)):
            stored = json.loads(answers)
            for key, answer in stored.items():
                question = visit.questionnaire.question(key)
                chosen = answer if isinstance(answer, list) else [answer]
                assert question.max_length or set(chosen) <= set(question.codes)
