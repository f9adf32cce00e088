"""Blueprint that all views of complaints share."""

from flask import Blueprint

from survey_app.accounts.policies import RESIDENT, declare_policy

blueprint = Blueprint("complaints", __name__)
declare_policy(blueprint, RESIDENT)
