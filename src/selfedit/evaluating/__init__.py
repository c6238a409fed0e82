"""The table: how well a model does after each way of teaching it, on passages or tasks of demonstrations.

    measuring     a recipe's table in a store: read this first

Passages that it cannot see:

    tabulating    their table; what was computed before is read from the store
    study         the nouns
    passages      which passages are measured
    rows          the rows that a recipe can ask for
    notes         what adapters are trained on: by rule, by a policy, by another model, by choice
    answering     a method on some passages: written, trained, asked, kept
    verdicts      the grader's word on each answer, kept apart from the answers
    figures       means, intervals, and each row beside the base and the row before

Tasks of demonstrations:

    competing     their table, with the best fixed settings beside the policies
    contest       the nouns
    attempting    a way on some tasks: picked, trained, asked, kept
    standings     means, intervals, and each row beside the first and the row before

Both:

    pairs         every row beside one of them

Knows nothing of argv or screens.
"""

from selfedit.evaluating.competing import SolvedTable
from selfedit.evaluating.figures import TableRow
from selfedit.evaluating.measuring import Wanted, evaluate
from selfedit.evaluating.pairs import Difference
from selfedit.evaluating.raw import write_csv
from selfedit.evaluating.standings import SolvedRow
from selfedit.evaluating.tabulating import Table

__all__ = [
    "Difference",
    "SolvedRow",
    "SolvedTable",
    "Table",
    "TableRow",
    "Wanted",
    "evaluate",
    "write_csv",
]
