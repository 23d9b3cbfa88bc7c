"""Mutation testing of the modules on which every delivery rests: `make mutants`.

Each mutant is one module with one small change: a comparison, an operator, a constant, an entry of a table, a
statement. A mutant is killed when a test of its target fails; where all of them pass, it survives, and
`survivors.toml` says why that is accepted. `mutation` makes the mutants, `run` runs the tests that reach one,
`explanations` reads survivors.toml, and `targets.toml` names the modules and their tests.
docs/decisions/019-mutation-testing.md tells why this is no library.
"""
