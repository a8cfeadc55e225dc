"""Validates and redacts one document, before anything of it is stored.

Belongs here: whether values fit the contract, and what becomes of secrets and personal data, in fields and in text.
Not here: where documents come from (`omnitron`) and how they are stored and counted (`landing`).
"""

from order_assets.redaction.detectors import looks_personal
from order_assets.redaction.privacy import Privacy, PrivacyError, PrivacyMode, own_key
from order_assets.redaction.validator import Refused, Validator

__all__ = ["Privacy", "PrivacyError", "PrivacyMode", "Refused", "Validator", "looks_personal", "own_key"]
