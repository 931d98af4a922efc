"""The mark of a move that has not come to its end, in a module so small that opening a store loads nothing for it."""

from __future__ import annotations

from sekisho.storage.errors import StoreCannotOpen

# A fact in the table `meta`, and the beginning of the names of the move's other notes.
MOVE_NOTE = "move"


class UnfinishedMove(StoreCannotOpen):
    """A move into this database was cut off: it holds a part of the data. Not to be served."""

    def __init__(self) -> None:
        super().__init__(
            "A move into this database was cut off before its end. Run the same `sekisho move` again: it goes on where "
            "it stopped."
        )
