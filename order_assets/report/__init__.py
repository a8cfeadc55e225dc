"""The report: one page about sales, payments, deliveries, refunds and the pipeline, and its key plots as pictures.

Reads the warehouse, the index and the ledgers; writes `report.html`. No Dagster here, and nothing that marts should
say: what is computed here is only added up for a plot.
"""

from order_assets.report.numbers import Headline
from order_assets.report.write import Report, ReportError, report_file, write_report

__all__ = ["Headline", "Report", "ReportError", "report_file", "write_report"]
