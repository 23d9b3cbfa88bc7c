"""Shows campaigns to an operator, and carries out decisions about them: pause, cancel, resume, retry,
resolve."""
