"""Streams: documents learned one after another by several methods side by side, and what is kept of them.

    measuring     a recipe's table in a store: read this first

    study         the nouns
    drawing       which passages are learned in which order, and which canaries are asked
    documents     self-edits, written once for all methods
    life          a method on a sequence: its keys, what it is asked, what is kept
    merged        methods whose adapters are merged, step by step
    routed        methods with an adapter for each document, of which one answers
    superposed    the same, of which all answer in one sum that is read for the one found
    routing       rules that find the document of a question
    alone         the base as it is, and one adapter of all documents
    asking        what a model knows at some point
    shelf         adapters that later steps need
    figures       matrices, means, intervals and pairs
    tabulating    the rows of the table

Knows nothing of argv or screens.
"""

from selfedit.streaming.figures import Figure
from selfedit.streaming.measuring import StreamTable, Wanted, stream
from selfedit.streaming.tabulating import StreamRow

__all__ = ["Figure", "StreamRow", "StreamTable", "Wanted", "stream"]
