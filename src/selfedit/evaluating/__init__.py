"""The table: how well a model knows passages that it cannot see, after each way of teaching them.

    tabulating    a recipe's table; what was computed before is read from the store: read this first
    study         the nouns
    passages      which passages are measured
    rows          the rows that a recipe can ask for
    notes         what adapters are trained on: by rule, by a policy, by another model, by choice
    answering     a method on some passages: written, trained, asked, kept
    verdicts      the grader's word on each answer, kept apart from the answers
    figures       means, intervals and pairs

Knows nothing of argv or screens.
"""

from selfedit.evaluating.figures import TableRow
from selfedit.evaluating.raw import write_csv
from selfedit.evaluating.tabulating import Table, Wanted, evaluate

__all__ = ["Table", "TableRow", "Wanted", "evaluate", "write_csv"]
