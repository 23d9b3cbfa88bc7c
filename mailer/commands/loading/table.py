"""Lists all commands, each with the function that implements it and its line in `--help`.

`--help` lists commands without importing their modules, so the first sentence of each command's docstring
is repeated here. A test compares both.
"""

from __future__ import annotations

from typing import Any

from mailer.commands.loading.lazy import CommandEntry, LazyCommand, lazy_group

__all__ = ["all_commands"]


#: The commands of `mailer` itself.
_COMMANDS = {
    "init": CommandEntry(
        "mailer.commands.workspace.init",
        "init",
        "Creates a workspace with settings, a key and a first issue.",
    ),
    "new": CommandEntry(
        "mailer.commands.issues.issues",
        "new",
        "Creates a draft issue in issues/.",
    ),
    "check": CommandEntry(
        "mailer.commands.issues.issues",
        "check",
        "Reports all problems of an issue, as file:line:column: message.",
    ),
    "schema": CommandEntry(
        "mailer.commands.issues.issues",
        "schema",
        "Prints the JSON Schema of issue files, for text editors.",
    ),
    "render": CommandEntry(
        "mailer.commands.issues.render",
        "render",
        "Writes email.html, email.txt, web.html, message.eml and images/ into DIR.",
    ),
    "plan": CommandEntry(
        "mailer.commands.sending.send",
        "plan",
        "Shows who gets an issue, who does not and why, and its size.",
    ),
    "send": CommandEntry(
        "mailer.commands.sending.send",
        "send",
        "Sends an issue to its readers, or continues its campaign.",
    ),
    "run-due": CommandEntry(
        "mailer.commands.sending.schedule",
        "run_due",
        "Sends the campaigns that are due, and retries deferred mail.",
    ),
    "explain": CommandEntry(
        "mailer.commands.sending.explain",
        "explain",
        "Explains why a person gets an issue or does not.",
    ),
    "doctor": CommandEntry(
        "mailer.commands.workspace.doctor",
        "doctor",
        "Checks settings, database, DNS records and servers.",
    ),
    "serve": CommandEntry(
        "mailer.commands.workspace.serve",
        "serve",
        "Serves the public pages, and sends due campaigns, until Ctrl-C.",
    ),
}

#: The commands of `mailer campaigns`.
_CAMPAIGNS = {
    "deliveries": CommandEntry(
        "mailer.commands.campaigns.deliveries",
        "deliveries",
        "Lists a campaign's recipients with delivery state, time and the server's answer.",
    ),
    "list": CommandEntry(
        "mailer.commands.campaigns.campaigns",
        "list_campaigns",
        "Lists all campaigns, newest first.",
    ),
    "show": CommandEntry(
        "mailer.commands.campaigns.campaigns",
        "show",
        "Shows a campaign's plan, counts and reasons for failed deliveries.",
    ),
    "pause": CommandEntry(
        "mailer.commands.campaigns.campaigns",
        "pause",
        "Pauses a running campaign; `resume` continues it.",
    ),
    "cancel": CommandEntry(
        "mailer.commands.campaigns.campaigns",
        "cancel",
        "Cancels a campaign for good.",
    ),
    "resume": CommandEntry(
        "mailer.commands.campaigns.continuing",
        "resume",
        "Continues a campaign, or sends a scheduled or missed one now.",
    ),
    "retry": CommandEntry(
        "mailer.commands.campaigns.continuing",
        "retry",
        "Retries rejected and deferred deliveries, except to people who bounced.",
    ),
    "resolve": CommandEntry(
        "mailer.commands.campaigns.continuing",
        "resolve",
        "Settles uncertain deliveries, which were in flight when a run died.",
    ),
    "verify": CommandEntry(
        "mailer.commands.campaigns.campaigns",
        "verify",
        "Compares a campaign's folder with what was sent.",
    ),
}

#: The commands of `mailer subscribers`.
_SUBSCRIBERS = {
    "import": CommandEntry(
        "mailer.commands.subscribers.lists",
        "import_list",
        "Adds and updates people from a CSV file.",
    ),
    "export": CommandEntry(
        "mailer.commands.subscribers.lists",
        "export_list",
        "Exports people as a CSV file that `import` can read.",
    ),
    "add": CommandEntry(
        "mailer.commands.subscribers.add",
        "add",
        "Adds one person, or updates their data.",
    ),
    "show": CommandEntry(
        "mailer.commands.subscribers.history",
        "show",
        "Shows all data and the history of one person.",
    ),
    "unsubscribe": CommandEntry(
        "mailer.commands.subscribers.unsubscribe",
        "unsubscribe",
        "Unsubscribes one person, or every address in a file.",
    ),
    "suppress": CommandEntry(
        "mailer.commands.subscribers.unsubscribe",
        "suppress",
        "Puts an address, or all addresses in a file, on the suppression list.",
    ),
    "list": CommandEntry(
        "mailer.commands.subscribers.subscribers",
        "list_people",
        "Lists subscribers, one a line.",
    ),
    "restore": CommandEntry(
        "mailer.commands.subscribers.subscribers",
        "restore",
        "Makes bounced people active again; their consent still holds.",
    ),
    "erase": CommandEntry(
        "mailer.commands.subscribers.erase",
        "erase",
        "Erases a person for good, and lists files that contain the address.",
    ),
    "change-address": CommandEntry(
        "mailer.commands.subscribers.subscribers",
        "change_address",
        "Changes a person's address.",
    ),
}

#: The commands of `mailer theme`.
_THEME = {
    "list": CommandEntry(
        "mailer.commands.workspace.theme",
        "list_theme_files",
        "Lists the files of the theme, and tells which are your own.",
    ),
    "export": CommandEntry(
        "mailer.commands.workspace.theme",
        "export_theme_files",
        "Copies built-in files into templates/, where you can change them.",
    ),
    "new": CommandEntry(
        "mailer.commands.workspace.theme",
        "new_theme",
        "Copies the whole built-in theme into a folder, to be changed.",
    ),
}


def all_commands() -> dict[str, Any]:
    """Returns every command and every group of `mailer` by name, in the order of `mailer --help`."""
    return {
        **{name: LazyCommand(name, entry) for name, entry in _COMMANDS.items()},
        "campaigns": lazy_group(
            "campaigns", "Shows, pauses, resumes, retries and cancels campaigns.", _CAMPAIGNS
        ),
        "subscribers": lazy_group("subscribers", "Lists, imports and changes subscribers.", _SUBSCRIBERS),
        "theme": lazy_group("theme", "Lists and copies the files of the theme.", _THEME),
    }
