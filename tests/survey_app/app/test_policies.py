"""Every route says who may come, and the matrix of roles, routes and districts shows that it is kept to."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import pytest

from survey_app.accounts import policies
from survey_app.accounts.policies import PUBLIC, RESIDENT, SENDING_PHOTOS, Policy, policy_of
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.evaluations.evaluation_jobs import ask_for_evaluation
from survey_app.models import HotlineImport, PropertyCompany
from survey_app.models.vocabulary import AREAS_OF_ROLE, Area, Role
from survey_app.responses.receipts import sign_receipt
from survey_app.security.change_codes import digest_of_change_code
from survey_app.security.check_digits import RECEIPT_DIGITS, new_number
from survey_app.storage.database import Database
from tests.accounts import SECRET_KEY, csrf_token, make_account, signed_in_client
from tests.conftest import site_on
from tests.factories import (
    give_to_company,
    make_appeal,
    make_call_back,
    make_closed_case,
    make_community,
    make_complaint,
    make_district,
    make_document,
    make_photo,
    make_poster_code,
    make_response,
    make_round,
    make_slip,
)

NOW = datetime.now(UTC).replace(microsecond=0)
CHANGE_CODE = "123456789018"

# The arguments of a route that names something within one district, as the own and the other district's.
# Whatever stands in neither table is the whole city's, and is the same for both.
PLACED = {
    "staff.code_svg": lambda place: {"token": place["token"]},
    "staff.code_png": lambda place: {"token": place["token"]},
    "staff.revoke": lambda place: {"token": place["spare_token"]},
    "staff.poster": lambda place: {"token": place["token"]},
    "staff.photo": lambda place: {"round_id": place["round_id"], "name": place["photo"]},
    **dict.fromkeys(
        ("staff.blank_questionnaire", "staff.contracts", "staff.record_contract", "staff.withdraw_change"),
        lambda place: {"community_id": place["community"].id},
    ),
    **dict.fromkeys(
        ("staff.case_file", "staff.take_case_step", "staff.show_contact"), lambda place: {"reference": place["case"]}
    ),
    **dict.fromkeys(
        ("staff.company_case", "staff.take_company_step", "staff.file_case_appeal"),
        lambda place: {"reference": place["company_case"]},
    ),
    **dict.fromkeys(
        ("staff.call", "staff.show_call_contact", "staff.record_call"),
        lambda place: {"sample_id": place["sample_id"], "reference": place["called_case"]},
    ),
    "staff.company_photo": lambda place: {"reference": place["company_case"], "name": place["company_photo"]},
    "staff.decide_case_appeal": lambda place: {"appeal_id": place["appeal"]},
    "staff.case_photo": lambda place: {"reference": place["case"], "name": place["case_photo"]},
    "staff.case_document": lambda place: {"reference": place["case"], "name": place["case_document"]},
    "staff.document": lambda place: {
        "evaluation_id": place["evaluation_id"],
        "kind": "overview",
        "region": place["community"].district.name,
    },
    **dict.fromkeys(
        ("entry.show_form", "entry.save"), lambda place: {"community_id": place["community"].id, "mode": "paper"}
    ),
    **dict.fromkeys(
        (
            "entry.show_receipt",
            "entry.open_with_change_code",
            "entry.ask_for_correction",
            "entry.correct",
            "entry.withdraw",
            "entry.show_answers",
            "entry.erase",
            "entry.erase_without_code",
        ),
        lambda place: {"reference": sign_receipt(place["receipt"], secret_key=SECRET_KEY)},
    ),
}
# Of these, what the change code opens for the account that typed it.
OPENED = {"entry.ask_for_correction", "entry.correct", "entry.withdraw", "entry.show_answers", "entry.erase"}
# The same for routes that are told by their form what they are about.
PLACED_BY_FORM = {
    **dict.fromkeys(
        ("staff.slips_zip", "staff.coded_questionnaires_zip"),
        lambda place: {"community": place["community"].number, "count": "1"},
    ),
    "staff.revoke_household_slips": lambda place: {
        "community": place["community"].number,
        "because": "returned",
        "typed": place["slip"],
    },
    "staff.replace_household_slip": lambda place: {"digits": place["slip"]},
    **dict.fromkeys(
        ("staff.preview_steps", "staff.take_steps"), lambda place: {"step": "accept", "case": place["case"]}
    ),
    "entry.find": lambda place: {"number": place["receipt"]},
}
CITYWIDE = {
    **dict.fromkeys(
        (
            "staff.standings_csv",
            "staff.communities_csv",
            "staff.tables_csv",
            "staff.responses_csv",
        ),
        lambda city: {"evaluation_id": city["evaluation_id"]},
    ),
    **dict.fromkeys(
        (
            "staff.evaluate",
            "staff.texts_csv",
            "staff.reviews",
            "staff.photos",
            "staff.decide",
            "staff.declared_help",
            "staff.declare",
            "staff.examine",
            "staff.close_early",
            "staff.drop",
            "staff.show_dates",
            "staff.move",
            "staff.slips",
            "staff.revoke_household_slips",
            "staff.replace_household_slip",
        ),
        lambda city: {"round_id": city["round_id"]},
    ),
    # The one questionnaire that was published.
    "staff.questionnaire_preview": lambda _city: {"questionnaire_id": 1},
    "staff.try_questionnaire": lambda _city: {"questionnaire_id": 1},
    "staff.follow_evaluation": lambda city: {"job_id": city["evaluation_job"]},
    **dict.fromkeys(
        (
            "staff.hotline_import",
            "staff.choose_ledger_headers",
            "staff.confirm_ledger",
            "staff.compare_ledger_again",
            "staff.give_ledger_up",
            "staff.take_ledger_back",
        ),
        lambda city: {"import_id": city["import_id"]},
    ),
    # What is gone by now is said, and nothing is done.
    "staff.forget_hotline_community": lambda _city: {"alias_id": 1},
    "staff.decide_hotline_match": lambda _city: {"match_id": 1},
    "staff.publish": lambda city: {"evaluation_id": city["evaluation_id"]},
    "staff.rule_file": lambda city: {"rule_file_id": city["rule_file_id"]},
    "staff.template": lambda _city: {"name": "wuhai-2021-08-23.yaml"},
    **dict.fromkeys(
        (
            "staff.reset",
            "staff.disable",
            "staff.enable",
            "staff.show_confirmation",
            "staff.confirm_request",
            "staff.decline_request",
        ),
        lambda city: {"account_id": city["spare_account_id"]},
    ),
    **dict.fromkeys(
        ("staff.call_sheet", "staff.call_sheet_csv", "staff.call_sheet_xlsx"),
        lambda city: {"sample_id": city["sample_id"]},
    ),
    **dict.fromkeys(("staff.bulletin", "staff.bulletin_file"), lambda _city: {"month": f"{NOW:%Y-%m}"}),
    **dict.fromkeys(("staff.show_place", "staff.place"), lambda city: {"account_id": city["spare_clerk_id"]}),
}
# Leaving would end the session that the rest of the matrix needs.
LEAVING = {"staff.sign_out"}


@pytest.fixture(scope="module")
def site(empty_site):
    """A site with two districts, each with one community, and an account of every role in the first of them."""
    config = empty_site("matrix")
    with Database(config.database_url) as database:
        city = _fill(database)
        city["evaluation_id"] = evaluate_round(database, round_id=city["round_id"], now=NOW).id
        for place in ("own", "other"):
            city[place]["evaluation_id"] = city["evaluation_id"]
        with database.writing() as session:
            city["evaluation_job"] = ask_for_evaluation(
                session, round_id=city["round_id"], provisional=False, by="site", now=NOW
            )
    with site_on(config) as app:
        yield app, city


def _fill(database):
    with database.writing() as session:
        survey_round = make_round(session, opens_at=NOW - timedelta(days=40), closes_at=NOW - timedelta(days=10))
        opened = make_round(
            session, opens_at=NOW - timedelta(days=5), closes_at=NOW + timedelta(days=5), accepts_households=True
        )
        places, sample = [], None
        for name in ("own", "other"):
            company = PropertyCompany(name=f"{name} company", english_name=None, sort_key=name)
            # Not larger than its answers need: the matrices print all its slips again and again.
            community = make_community(
                session,
                name=f"{name}小区",
                district=make_district(session, name=f"{name}区"),
                company=company,
                households_delivered=50,
                households_occupied=45,
                households_owners=40,
            )
            code = make_poster_code(session, community, token=f"2{community.id:019}")
            answered = make_response(
                session, survey_round, community, code_id=code.id, submitted_at=NOW - timedelta(days=20), answers={}
            )
            photo = make_photo(session, answered)
            # So many that a photo is shown, as no single neighbour can have sent it.
            for number in range(30):
                # Nobody is held for having answered like a clockwork.
                submitted_at = NOW - timedelta(days=20, hours=number + 1, minutes=(number * number * 7) % 53)
                times = {
                    "started_at": submitted_at - timedelta(seconds=95 + (number * 37) % 211),
                    "submitted_at": submitted_at,
                }
                make_response(session, survey_round, community, code_id=code.id, **times)
            case = make_complaint(session, community, code_id=code.id, submitted_at=NOW - timedelta(hours=1))
            given = make_complaint(session, community, code_id=code.id, submitted_at=NOW - timedelta(hours=1))
            closed = make_closed_case(
                session, community, code_id=code.id, secret_key=SECRET_KEY, submitted_at=NOW - timedelta(days=20)
            )
            sample = make_call_back(session, closed, sample=sample, outcome="not_reached", at=NOW).sample
            released = make_photo(session, given)
            give_to_company(session, given, photos=[released.name], now=NOW)
            appeal = make_appeal(session, given, now=NOW)
            receipt = new_number(RECEIPT_DIGITS)
            digest = digest_of_change_code(CHANGE_CODE, receipt=receipt, secret_key=SECRET_KEY)
            make_response(
                session, opened, community, code_id=code.id, receipt=receipt, submitted_at=NOW, change_digest=digest
            )
            # Other last digits: they tell the files of the posters apart.
            spare = make_poster_code(session, community, token=f"3{community.id + 1000:019}")
            places.append(
                {
                    "community": community,
                    "token": code.token,
                    "spare_token": spare.token,
                    "receipt": receipt,
                    "slip": make_slip(session, opened, community).digits,
                    "name": community.name,
                    "round_id": survey_round.id,
                    "photo": photo.name,
                    "case": case.reference,
                    "called_case": closed.reference,
                    "sample_id": sample.id,
                    "company_case": given.reference,
                    "appeal": appeal.id,
                    "company_photo": released.name,
                    "case_photo": make_photo(session, case).name,
                    "case_document": make_document(session, case).name,
                }
            )
        own = places[0]["community"]
        bound = {
            Role.DISTRICT: {"district": own.district},
            Role.COMPANY: {"company": own.company},
            Role.CLERK: {"community": own},
        }
        for role in Role:
            make_account(session, str(role), now=NOW, **bound.get(role, {}))
        spare = make_account(session, "spare", role="city", now=NOW)
        spare_clerk = make_account(session, "spare-clerk", role="clerk", community=own, now=NOW)
        ledger = HotlineImport(
            account_id=spare.id, name="", headers="{}", status="imported", job_id=0, sent_at=NOW, expires_at=NOW
        )
        session.add(ledger)
        session.flush()
        return {
            "import_id": ledger.id,
            "round_id": survey_round.id,
            "rule_file_id": survey_round.rule_file_id,
            "sample_id": sample.id,
            "spare_account_id": spare.id,
            "spare_clerk_id": spare_clerk.id,
            "own": places[0],
            "other": places[1],
        }


@pytest.fixture(scope="module")
def clients(site):
    app, _city = site
    return {role: signed_in_client(app, str(role)) for role in Role}


def staff_rules(app):
    """Return the rules that are for some roles only; of the dashboards the page, which stands for what it fetches."""
    return [
        rule
        for rule in app.url_map.iter_rules()
        if policy_of(app, rule).roles
        and rule.endpoint not in LEAVING
        and (rule.rule == "/dashboards/" or not rule.rule.startswith("/dashboards/"))
    ]


def arguments_of(rule, city, *, place="own"):
    if rule.endpoint in PLACED:
        return PLACED[rule.endpoint](city[place])
    return CITYWIDE[rule.endpoint](city) if rule.endpoint in CITYWIDE else {}


def is_placed(rule):
    return rule.endpoint in PLACED or rule.endpoint in PLACED_BY_FORM


def ask(client, app, rule, city, *, place="own"):
    arguments = arguments_of(rule, city, place=place)
    fields = PLACED_BY_FORM.get(rule.endpoint, lambda _place: {})(city[place])
    with app.test_request_context():
        path = app.url_map.bind("localhost").build(rule.endpoint, arguments)
    page = client.get("/staff/")
    token = csrf_token(page) if page.status_code == HTTPStatus.OK else ""
    if rule.endpoint in OPENED:
        receipt = f"/staff/receipts/{arguments['reference']}"
        opened = client.post(f"{receipt}/change", data={"csrf_token": token, "code": CHANGE_CODE})
        path = path.replace(receipt, opened.location or receipt)
    if "GET" in rule.methods:
        return client.get(path)
    return client.post(path, data={"csrf_token": token, **fields})


def test_every_route_declares_its_policy(app):
    without = [rule.rule for rule in app.url_map.iter_rules() if policy_of(app, rule) is None]

    assert without == []
    assert any("_dash-update-component" in rule.rule for rule in app.url_map.iter_rules())


def test_every_route_takes_a_policy_of_the_one_list(app):
    listed = {id(value) for value in vars(policies).values() if isinstance(value, Policy)}
    others = [rule.rule for rule in app.url_map.iter_rules() if id(policy_of(app, rule)) not in listed]

    assert others == []


def test_a_route_that_declares_nothing_lets_nobody_in(app):
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")

    assert app.test_client().get("/forgotten").status_code == 404


def test_only_pages_without_cookies_go_without_the_token_of_their_page(app):
    unguarded = {rule.endpoint for rule in app.url_map.iter_rules() if not policy_of(app, rule).relies_on_cookie}

    assert unguarded
    residents = ("survey.", "slips.", "receipts.", "complaints.", "home.lead_on")
    assert all(endpoint.startswith(residents) for endpoint in unguarded)


def test_nobody_needs_an_account_to_read_the_front_page_or_answer(app):
    policies = {rule.endpoint: policy_of(app, rule) for rule in app.url_map.iter_rules()}

    assert policies["home.show"] is PUBLIC
    assert policies["survey.show_form"] is RESIDENT
    assert policies["survey.submit"] is SENDING_PHOTOS
    assert policies["staff.sign_in"] is PUBLIC


def test_the_matrix_knows_every_route_with_arguments(site):
    app, _city = site
    with_arguments = {rule.endpoint for rule in staff_rules(app) if rule.arguments}

    assert with_arguments == PLACED.keys() | CITYWIDE.keys()


@pytest.mark.parametrize("role", list(Role))
def test_a_role_comes_where_its_policy_lets_it_and_nowhere_else(site, clients, role):
    app, city = site
    for rule in staff_rules(app):
        answer = ask(clients[role], app, rule, city)

        if role in policy_of(app, rule).roles:
            assert answer.status_code not in {401, 403, 404, 500}, (role, rule.rule)
        else:
            assert answer.status_code == 403, (role, rule.rule)


@pytest.mark.parametrize("role", list(Role))
def test_what_lies_in_another_district_is_not_found(site, clients, role):
    app, city = site
    for rule in staff_rules(app):
        if is_placed(rule) and role in policy_of(app, rule).roles:
            answer = ask(clients[role], app, rule, city, place="other")

            sees_the_city = AREAS_OF_ROLE[role] == {Area.CITY}
            assert (answer.status_code == HTTPStatus.NOT_FOUND) is not sees_the_city, (role, rule.rule)


@pytest.mark.parametrize("role", [Role.DISTRICT, Role.CLERK, Role.COMPANY, Role.ADMINISTRATOR])
def test_no_page_names_a_community_of_another_district(site, clients, role):
    app, city = site
    for rule in staff_rules(app):
        if "GET" in rule.methods and role in policy_of(app, rule).roles:
            page = ask(clients[role], app, rule, city)
            assert city["other"]["name"].encode() not in page.get_data(), (role, rule.rule)


def test_strangers_come_to_no_staff_route(site):
    app, city = site
    for rule in staff_rules(app):
        answer = ask(app.test_client(), app, rule, city)

        assert answer.status_code == (302 if "GET" in rule.methods else 401), rule.rule


def test_the_dashboards_are_closed_to_roles_that_may_not_read_standings(clients):
    for role in (Role.CLERK, Role.COMPANY, Role.ADMINISTRATOR):
        for path in ("/dashboards/", "/dashboards/_dash-layout", "/dashboards/_dash-dependencies"):
            assert clients[role].get(path).status_code == 403
        answer = clients[role].post("/dashboards/_dash-update-component", json={})
        assert answer.status_code == 403


def test_the_navigation_offers_only_what_the_account_may_visit(clients):
    company, clerk, city = (clients[role].get("/staff/").text for role in (Role.COMPANY, Role.CLERK, Role.CITY))

    assert "/staff/communities" not in company
    assert "/staff/communities" in clerk
    assert "/dashboards/" not in clerk
    assert "/dashboards/" in city
