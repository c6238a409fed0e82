"""What a new document says otherwise than what was learned. Knows no store; a model only where one reads."""

from selfedit.contradictions.conflicts import Conflict, conflicts
from selfedit.contradictions.facts import Fact, concerned, facts_of
from selfedit.contradictions.reading import Reader

__all__ = ["Conflict", "Fact", "Reader", "concerned", "conflicts", "facts_of"]
