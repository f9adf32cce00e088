"""Going down loses nothing: each revision refuses before it changes anything, or gives every value back on the way up.

A simulated city goes down from the newest revision to an empty database, one revision at a time. At each one, what
the earlier schema has no place for stands there alone in turn (`ALONE`), then is taken away (`CLEARED`).
"""

import re
import shutil
from contextlib import contextmanager
from threading import Thread

import pytest
from alembic import command
from sqlalchemy import MetaData, func, select, text
from sqlalchemy.exc import DBAPIError

from survey_app.storage.database import Database
from tests.survey_app.storage.test_upgrades import EARLIEST, copy_rows, unpack

REFUSAL = r"^[a-z].* and nothing was changed; to go back, restore a backup from before the upgrade$"
TIME = "'2026-09-15 04:00:00.000000'"
# Numbered again on the way, where rows move from one table to another; nothing refers to these numbers.
RENUMBERED = {"attachment", "photo", "complaint_photo", "job", "complaint_event"}
# Computed from what is kept, so that an earlier schema without them loses nothing; or new with every way up, after
# which staff sign in again.
DERIVED = {
    ("standing", "region"),
    ("account", "credential_version"),
    ("account", "in_force_since"),
    ("account", "notices_read_to"),
    ("account_session", "credentials"),
    ("key_check", None),
    ("attachment_thumbnail", None),
    ("collection_change", None),
    ("collection_tally", None),
    ("complaint", "next_step_at"),
    ("complaint", "next_step_basis"),
    ("complaint", "stage"),
    ("complaint", "deadline_at"),
    *(("complaint", column) for column in ("office", "company_id", "handler_id", "is_supervised", "proposal")),
}

_FIRST = "WHERE id = (SELECT min(id) FROM {})"
_FIRST_STANDING = "evaluation_id, community_id FROM standing ORDER BY 1, 2 LIMIT 1"


def _job(kind, status, *, key="'scheduled'", by="site", ended="NULL", more="", values=""):
    return (
        "INSERT INTO job (id, kind, key, arguments, enqueued_by, enqueued_at, due_at, begun_at, ended_at, status, "
        f"attempts, progress_done, stage{more}) VALUES (100, '{kind}', {key}, '{{}}', '{by}', {TIME}, {TIME}, "
        f"{'NULL' if status == 'queued' else TIME}, {ended}, '{status}', 1, 0, ''{values})"
    )


def _update(table, change):
    return f"UPDATE {table} SET {change} {_FIRST.format(table)}"


_REDUCED = ", ".join(
    f"{column} = NULL"
    for column in (
        "submission_key",
        "receipt",
        "commitment",
        "handle",
        "handle_nonce",
        "change_digest",
        "language",
        "mode",
        "entered_by_id",
        "corrects_id",
        "started_at",
        "submitted_at",
        "superseded_within",
    )
)

_SUBDISTRICT = "INSERT INTO subdistrict (id, district_id, name, sort_key) SELECT 1, min(id), '', '' FROM district"
_NEIGHBOURHOOD = "INSERT INTO neighbourhood (id, subdistrict_id, name, sort_key) VALUES (1, 1, '', '')"
_WITHOUT_PARTS = ("DELETE FROM neighbourhood", "DELETE FROM subdistrict")

# What may stand in a database at each revision and is unknown to the one below, each by itself.
ALONE = {
    "0064": [
        (
            "INSERT INTO complaint_appeal (id, complaint_id, company_id, account_id, reason, text, filed_at) "
            "SELECT 900, min(id), (SELECT min(id) FROM property_company), (SELECT min(id) FROM account), 'not_a_case', "
            f"'', {TIME} FROM complaint"
        ),
    ],
    "0063": [
        (
            "INSERT INTO call_back_sample (id, month, casework_file_id, seed, listed, size, without_telephone, "
            "account_id, drawn_at) "
            f"SELECT 900, '2026-09', min(id), 'seed', '[]', 0, 0, (SELECT min(id) FROM account), {TIME} "
            "FROM casework_file; "
            "INSERT INTO call_back (id, sample_id, number, complaint_id, recorded) "
            "SELECT 900, 900, 1, min(id), 'silent' FROM complaint; "
            "INSERT INTO call_back_result (id, call_back_id, number, outcome, account_id, at) "
            f"SELECT 900, 900, 1, 'declined', min(id), {TIME} FROM account"
        ),
    ],
    "0062": [
        (
            "INSERT INTO complaint_event (id, complaint_id, number, action, actor, at) "
            f"SELECT 9062, min(id), 98, 'limit', 'bureau', {TIME} FROM complaint"
        ),
        (
            "INSERT INTO hotline_import (id, account_id, name, headers, status, job_id, sent_at, imported_at, "
            f"expires_at) SELECT 900, min(id), '', '{{}}', 'imported', 1, {TIME}, {TIME}, {TIME} FROM account; "
            "INSERT INTO hotline_case (complaint_id, external_number, import_id, source, undertaker, category_written, "
            "community_written, call_back, row_sha256) "
            "SELECT min(id), '1', 900, '', '', '', '', '', '' FROM complaint; "
            "INSERT INTO hotline_change (import_id, complaint_id, events, has_steps) "
            "SELECT 900, min(id), 1, FALSE FROM complaint; "
            "INSERT INTO hotline_match (id, complaint_id, other_id, suggested_at) "
            f"SELECT 900, min(id), max(id), {TIME} FROM complaint"
        ),
        (
            "INSERT INTO community_alias (id, alias, community_id, account_id, added_at) "
            f"SELECT 900, 'alias', (SELECT min(id) FROM community), min(id), {TIME} FROM account"
        ),
    ],
    "0061": [
        (
            "INSERT INTO property_contract (id, community_id, company_id, starts_on, ends_on) "
            "SELECT 1, min(id), (SELECT min(id) FROM property_company), '2026-09-01', '2026-09-30' FROM community"
        ),
    ],
    "0060": [
        (
            "INSERT INTO casework_file (id, text, sha256, in_force_from, published_at) "
            f"VALUES (900, '{{}}', 'x', '2027-01-01', {TIME})"
        ),
        (
            "INSERT INTO working_calendar (id, year, version, text, sha256, published_at, account_id) "
            f"SELECT 900, 2027, 1, '{{}}', 'x', {TIME}, min(id) FROM account"
        ),
        # Judged by a calendar that is another one by now.
        f"UPDATE complaint_event SET due_at = {TIME} WHERE number = 1",
    ],
    "0059": [
        (
            "INSERT INTO complaint_event (id, complaint_id, number, action, actor, at) "
            f"SELECT 9059, min(id), 99, 'note', 'bureau', {TIME} FROM complaint"
        ),
        "INSERT INTO complaint_assignment (event_id, office) SELECT min(id), 'city' FROM complaint_event",
        (
            "INSERT INTO complaint_release (event_id, text, place, photos) "
            "SELECT min(id), '', '', '[]' FROM complaint_event"
        ),
    ],
    "0053": [f"INSERT INTO evaluation_number (id, taken_at) VALUES (900, {TIME})"],
    "0049": [
        (
            "INSERT INTO account (id, username, password_hash, role, created_at) "
            f"VALUES (902, 'city 902', '', 'city', {TIME}); "
            "INSERT INTO community_list (account_id, name, source, headers, status, job_id, expires_at) "
            f"VALUES (902, '', '', '{{}}', 'sent', 1, {TIME})"
        ),
    ],
    "0050": [
        (
            "INSERT INTO erasure_count (id, actor, action, subject, fact, count) "
            "VALUES (1, 'site', 'terminals_erased', 'terminals', 'count', 1)"
        )
    ],
    "0048": [
        (
            f"{_SUBDISTRICT}; "
            "INSERT INTO account (id, username, password_hash, role, created_at, subdistrict_id) "
            f"VALUES (901, 'clerk', '', 'clerk', {TIME}, 1)"
        ),
        (
            f"{_SUBDISTRICT}; {_NEIGHBOURHOOD}; "
            "INSERT INTO account (id, username, password_hash, role, created_at, neighbourhood_id) "
            f"VALUES (901, 'clerk', '', 'clerk', {TIME}, 1)"
        ),
        (
            "INSERT INTO account (id, username, password_hash, role, created_at) "
            f"VALUES (901, 'clerk', '', 'clerk', {TIME}); "
            "INSERT INTO account_community (account_id, community_id) SELECT 901, min(id) FROM community; "
            "INSERT INTO account_community (account_id, community_id) SELECT 901, max(id) FROM community"
        ),
        (
            "INSERT INTO account (id, username, password_hash, role, created_at) "
            f"VALUES (901, 'clerk', '', 'clerk', {TIME})"
        ),
    ],
    "0047": [
        f"{_SUBDISTRICT}; UPDATE community SET subdistrict_id = 1",
        f"{_SUBDISTRICT}; {_NEIGHBOURHOOD}; UPDATE community SET neighbourhood_id = 1",
    ],
    "0046": ["INSERT INTO column_header (source, field, written) VALUES ('source', 'name', 'written')"],
    "0045": ["UPDATE evaluation SET evidence_method = 2"],
    "0042": [
        _update(
            "response",
            f"answers = NULL, tenure = NULL, nonce = NULL, household_key = NULL, code_id = NULL, {_REDUCED}, "
            f"erased_at = {TIME}",
        ),
        "UPDATE response SET nonce = NULL, openings = 'openings' WHERE answers IS NOT NULL",
        "UPDATE response SET nonce = NULL WHERE answers IS NOT NULL",
        _update("round", f"comments_erased_at = {TIME}"),
        _update("round", f"responses_erased_at = {TIME}"),
        (
            "INSERT INTO response_event (id, response_id, kind, actor, reason, happened_at) "
            f"SELECT 9999, min(id), 'erased', 'resident', '', {TIME} FROM response"
        ),
        _update(
            "complaint",
            "text = '', place = '', occurred_on = NULL, secret_hash = NULL, submission_key = NULL, language = NULL, "
            f"words_erased_at = {TIME}",
        ),
    ],
    "0040": [
        (
            "INSERT INTO attempt_count (key, action, scope, failures, counted_at, expires_at) "
            f"VALUES ('key', 'password', 'line', 1, {TIME}, {TIME})"
        ),
        f"INSERT INTO failed_sign_in (hour, subject, step, count) VALUES ({TIME}, 'account:1', 'password', 1)",
        (
            "INSERT INTO attachment_source (attachment_id, address_digest, prefix_digest) "
            "SELECT min(id), 'line', 'prefix' FROM attachment"
        ),
    ],
    "0039": [
        (
            "INSERT INTO account (id, username, password_hash, role, created_at) "
            f"SELECT 900, 'helper', '', 'city', {TIME}; "
            "INSERT INTO code (id, kind, token, community_id, issued_at) "
            f"SELECT 900, 'poster', 'helper', min(id), {TIME} FROM community; "
            "INSERT INTO declared_help (id, round_id, code_id, begins_at, ends_at, helper, reason, expected, "
            "declared_at, declared_by_id) "
            f"SELECT 1, min(id), 900, {TIME}, '2026-09-16 05:00:00.000000', '', '', 1, {TIME}, 900 "
            "FROM round"
        )
    ],
    "0036": [
        _update("account", f"failed_sign_ins = 1, last_failed_sign_in_at = {TIME}"),
        (
            "INSERT INTO reset_request (account_id, requested_by_id, requested_at, expires_at, account_credentials, "
            f"requester_credentials) SELECT min(id), max(id), {TIME}, {TIME}, '', '' FROM account"
        ),
    ],
    "0035": [
        "UPDATE response SET prefix_digest = 'digest' WHERE answers IS NOT NULL",
        "UPDATE response SET address_digest = 'digest' WHERE answers IS NOT NULL",
        "INSERT INTO network_key (day, key) VALUES ('2026-09-16', '')",
    ],
    "0034": [
        _update("response", "commitment_algorithm = 2, handle = 'handle', handle_nonce = ''"),
        _update("response", "change_digest = 'digest'"),
    ],
    "0033": [
        "UPDATE standing SET criterion_route = 'complaints'",
        "UPDATE standing_evidence SET criterion_lower = 0.25, criterion_upper = 0.75, criterion_evidence = 'likely'",
    ],
    "0032": [_update("attachment", "kind = 'deed'"), _update("attachment", "media_type = 'image/png'")],
    "0031": [
        _job("export", "queued", key="NULL", by="account:1"),
        _job("export", "done", key="NULL", by="account:1", ended=TIME, more=", result", values=", '{}'"),
        _job("complaints", "cancelled", ended=TIME, more=", cancelled_by", values=", 'account:1'"),
        _job("complaints", "queued"),
        _job("retention", "done", ended=TIME),
        _job("complaints", "running", more=", lease_token, leased_until", values=f", 'lease', {TIME}"),
        _job("examination", "failed", ended=TIME, more=", failure", values=", 'OperationalError'"),
    ],
    "0030": [_update("complaint", "channel = 'letter'"), "UPDATE region_profile SET channels = '{\"code\": 1}'"],
    "0029": [f"INSERT INTO chore_run (chore, begun_at) VALUES ('complaints', {TIME})"],
    "0028": [
        _update("response", "superseded_within = 'household'"),
        f"UPDATE response SET erased_at = {TIME} WHERE answers IS NULL",
        _update("slip_batch", "households_answered = 1"),
    ],
    "0027": [_update("round", "closed_early_because = '停电'")],
    "0026": [
        _update("photo", "question = 'q24'"),
        _update("photo", "complaint_id = NULL, response_id = (SELECT min(id) FROM response)"),
    ],
    "0025": [
        "UPDATE standing SET region = region || '?' WHERE community_id = (SELECT min(community_id) FROM standing)"
    ],
    "0024": ["UPDATE response SET terminal_digest = 'digest' WHERE answers IS NOT NULL"],
    "0023": [
        "UPDATE standing_evidence SET satisfaction_needed_responses = 1",
        "UPDATE standing_evidence SET satisfaction_needed_assurance = 0.9",
    ],
    "0022": [
        (
            "INSERT INTO response_review (id, response_id, state, families, at) "
            f"SELECT 1, min(id), 'held', '', {TIME} FROM response"
        ),
        (
            "INSERT INTO integrity_examination (id, round_id, examined_at, responses, families, counts) "
            f"SELECT 1, min(id), {TIME}, 0, '', '' FROM round"
        ),
    ],
    "0021": [
        _update("complaint", "code_id = NULL"),
        "INSERT INTO community (id, number, district_id, name, sort_key) SELECT 999, '999', min(id), '新', '' "
        "FROM district; " + _update("complaint_photo", "community_id = 999"),
    ],
    "0020": [_update("district", "second_language_line = 'x'"), _update("community", "second_language_line = 'x'")],
    "0019": [f"INSERT INTO publication (id, evaluation_id, published_at) SELECT 1, min(id), {TIME} FROM evaluation"],
    "0018": [
        (
            "INSERT INTO community_profile (evaluation_id, community_id, answers, complaints, other_population) "
            "SELECT evaluation_id, community_id, '', '', '' FROM standing ORDER BY 1, 2 LIMIT 1"
        ),
        (
            "INSERT INTO region_profile (evaluation_id, region, answers, complaints, drivers) "
            "SELECT min(id), '', '', '', '' FROM evaluation"
        ),
    ],
    "0017": [
        _update("account", "totp_secret = 'sealed'"),
        _update("account", "totp_last_step = 1"),
        _update("account", f"disabled_at = {TIME}"),
        "INSERT INTO recovery_code (digest, account_id) SELECT 'digest', min(id) FROM account",
    ],
    "0016": [f"INSERT INTO account_session (digest, account_id, expires_at) SELECT 'x', min(id), {TIME} FROM account"],
    "0015": [_update("district", "boundary = '{}'")],
    "0014": [
        _update("complaint", "status = 'closed'"),
        _update("complaint", "status_since = '2026-09-16 04:00:00.000000'"),
        _update("complaint", "secret_hash = 'hash'"),
        _update("complaint", "place = '3号楼'"),
        _update("complaint", "occurred_on = '2026-09-01'"),
        "INSERT INTO complaint_note (event_id, text) SELECT min(id), '已修' FROM complaint_event",
        (
            "INSERT INTO complaint_photo (id, name, submission_key, code_id, upload_sha256, content, added_at) "
            f"SELECT 100, 'name', 'key', min(id), '', '', {TIME} FROM code"
        ),
        (
            "INSERT INTO complaint_contact (complaint_id, sealed, consented_at) "
            f"SELECT min(id), 'sealed', {TIME} FROM complaint"
        ),
        (
            "INSERT INTO complaint_support (id, complaint_id, supporter, added_at) "
            f"SELECT 1, min(id), 'digest', {TIME} FROM complaint"
        ),
        (
            "INSERT INTO complaint_event (id, complaint_id, number, action, actor, at) "
            f"SELECT 9999, min(id), 2, 'accept', 'bureau', {TIME} FROM complaint"
        ),
        _update("complaint_event", "action_key = 'key'"),
        _update("complaint_event", "reason = 'reason'"),
        _update("complaint_event", "at = '2026-09-16 04:00:00.000000'"),
    ],
    "0013": [
        _update("response", "mode = 'telephone', entered_by_id = (SELECT min(id) FROM account)"),
        _update("response", "answers = NULL, tenure = NULL, nonce = NULL, household_key = NULL, code_id = NULL"),
        _update("response", "code_id = NULL"),
        _update("response", "corrects_id = (SELECT max(id) FROM response)"),
        _update("response", "household_key = 'household'"),
        (
            "INSERT INTO response_event (id, response_id, kind, actor, reason, happened_at) "
            f"SELECT 1, min(id), 'corrected', 'resident', '', {TIME} FROM response"
        ),
    ],
    "0012": [
        (
            "INSERT INTO slip_batch (id, round_id, community_id, is_reprint, issued_at) "
            f"SELECT 1, min(round.id), min(community.id), FALSE, {TIME} FROM round, community"
        ),
        _update("code", "building = '3'"),
        _update("code", f"revoked_at = {TIME}, revoked_because = 'lost'"),
        _update("round", "accepts_households = TRUE"),
        _update("round", "accepts_households = TRUE, accepts_posters = FALSE"),
    ],
    "0011": [f"INSERT INTO standing_evidence (evaluation_id, community_id) SELECT {_FIRST_STANDING}"],
    "0010": [
        _update("account", "role = 'administrator', district_id = NULL"),
        _update("account", "role = 'company', district_id = NULL, company_id = (SELECT min(id) FROM property_company)"),
        _update("account", "role = 'clerk', district_id = NULL, community_id = (SELECT min(id) FROM community)"),
        _update("account", "role = 'clerk', district_id = (SELECT min(id) FROM district)"),
    ],
    "0009": [
        (
            "INSERT INTO audit_event (position, happened_at, actor, action, subject, previous_hash, hash) "
            f"VALUES (1, {TIME}, 'site', 'x', 'x', 'x', 'y')"
        )
    ],
    "0008": [
        (
            "INSERT INTO attempt (id, action, subject, attempted_at, expires_at) "
            f"VALUES (1, 'sign_in', 'x', {TIME}, {TIME})"
        )
    ],
    "0006": [
        (
            "INSERT INTO account (id, username, password_hash, role, session_identity, created_at) "
            f"VALUES (1, 'name', '', 'city', 'x', {TIME})"
        ),
        f"INSERT INTO installation (id, is_demo, created_at) VALUES (1, FALSE, {TIME})",
    ],
    "0005": [
        (
            "INSERT INTO evaluation (id, round_id, rule_file_id, provisional, cut_off, inputs, inputs_sha256, "
            "standings_sha256, summary, responses, code_version, evaluated_at) "
            f"SELECT 1, min(id), min(rule_file_id), FALSE, {TIME}, '', '', '', '', 0, '', {TIME} FROM round"
        ),
        (
            "INSERT INTO evaluation (id, round_id, rule_file_id, provisional, cut_off, inputs, inputs_sha256, "
            "standings_sha256, summary, responses, code_version, evaluated_at) "
            f"SELECT 1, min(id), min(rule_file_id), FALSE, {TIME}, '', '', '', '', 0, '', {TIME} FROM round; "
            "INSERT INTO standing (evaluation_id, community_id, satisfaction_status, satisfaction_reason, "
            "complaint_status, complaint_reason, requirement_status) "
            "SELECT 1, min(id), 'met', '', 'met', '', 'met' FROM community"
        ),
    ],
    "0004": [
        (
            "INSERT INTO complaint (id, submission_key, reference, community_id, code_id, category, kind, text, "
            "language, status, submitted_at) SELECT 1, 'key', '1', min(community_id), min(id), 'EQ01', 'complaint', "
            f"'', 'en', 'submitted', {TIME} FROM code"
        )
    ],
    "0003": [
        (
            "INSERT INTO code (id, kind, token, community_id, issued_at) "
            f"SELECT 1, 'poster', 'token', min(id), {TIME} FROM community"
        )
    ],
    "0002": [
        (
            "INSERT INTO questionnaire (id, key, version, text, sha256, published_at) "
            f"VALUES (1, 'key', 1, '', '', {TIME})"
        ),
        f"INSERT INTO rule_file (id, name, content, sha256, added_at) VALUES (1, 'name', '', '', {TIME})",
        (
            f"INSERT INTO rule_file (id, name, content, sha256, added_at) VALUES (1, 'name', '', '', {TIME}); "
            "INSERT INTO questionnaire (id, key, version, text, sha256, published_at) "
            f"VALUES (1, 'key', 1, '', '', {TIME}); "
            "INSERT INTO round (id, name, opens_at, closes_at, questionnaire_id, rule_file_id) "
            f"VALUES (1, 'name', '2026-09-01 00:00:00.000000', {TIME}, 1, 1)"
        ),
    ],
    "0001": [
        "INSERT INTO property_company (id, name, sort_key) VALUES (1, 'name', '')",
        "INSERT INTO district (id, name, sort_key) VALUES (1, 'name', '')",
        (
            "INSERT INTO district (id, name, sort_key) VALUES (1, 'name', ''); "
            "INSERT INTO community (id, number, district_id, name, sort_key) VALUES (1, '1', 1, 'name', '')"
        ),
    ],
}

_OLD_SUBMISSION = "(SELECT submitted_at FROM complaint WHERE complaint.id = complaint_id)"
_OF_COMPLAINT = "SELECT min(id) FROM code WHERE kind = 'poster' AND code.community_id = complaint.community_id"
_HOUSEHOLD = "(SELECT id FROM code WHERE kind = 'household')"

# What takes it away, so that the way goes on with the rest.
CLEARED = {
    "0064": ["DELETE FROM complaint_appeal"],
    "0063": ["DELETE FROM call_back_result", "DELETE FROM call_back", "DELETE FROM call_back_sample"],
    "0062": [
        "DELETE FROM complaint_event WHERE id = 9062",
        *(f"DELETE FROM hotline_{table}" for table in ("match", "change", "case", "import")),
        "DELETE FROM community_alias",
    ],
    "0061": ["DELETE FROM property_contract"],
    "0060": [
        "DELETE FROM casework_file WHERE id = 900",
        "DELETE FROM working_calendar WHERE id = 900",
        "UPDATE complaint_event SET due_at = NULL WHERE number = 1",
    ],
    "0059": [
        "DELETE FROM complaint_event WHERE id = 9059",
        "DELETE FROM complaint_assignment",
        "DELETE FROM complaint_release",
    ],
    "0053": ["DELETE FROM evaluation_number WHERE id NOT IN (SELECT id FROM evaluation)"],
    "0049": ["DELETE FROM community_list", "DELETE FROM account WHERE id = 902"],
    "0050": ["DELETE FROM erasure_count"],
    "0048": [
        "DELETE FROM account_community WHERE account_id = 901",
        "DELETE FROM account WHERE id = 901",
        *_WITHOUT_PARTS,
    ],
    "0047": ["UPDATE community SET subdistrict_id = NULL, neighbourhood_id = NULL", *_WITHOUT_PARTS],
    "0046": ["DELETE FROM column_header"],
    "0045": ["UPDATE evaluation SET evidence_method = 1"],
    "0042": [
        (
            "UPDATE response SET submission_key = 'key', receipt = '1', commitment = 'commitment', language = 'en', "
            f"mode = 'web', started_at = {TIME}, submitted_at = {TIME}, erased_at = NULL WHERE receipt IS NULL"
        ),
        "UPDATE response SET nonce = 'nonce', openings = NULL WHERE answers IS NOT NULL AND nonce IS NULL",
        "UPDATE round SET comments_erased_at = NULL, responses_erased_at = NULL",
        "DELETE FROM response_event WHERE kind = 'erased'",
        (
            "UPDATE complaint SET submission_key = 'key', language = 'en', words_erased_at = NULL "
            "WHERE words_erased_at IS NOT NULL"
        ),
    ],
    "0040": ["DELETE FROM attempt_count", "DELETE FROM failed_sign_in", "DELETE FROM attachment_source"],
    "0039": [
        "DELETE FROM declared_help",
        "DELETE FROM code WHERE token = 'helper'",
        "DELETE FROM account WHERE username = 'helper'",
    ],
    "0036": ["UPDATE account SET failed_sign_ins = 0, last_failed_sign_in_at = NULL", "DELETE FROM reset_request"],
    "0035": ["UPDATE response SET address_digest = NULL, prefix_digest = NULL", "DELETE FROM network_key"],
    "0034": ["UPDATE response SET commitment_algorithm = 1, handle = NULL, handle_nonce = NULL, change_digest = NULL"],
    "0032": ["UPDATE attachment SET kind = 'photo', media_type = 'image/jpeg'"],
    "0031": ["DELETE FROM job WHERE id >= 100"],
    "0030": ["UPDATE complaint SET channel = 'code'", "UPDATE region_profile SET channels = '{}'"],
    "0029": ["DELETE FROM chore_run"],
    "0028": [
        "UPDATE response SET superseded_within = NULL, erased_at = NULL",
        "UPDATE slip_batch SET households_answered = NULL",
    ],
    "0027": ["UPDATE round SET closed_early_because = NULL"],
    "0026": ["UPDATE photo SET question = '', response_id = NULL"],
    "0025": ["UPDATE standing SET region = replace(region, '?', '')"],
    "0024": ["UPDATE response SET terminal_digest = NULL"],
    "0023": ["UPDATE standing_evidence SET satisfaction_needed_responses = NULL, satisfaction_needed_assurance = NULL"],
    "0022": ["DELETE FROM response_review", "DELETE FROM integrity_examination"],
    "0021": [
        f"UPDATE complaint SET code_id = ({_OF_COMPLAINT}) WHERE code_id IS NULL",
        "UPDATE complaint_photo SET community_id = (SELECT min(id) FROM community) WHERE community_id = 999",
    ],
    "0020": ["UPDATE district SET second_language_line = NULL", "UPDATE community SET second_language_line = NULL"],
    "0019": ["DELETE FROM publication"],
    "0018": ["DELETE FROM community_profile", "DELETE FROM region_profile"],
    "0017": [
        "UPDATE account SET totp_secret = NULL, totp_last_step = NULL, disabled_at = NULL",
        "DELETE FROM recovery_code",
    ],
    "0016": ["DELETE FROM account_session"],
    "0015": ["UPDATE district SET boundary = NULL"],
    "0014": [
        *(f"DELETE FROM complaint_{table}" for table in ("note", "photo", "contact", "support")),
        "DELETE FROM complaint_event WHERE number > 1",
        f"UPDATE complaint_event SET actor = 'resident', reason = NULL, action_key = NULL, at = {_OLD_SUBMISSION}",
        (
            "UPDATE complaint SET status = 'submitted', status_since = submitted_at, secret_hash = NULL, place = '', "
            "occurred_on = NULL"
        ),
    ],
    "0013": [
        "DELETE FROM response_event",
        "UPDATE response SET household_key = NULL, corrects_id = NULL",
        "DELETE FROM response WHERE mode <> 'web' OR code_id IS NULL OR answers IS NULL",
    ],
    "0012": [
        f"DELETE FROM response WHERE code_id IN {_HOUSEHOLD}",
        f"DELETE FROM complaint WHERE code_id IN {_HOUSEHOLD}",
        "DELETE FROM code WHERE kind = 'household'",
        "DELETE FROM slip_batch",
        "UPDATE code SET building = NULL, revoked_because = NULL",
        "UPDATE round SET accepts_households = FALSE, accepts_posters = TRUE",
    ],
    "0011": ["DELETE FROM standing_evidence"],
    "0010": [
        (
            "UPDATE account SET role = 'city', district_id = NULL, company_id = NULL, community_id = NULL "
            "WHERE role NOT IN ('city', 'district', 'evaluator')"
        )
    ],
    "0009": ["DELETE FROM audit_event"],
    "0008": ["DELETE FROM attempt"],
    "0006": ["DELETE FROM account", "DELETE FROM installation"],
    "0005": ["DELETE FROM standing", "DELETE FROM evaluation"],
    "0004": ["DELETE FROM complaint"],
    "0003": ["DELETE FROM response", "DELETE FROM code"],
    "0002": ["DELETE FROM round", "DELETE FROM rule_file", "DELETE FROM questionnaire"],
    "0001": ["DELETE FROM community", "DELETE FROM property_company", "DELETE FROM district"],
}


@pytest.fixture(scope="module")
def newest_city(tmp_path_factory):
    """A file with the stored city, brought to the newest revision."""
    path = unpack(tmp_path_factory.mktemp("newest"))
    with Database(f"sqlite:///{path}") as database:
        command.upgrade(database.alembic_config(), "head")
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.long])])
def city(request, tmp_path):
    """The stored city at the newest revision, on each engine."""
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("newest_city"), tmp_path)
        with Database(f"sqlite:///{path}") as database:
            yield database
        return
    path = unpack(tmp_path)
    server = request.getfixturevalue("postgresql_server")
    with Database(server.create_database()) as database:
        command.upgrade(database.alembic_config(), EARLIEST)
        copy_rows(path, database)
        command.upgrade(database.alembic_config(), "head")
        yield database


def tables_of(database, *, known={}):  # noqa: B006 (kept, since a revision has the same tables whenever it is read)
    key = (database.is_postgresql, revision_of(database))
    if key not in known:
        known[key] = MetaData()
        known[key].reflect(database.engine)
    return known[key].tables


def read_rows(database, tables):
    """Return every row of every table as it stands there."""
    with database.engine.connect() as connection:
        return {name: connection.execute(select(table)).all() for name, table in tables.items()}


def by_column(found):
    """Return rows that were read as dictionaries, in an order that does not rest on where the row stands."""
    named = {}
    for table, rows in found.items():
        left_out = {"id"} if table in RENUMBERED else set()
        dictionaries = [{name: value for name, value in row._mapping.items() if name not in left_out} for row in rows]
        named[table] = sorted(dictionaries, key=repr)
    return named


def rows_of(database, tables):
    return by_column(read_rows(database, tables))


def guards_of(database):
    """Return the columns, triggers and indexes, which are part of what must come back."""
    statement = (
        "SELECT type, name, sql FROM sqlite_master WHERE type IN ('trigger', 'index') "
        "UNION SELECT m.name, c.name, c.type FROM sqlite_master AS m, pragma_table_info(m.name) AS c"
        if not database.is_postgresql
        else "SELECT tgname, tgrelid::regclass::text, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal "
        "UNION SELECT indexname, tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' "
        "UNION SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
    )
    with database.engine.connect() as connection:
        return sorted(map(repr, connection.execute(text(statement))))


@contextmanager
def unguarded(database):
    """Open a transaction in which triggers do not refuse: a test takes away what the product keeps for ever."""
    with database.engine.begin() as connection:
        if database.is_postgresql:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            yield connection
            return
        triggers = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
        for name, _sql in triggers:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        yield connection
        for _name, sql in triggers:
            connection.exec_driver_sql(sql)


def run(database, statements):
    with unguarded(database) as connection:
        for several in statements:
            for statement in filter(str.strip, several.split(";")):
                connection.exec_driver_sql(statement)


def revision_of(database):
    with database.engine.connect() as connection:
        return connection.scalar(text("SELECT version_num FROM alembic_version"))


def within(rows, columns):
    """Return what is left of rows in a schema with these tables and columns."""
    return {
        table: sorted(({name: row[name] for name in row if name in columns[table]} for row in found), key=repr)
        for table, found in rows.items()
        if table in columns and table != "alembic_version"
    }


def columns_of(tables):
    return {name: {column.name for column in table.columns} for name, table in tables.items()}


def losses(database, what):
    """Go down by one revision and up again; return what was lost, nothing where it was refused and all is as before."""
    tables, guards, revision = tables_of(database), guards_of(database), revision_of(database)
    found = read_rows(database, tables)
    try:
        command.downgrade(database.alembic_config(), "-1")
    except (RuntimeError, DBAPIError) as refusal:
        assert (revision_of(database), guards_of(database)) == (revision, guards)
        assert read_rows(database, tables_of(database)) == found
        return [] if re.search(REFUSAL, str(refusal)) else [f"{what}: no plain sentence, but {str(refusal)[:80]}"]
    before, below = by_column(found), tables_of(database)
    common = {name: columns & columns_of(below)[name] for name, columns in columns_of(tables).items() if name in below}
    kept = within(before, common) == within(rows_of(database, below), common)
    command.upgrade(database.alembic_config(), "+1")
    came_back = within(rows_of(database, tables), columns_of(tables)) == within(before, columns_of(tables))
    assert guards_of(database) == guards
    return [] if kept and came_back else [f"{what} was lost"]


def columns_with_values(database):
    with database.engine.connect() as connection:
        counts = {
            table.name: connection.execute(select(*(func.count(column).label(column.name) for column in table.columns)))
            for table in tables_of(database).values()
        }
        return {
            (table, name) for table, found in counts.items() for name, count in found.one()._mapping.items() if count
        }


def gone(above, below):
    """Return the tables, with None, and columns that the lower schema does not have."""
    tables = {(table, None) for table in above.keys() - below.keys()}
    return tables | {(table, name) for table in above.keys() & below.keys() for name in above[table] - below[table]}


def test_each_revision_refuses_or_gives_every_value_back(city):
    config, lost, never_filled = city.alembic_config(), [], set()
    while revision := revision_of(city):
        filled = columns_with_values(city)
        lost += losses(city, f"{revision}: something of a city")
        run(city, CLEARED.get(revision, ()))
        for number, statements in enumerate(ALONE.get(revision, ())):
            run(city, [statements])
            filled |= columns_with_values(city)
            lost += losses(city, f"{revision}: {number}, {statements[:90]}")
            run(city, CLEARED.get(revision, ()))
        above = columns_of(tables_of(city))
        command.downgrade(config, "-1")  # with what is its own gone, nothing is refused
        filled |= {(table, None) for table, _column in filled}
        never_filled |= gone(above, columns_of(tables_of(city))) - filled - DERIVED

    assert lost == []
    assert never_filled == set(), "a later revision needs its lines in ALONE and CLEARED"
    assert set(tables_of(city)) == {"alembic_version"}


@pytest.mark.parametrize("target", ["base", "0001", "0013", "0029", "-37"])
def test_a_long_way_down_is_refused_as_a_whole(city, target):
    before, guards, revision = rows_of(city, tables_of(city)), guards_of(city), revision_of(city)

    with pytest.raises(RuntimeError, match=REFUSAL):
        command.downgrade(city.alembic_config(), target)

    assert (revision_of(city), guards_of(city)) == (revision, guards)
    assert rows_of(city, tables_of(city)) == before


@pytest.mark.postgresql
def test_what_another_process_commits_meanwhile_is_not_lost(postgresql_database):
    command.downgrade(postgresql_database.alembic_config(), "0029")
    refusals = []

    def go_down():
        try:
            command.downgrade(postgresql_database.alembic_config(), "0028")
        except RuntimeError as refusal:
            refusals.append(str(refusal))

    with postgresql_database.engine.begin() as connection:
        connection.exec_driver_sql(ALONE["0029"][0])
        way_down = Thread(target=go_down)
        way_down.start()
        way_down.join(timeout=3)  # it waits for this transaction
    way_down.join(timeout=60)

    assert [re.search(REFUSAL, refusal) is not None for refusal in refusals] == [True]
    with postgresql_database.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM chore_run")) == 1
