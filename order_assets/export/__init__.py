"""The contract and the marts in the words of other tools: each export is a pure function of both that gives text.

`dictionary` is for people, `erd` a diagram, `odcs` a data contract for catalogues, `dbt` sources for a dbt project.
What a table, mart or column is stands in the declarations; here are only layout and words.
"""

from order_assets.export.dbt import render_dbt
from order_assets.export.dictionary import render_dictionary
from order_assets.export.erd import render_erd
from order_assets.export.odcs import render_odcs

EXPORTS = {"dictionary": render_dictionary, "erd": render_erd, "odcs": render_odcs, "dbt": render_dbt}
