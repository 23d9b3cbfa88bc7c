"""Implements the command line. Commands parse arguments, call mailer.services and print results."""
