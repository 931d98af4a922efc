"""Moving an installation's data from one engine to another: every row, as it is, with counts and checksums compared.

sides              what a move needs of an engine
sqlite, postgres   the two engines
mover              the move itself: look, copy in batches that can be resumed, compare

Serving never imports this package.
"""
