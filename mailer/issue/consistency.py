"""Finds problems that concern several values of an issue together, such as an issue without content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mailer.config import Settings
from mailer.errors import Problem, Severity
from mailer.issue.model import MAX_ONLY, Issue, reader_conditions
from mailer.issue.yaml.tree import Key, Node

__all__ = ["problems_of_whole_issue"]

#: A problem without its position: the key it is about, the message, and how severe it is.
_Finding = tuple[Key, str, Severity]

#: The values of which an issue, or a section, needs at least one.
_CONTENT = ("items", "sections", "body", "column")
_SECTION_CONTENT = ("items", "intro", "body", "image")


def problems_of_whole_issue(
    tree: Node, issue: Issue | None, settings: Settings, *, is_incomplete: bool
) -> list[Problem]:
    """Returns the problems of values that do not fit together, or that are missing.

    `issue` is None if the tree could not be repaired into an issue. If something could not be read, or
    `is_incomplete` is True because an include failed, nothing is reported as missing.
    """
    findings: list[_Finding] = []
    if not is_incomplete and _is_readable(tree):
        findings += _missing_content(tree)
    if _is_filled(tree, "items") and _is_filled(tree, "sections"):
        message = "an issue must not have both items and sections; move the items into a section"
        findings.append((("sections",), message, "error"))
    if issue is not None:
        if len(reader_conditions(issue)) > MAX_ONLY:
            message = f'an issue may have at most {MAX_ONLY} different "only" expressions; remove some'
            findings.append(((), message, "error"))
        if _misses_number(issue, settings):
            message = "the title of this edition has {number}, and the issue has none; add number:"
            findings.append(((), message, "error"))
        findings += _conflicts_of_items(tree, issue, settings)
        findings += _conflicts_of_call_to_action(tree, issue)
        findings += _conflicts_of_groups(issue)
    return [_problem_at(tree, *finding) for finding in findings]


def _misses_number(issue: Issue, settings: Settings) -> bool:
    """Returns whether the title comes from a pattern with a number, and the issue has no number."""
    if issue.title or issue.number:
        return False
    local = settings.in_language(issue.language or settings.edition_language(issue.edition))
    return "{number}" in local.editions[issue.edition].title


def _is_readable(tree: Node) -> bool:
    """Returns whether `tree` is a mapping in which every value could be read."""
    return isinstance(tree.value, Mapping) and all(node.is_readable for node in tree.value.values())


def _is_filled(node: Node, *keys: str) -> bool:
    """Returns whether at least one of the keys has a value that is not empty."""
    found = [node.child(key) for key in keys]
    return any(child is not None and child.value for child in found)


def _problem_at(tree: Node, key: Key, message: str, severity: Severity) -> Problem:
    node, used = tree.find_deepest_node(key)
    mark = (node.key_position if used == len(key) else None) or node.position
    return Problem(message, mark.path, mark.line, mark.column, severity)


def _missing_content(tree: Node) -> Iterator[_Finding]:
    if not _is_filled(tree, *_CONTENT):
        yield (), "the issue has no content; write items, sections or a body", "error"
    sections = tree.child("sections")
    for number, section in enumerate(
        sections.value if sections and isinstance(sections.value, tuple) else ()
    ):
        if _is_readable(section) and not _is_filled(section, *_SECTION_CONTENT):
            message = "this section is empty; write items or a body, or delete it"
            yield ("sections", number), message, "error"


def _has_url(tree: Node, key: Key) -> bool:
    """Returns whether the part at `key`, its event or its job has a URL, be it a wrong one."""
    found = [tree.find_deepest_node(each) for each in (key, (*key, "event"), (*key, "job"))]
    return any(_is_filled(node, "url") for node, _ in found)


def _conflicts_of_items(tree: Node, issue: Issue, settings: Settings) -> Iterator[_Finding]:
    """Yields the problems of `lead` and `label` in the items of the issue."""
    leads = 0
    layout = settings.editions[issue.edition].layout
    groups = [((), issue.items), *((("sections", i), each.items) for i, each in enumerate(issue.sections))]
    for prefix, items in groups:
        for number, item in enumerate(items):
            key: Key = (*prefix, "items", number)
            if item.lead:
                leads += 1
                if leads > 1:
                    yield (*key, "lead"), "an issue has one lead at most; remove this one", "error"
                elif layout == "brief":
                    message = "the layout brief has no lead, because its items all look alike; remove lead:"
                    yield (*key, "lead"), message, "warning"
            if item.sponsored is None and item.is_advertisement:
                message = (
                    "this item is set as an advertisement, because its title says so; write "
                    "sponsored: true, or sponsored: false if it is a story"
                )
                yield (*key, "title"), message, "warning"
            if item.label and not _has_url(tree, key):
                message = (
                    "label is the text of the item's link, and there is none; add url:, or remove label:"
                )
                yield (*key, "label"), message, "error"


def _conflicts_of_call_to_action(tree: Node, issue: Issue) -> Iterator[_Finding]:
    call = issue.call_to_action
    if call is None:
        return
    key: Key = ("call_to_action",)
    if call.url and not call.label:
        yield key, "this call_to_action has no label, the text of its button; add label:", "error"
    elif call.label and not _has_url(tree, key):
        message = "this call_to_action has no url, so there is no button and its label is text; add url:"
        yield (*key, "label"), message, "warning"
    elif not (call.text or call.label or call.condition or call.links):
        yield key, "this call_to_action is empty; write a text and a button, or delete it", "error"


def _conflicts_of_groups(issue: Issue) -> Iterator[_Finding]:
    """Yields the keys of groups of `related` that only their entries may have."""
    for number, group in enumerate(issue.related):
        for key in ("kind", "date"):
            if group.items and getattr(group, key):
                message = f"an entry with items is the heading of a group, without {key}:; remove {key}:"
                yield ("related", number, key), message, "error"
