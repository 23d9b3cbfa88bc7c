"""Shows campaigns to an operator, and carries out the operator's decisions: pause, cancel, resume, retry,
resolve."""
