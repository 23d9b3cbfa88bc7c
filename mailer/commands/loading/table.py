"""The table of all commands: where each is, and what `--help` says of it.

`--help` lists commands without importing their modules, so their first sentences stand here once more; a test
holds each against the docstring of its function.
"""

from __future__ import annotations

from typing import Any

from mailer.commands.loading.lazy import Entry, LazyCommand, group_of

__all__ = ["all_commands"]


#: The commands of `mailer` itself.
_COMMANDS = {
    "init": Entry(
        "mailer.commands.workspace.init",
        "init",
        "Makes a new workspace: settings, a secret key, and a first issue that renders.",
    ),
    "new": Entry(
        "mailer.commands.issues.issues",
        "new",
        "Makes a draft of an issue in issues/.",
    ),
    "check": Entry(
        "mailer.commands.issues.issues",
        "check",
        "Tells all that is wrong with an issue, each as file:line:column: message.",
    ),
    "schema": Entry(
        "mailer.commands.issues.issues",
        "schema",
        "Prints the JSON Schema of an issue, for editors that check while one types.",
    ),
    "render": Entry(
        "mailer.commands.issues.render",
        "render",
        "Writes email.html, email.txt, web.html, message.eml and images/ into DIR.",
    ),
    "plan": Entry(
        "mailer.commands.sending.send",
        "plan",
        "Shows who will get an issue, who will not and why, and what it weighs.",
    ),
    "send": Entry(
        "mailer.commands.sending.send",
        "send",
        "Sends an issue to its readers, or finishes what an earlier send left.",
    ),
    "run-due": Entry(
        "mailer.commands.sending.schedule",
        "run_due",
        "Sends the campaigns whose time has come.",
    ),
    "explain": Entry(
        "mailer.commands.sending.explain",
        "explain",
        "Why this person does, or does not, get an issue, and what was done already.",
    ),
    "doctor": Entry(
        "mailer.commands.workspace.doctor",
        "doctor",
        "Looks whether this workspace is fit to write to the world.",
    ),
    "serve": Entry(
        "mailer.commands.workspace.serve",
        "serve",
        "Serves the unsubscribe and preferences pages and the archive, and sends what is due, until Ctrl-C.",
    ),
}

#: The commands of `mailer campaigns`.
_CAMPAIGNS = {
    "deliveries": Entry(
        "mailer.commands.campaigns.deliveries",
        "deliveries",
        "Lists people with the state of their delivery, the words of the other side, and the time.",
    ),
    "list": Entry(
        "mailer.commands.campaigns.campaigns",
        "list_campaigns",
        "All campaigns, newest first.",
    ),
    "show": Entry(
        "mailer.commands.campaigns.campaigns",
        "show",
        "One campaign: its plan, its counts, and why anything did not arrive.",
    ),
    "pause": Entry(
        "mailer.commands.campaigns.campaigns",
        "pause",
        "Stops a running campaign within a second; `resume` goes on with it.",
    ),
    "cancel": Entry(
        "mailer.commands.campaigns.campaigns",
        "cancel",
        "Ends a campaign for good; what it has not sent stays unsent.",
    ),
    "resume": Entry(
        "mailer.commands.campaigns.going_on",
        "resume",
        "Goes on with what was paused, held or stopped; sends what waits for its time, or missed it.",
    ),
    "retry": Entry(
        "mailer.commands.campaigns.going_on",
        "retry",
        "Tries again what was rejected or deferred; never what may have arrived, nor who cannot be reached.",
    ),
    "resolve": Entry(
        "mailer.commands.campaigns.going_on",
        "resolve",
        "Settles what was on the wire when a run died: it may or may not have arrived.",
    ),
    "verify": Entry(
        "mailer.commands.campaigns.campaigns",
        "verify",
        "Checks that the campaign's folder still holds what was sent, and renders it again to compare.",
    ),
}

#: The commands of `mailer subscribers`.
_SUBSCRIBERS = {
    "import": Entry(
        "mailer.commands.subscribers.lists",
        "import_list",
        "Adds and updates people from a CSV file.",
    ),
    "export": Entry(
        "mailer.commands.subscribers.lists",
        "export_list",
        "Writes people as a CSV file that an import reads back.",
    ),
    "add": Entry(
        "mailer.commands.subscribers.add",
        "add",
        "Adds one person, or changes what is known of them.",
    ),
    "show": Entry(
        "mailer.commands.subscribers.history",
        "show",
        "Everything that is known of one person, and what happened to them.",
    ),
    "unsubscribe": Entry(
        "mailer.commands.subscribers.unsubscribe",
        "unsubscribe",
        "Takes somebody off, as they asked, or everybody in a file.",
    ),
    "suppress": Entry(
        "mailer.commands.subscribers.unsubscribe",
        "suppress",
        "Never writes to this address again, whoever asks, also if it is nobody's here; or to all in a file.",
    ),
    "list": Entry(
        "mailer.commands.subscribers.subscribers",
        "list_people",
        "Everybody who fits, one a line.",
    ),
    "restore": Entry(
        "mailer.commands.subscribers.subscribers",
        "restore",
        "Writes again to somebody who bounced; what they agreed to still holds.",
    ),
    "erase": Entry(
        "mailer.commands.subscribers.erase",
        "erase",
        "Forgets somebody for good, and names your files that hold the address.",
    ),
    "change-address": Entry(
        "mailer.commands.subscribers.subscribers",
        "change_address",
        "Gives somebody another address.",
    ),
}


def all_commands() -> dict[str, Any]:
    """Returns every command and every group of `mailer` by name, in the order of its help."""
    return {
        **{name: LazyCommand(name, entry) for name, entry in _COMMANDS.items()},
        "campaigns": group_of("campaigns", "What was sent, and what to do about the rest.", _CAMPAIGNS),
        "subscribers": group_of("subscribers", "Who is written to, and what they asked for.", _SUBSCRIBERS),
    }
