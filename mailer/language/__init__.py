"""Catalogues of translations, for mails and pages."""
