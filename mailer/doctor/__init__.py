"""Is this workspace fit to write to the world? Looks, and says what to change; sends and changes nothing.

`examine.checks` says which checks apply, `examine.examine` runs them side by side. Each is a small function
that yields `Finding`s and asks the DNS through a `Resolver`. What nobody could answer is `unknown`, never
an error.
"""
