"""Settings: everything an operator can choose, read once, checked as a whole.

The only reader of the process environment. An option beats the environment, the environment beats
`.env` (in dev), and all mistakes are reported together.
"""

from sekisho.settings.dev import STATE_FOLDER
from sekisho.settings.loading import load
from sekisho.settings.mistakes import Mistake, SettingsError, StateError, language_of
from sekisho.settings.model import Mode, Settings
from sekisho.settings.report import Row, describe, reference
from sekisho.settings.surroundings import language_here, mode_here
from sekisho.settings.variables import Variable

__all__ = [
    "STATE_FOLDER",
    "Mistake",
    "Mode",
    "Row",
    "Settings",
    "SettingsError",
    "StateError",
    "Variable",
    "describe",
    "language_here",
    "language_of",
    "load",
    "mode_here",
    "reference",
]
