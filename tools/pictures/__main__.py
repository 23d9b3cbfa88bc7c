"""`python -m tools.pictures` writes issues/pictures."""

from __future__ import annotations

from tools.pictures.charts import freight, power
from tools.pictures.logo import logo
from tools.pictures.port import harbour, warehouse
from tools.pictures.sheet import FOLDER
from tools.pictures.town import coldstore, market

FOLDER.mkdir(parents=True, exist_ok=True)
for draw in (harbour, warehouse, market, coldstore, freight, power, logo):
    draw()
