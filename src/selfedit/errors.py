"""The error tree. Every message says what, where and the remedy, in one line.

SelfEditError
├── UsageError            a bad argument, option or setting
├── DocumentError         a document that cannot be read
├── EditError             a self-edit, template or format that cannot be used
├── ModelError            a base model that cannot be found, fetched or loaded
├── AdapterError          an adapter folder that cannot be read or does not fit its base
├── EngineError           work that the engine cannot do (memory, unsupported layers)
├── RoundError            a round in which nothing could be judged or learned
├── ExportError           a folder that cannot be exported to
├── RecordError           an official result file that cannot be read
└── StoreError            a store that cannot be opened, read or written
    ├── StoreBusyError    another process holds it
    └── StoreVersionError a newer version made it

SlowWarning is no error: what was asked for is done, slowly.
"""


class SlowWarning(UserWarning):
    """What was asked for is done, but takes many times as long as it need."""


class SelfEditError(Exception):
    """What a door turns into one line and exit code 2."""


class UsageError(SelfEditError):
    """A bad argument, option or setting."""


class DocumentError(SelfEditError):
    """A document that cannot be read."""


class EditError(SelfEditError):
    """A self-edit, template or format that cannot be used."""


class ModelError(SelfEditError):
    """A base model that cannot be found, fetched or loaded."""


class AdapterError(SelfEditError):
    """An adapter folder that cannot be read or does not fit its base."""


class EngineError(SelfEditError):
    """Work that the engine cannot do."""


class RoundError(SelfEditError):
    """A round in which nothing could be judged or learned: it was done, and found a problem."""


class ExportError(SelfEditError):
    """A folder that cannot be exported to."""


class RecordError(SelfEditError):
    """An official result file that cannot be read."""


class StoreError(SelfEditError):
    """A store that cannot be opened, read or written."""


class StoreBusyError(StoreError):
    """Another process holds the store."""


class StoreVersionError(StoreError):
    """A newer version of selfedit made the store."""
