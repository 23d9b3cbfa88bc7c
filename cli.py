"""The composition root: assembles the `mailer` program from mailer/commands, nothing else."""

from mailer.commands.program import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
