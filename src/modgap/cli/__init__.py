"""The command line: ``modgap VERB ...``, one file of this folder per verb.

A verb is a file ``<verb>.py`` with a function of the same name that typer turns into a command, or, for a
verb that has verbs of its own, with a ``typer.Typer`` called ``app``; its file name is its registration. At
module level it imports typer and nothing heavy, because ``modgap --help`` imports all verbs; what it needs
it imports when it is called.

What a user can cause is one line on the standard error stream that begins with ``modgap:``, and status 2;
anything else is a bug and shows its traceback. Stopping with Ctrl-C is status 130.
"""

from ._group import main as main
