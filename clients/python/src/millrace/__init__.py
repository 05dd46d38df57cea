"""A thin, typed client of Millrace. `Millrace` is where to begin."""

from .client import Millrace
from .errors import MillraceError, Problem, RunFailed, Unreachable
from .models import Blob, Event, Fault, Image, Progress, Run, RunError, Workflow

__all__ = [
    "Blob",
    "Event",
    "Fault",
    "Image",
    "Millrace",
    "MillraceError",
    "Problem",
    "Progress",
    "Run",
    "RunError",
    "RunFailed",
    "Unreachable",
    "Workflow",
]
