"""Checks whether a workspace is fit to write to the world, and says what to change; sends and changes
nothing.

`examine.checks` chooses the checks that apply, `examine.examine` runs them in parallel. Each is a small
function that yields `Finding`s and queries the DNS through a `Resolver`. A check that got no answer is
`unknown`, never an error.
"""
