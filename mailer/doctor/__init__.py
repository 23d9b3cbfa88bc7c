"""Checks whether a workspace is ready to send real mail, and says what to change. The checks send no mail and
change nothing.

`examine.applicable_checks` chooses the checks that apply to the workspace, and `examine.run_checks` runs them
in parallel. Each check is a small function that yields `Finding`s and queries the DNS through a `Resolver`.
If the DNS does not answer, the finding is `unknown`, never an error.
"""
