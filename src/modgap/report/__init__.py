"""Run folder → one HTML file that opens from disk with no network; and several runs side by side."""

from ._compare import difference_rows as difference_rows
from ._compare import gap_rows as gap_rows
from ._compare import write_comparison as write_comparison
from ._index import report_of as report_of
from ._write import write_report as write_report
