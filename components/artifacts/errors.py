"""The one exception that speaks to the person at the terminal."""


class UserError(Exception):
    """Something that the person who runs a step can mend.

    The message says what was wrong, where, and what to do. The step prints it as one line, without a
    traceback, and ends with exit code 1 (`components.artifacts.command`). Anything else that is raised is
    a defect of ours and keeps its traceback.
    """
