from datetime import UTC, datetime
from random import Random

import pytest
from sqlalchemy import func, select

from survey_app.config import DATA
from survey_app.models import Response
from survey_app.rounds.questionnaires import QuestionType, parse_questionnaire, show
from survey_app.rounds.rounds import publish_questionnaire
from tests.accounts import PASSWORD, csrf_token, current_code, make_account, signed_in_client
from tests.factories import make_district, make_round
from tests.journeys.form_steps import go_on_to

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def preview(sqlite_database):
    """The address of the preview of a published questionnaire."""
    with sqlite_database.writing() as session:
        questionnaire_id = make_round(session).questionnaire_id
        make_account(session, "city", now=NOW)
        make_account(session, "clerk", district=make_district(session), now=NOW)
    return f"/staff/questionnaires/{questionnaire_id}/preview"


def try_answers(client, preview, **answers):
    return client.post(preview, data={"csrf_token": csrf_token(client.get(preview)), **answers})


def test_the_list_leads_to_the_preview(app, preview):
    page = signed_in_client(app, "city").get("/staff/questionnaires").text

    assert f'href="{preview}"' in page
    assert "24个问题" in page


def test_the_preview_asks_every_question_in_both_languages(app, preview):
    client = signed_in_client(app, "city")
    chinese, english = client.get(preview).text, client.get(f"{preview}?lang=en").text

    assert "预览：不保存任何内容。" in chinese
    assert "您对小区的绿化养护满意吗？" in chinese
    assert "How satisfied are you with: upkeep of greenery?" in english
    assert chinese.count("<fieldset") == english.count("<fieldset") == 24


def test_what_would_be_stored_is_shown_and_nothing_is_stored(app, preview, sqlite_database):
    page = try_answers(signed_in_client(app, "city"), preview, q01="4", q16="1", q17="2", q18="1").text

    assert "{&#34;q01&#34;:4,&#34;q16&#34;:1,&#34;q17&#34;:2}" in page
    assert "4 满意" in page
    with sqlite_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Response)) == 0


def test_answers_with_faults_come_back_as_they_do_to_a_resident(app, preview):
    answer = try_answers(signed_in_client(app, "city"), preview, q01="7", q02="5")

    assert answer.status_code == 422
    assert 'name="q02" value="5" checked' in answer.text
    assert 'id="q01-fault"' in answer.text


def test_switching_the_language_keeps_the_answers(app, preview):
    answer = try_answers(signed_in_client(app, "city"), f"{preview}?lang=en", q02="5", show="again")

    assert answer.status_code == 200
    assert 'name="q02" value="5" checked' in answer.text


def test_an_unknown_questionnaire_is_not_found_and_a_clerk_sees_none(app, preview):
    assert signed_in_client(app, "city").get("/staff/questionnaires/99/preview").status_code == 404
    assert signed_in_client(app, "clerk").get(preview).status_code == 403


def open_preview(page, live_server, preview):
    page.goto(f"{live_server}/sign-in?next={preview}")
    page.fill("[name=username]", "city")
    page.fill("[name=password]", PASSWORD)
    page.click("main button.primary")
    page.fill("[name=code]", current_code())
    page.click("main button.primary")
    page.wait_for_selector("#q01")


@pytest.mark.browser
def test_the_preview_goes_step_by_step_and_shows_what_would_be_stored(live_server, open_page, preview):
    page = open_page()
    open_preview(page, live_server, preview)

    page.click("#q01 label >> nth=0")
    page.click("[data-next]")
    page.wait_for_selector("#q02", state="visible")
    assert page.is_hidden("#q01")
    go_on_to(page, "q16")
    page.click("#q16 label >> nth=0")
    go_on_to(page, "review")
    page.click("[data-last] button.primary")
    page.wait_for_selector("text=居民提交后将保存")
    assert '{"q01":5,"q16":1}' in page.text_content("main")


ALL_TYPES = """
      - key: q25
        type: zero_to_ten
        label: {zh-Hans: "您愿意推荐本小区吗？", en: "Would you recommend your community?"}
        short: {zh-Hans: 推荐意愿, en: Recommendation}
        ends: {zero: {zh-Hans: 完全不愿意, en: Not at all}, ten: {zh-Hans: 非常愿意, en: Certainly}}
        dont_know: {zh-Hans: 不清楚, en: Don't know}
      - key: q26
        type: multi
        label: {zh-Hans: 原因, en: Why}
        short: {zh-Hans: 原因, en: Why}
        options: [{code: 1, zh-Hans: 甲, en: A}, {code: 2, zh-Hans: 乙, en: B}, {code: 10, zh-Hans: 丙, en: C}]
        show_if: {q25: [0, 1, 10, 99]}
      - key: q27
        type: single
        label: {zh-Hans: 其他, en: Else}
        short: {zh-Hans: 其他, en: Else}
        options: [{code: 1, zh-Hans: 甲, en: A}, {code: 0, zh-Hans: 乙, en: B}]
        show_if: {q26: [1, 10], q17: [1, 9]}
      - key: q28
        type: rating
        scale: satisfaction
        label: {zh-Hans: 最后, en: Last}
        short: {zh-Hans: 最后, en: Last}
        show_if: {q27: [0], q19: [2, 5]}
"""

# Chooses exactly these options in each of the cases, and returns which questions are then hidden.
HIDDEN_IN_EACH_CASE = """cases => cases.map(chosen => {
    document.querySelectorAll("fieldset input").forEach(input => {
        input.checked = (chosen[input.name] || []).includes(input.value);
    });
    document.querySelector("#form").dispatchEvent(new Event("change", {bubbles: true}));
    return [...document.querySelectorAll("fieldset")].filter(field => field.hidden).map(field => field.id);
})"""


def random_answers(random, questionnaire):
    chosen = {}
    for question in questionnaire.questions:
        # What conditions look at is answered more often than not, for the longest chains to come up.
        if question.options and random.random() < 0.9:
            count = random.randint(1, 2) if question.type is QuestionType.MULTI else 1
            chosen[question.key] = [str(code) for code in random.sample(question.codes, count)]
    return chosen


@pytest.mark.browser
def test_phone_and_server_agree_on_which_questions_concern_a_resident(live_server, open_page, preview, sqlite_database):
    text = (DATA / "questionnaires" / "resident-satisfaction-1.yaml").read_text("utf-8")
    questionnaire = parse_questionnaire((text.replace("version: 1", "version: 2", 1) + ALL_TYPES).encode(), "all.yaml")
    with sqlite_database.writing() as session:
        published = publish_questionnaire(session, definition=questionnaire, now=NOW)
    random = Random(20260901)
    cases = [random_answers(random, questionnaire) for _ in range(1500)]
    page = open_page()
    open_preview(page, live_server, preview.replace("/1/", f"/{published.id}/"))

    hidden_in_each_case = page.evaluate(HIDDEN_IN_EACH_CASE, cases)

    seen = set()
    for chosen, hidden in zip(cases, hidden_in_each_case, strict=True):
        answers = questionnaire.check_answers(chosen).answers
        expected = [question.key for question in questionnaire.questions if not show(question, answers)]
        assert hidden == expected, chosen
        seen |= {question.key for question in questionnaire.questions} - set(hidden)
    assert seen == {question.key for question in questionnaire.questions}, "every question concerned somebody"


@pytest.mark.browser
def test_eleven_numbers_are_easy_to_hit_on_the_narrowest_phone(live_server, open_page, preview, sqlite_database):
    text = (DATA / "questionnaires" / "resident-satisfaction-1.yaml").read_text("utf-8")
    questionnaire = parse_questionnaire((text.replace("version: 1", "version: 2", 1) + ALL_TYPES).encode(), "all.yaml")
    with sqlite_database.writing() as session:
        published = publish_questionnaire(session, definition=questionnaire, now=NOW)
    page = open_page(viewport={"width": 320, "height": 640}, java_script_enabled=False)
    open_preview(page, live_server, preview.replace("/1/", f"/{published.id}/"))

    boxes = [label.bounding_box() for label in page.query_selector_all("#q25 label")]
    assert len(boxes) == 12
    assert min(min(box["width"], box["height"]) for box in boxes) >= 44
    assert max(box["x"] + box["width"] for box in boxes) <= 320
