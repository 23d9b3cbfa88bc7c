"""Lists the migrations of subscribers.db in order. A released migration is never changed.

To change a table, add a migration at the end. Times are UTC, ISO 8601 to the microsecond, with a `Z`.
"""

from __future__ import annotations

from sqlite_utils import Migrations

from mailer.store.steps import first_tables, up_to_0_3, up_to_0_5, up_to_0_6

__all__ = ["migrations"]

migrations = Migrations("mailer")

for step in (
    first_tables.m001_audience,
    first_tables.m002_delivery,
    up_to_0_3.m003_schedule,
    up_to_0_3.m004_causes,
    up_to_0_3.m005_paces,
    up_to_0_3.m006_deferrals,
    up_to_0_3.m007_plans,
    up_to_0_3.m008_runs,
    up_to_0_3.m009_accepted_by,
    up_to_0_5.m010_former_addresses,
    up_to_0_5.m011_stable_ids,
    up_to_0_5.m012_words_about_the_erased,
    up_to_0_6.m013_held,
):
    migrations()(step)
