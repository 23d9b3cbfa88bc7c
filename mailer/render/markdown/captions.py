"""Finds the captions of a text's pictures: the title of a picture that stands alone in its paragraph.

The template prints the caption of a picture at the top level of a text (see `Block.image`). In a list or a
quotation, the caption is written below the picture in small print. The title of a picture within a sentence
is not a caption.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markdown_it.token import Token

__all__ = ["caption_of_image", "lone_image_and_link", "set_captions", "top_level_blocks"]


def top_level_blocks(tokens: Sequence[Token]) -> list[Sequence[Token]]:
    """Returns the top-level blocks of a text, each as the list of its tokens."""
    groups: list[Sequence[Token]] = []
    start = depth = 0
    for index, token in enumerate(tokens):
        depth += token.nesting
        if depth == 0:
            groups.append(tokens[start : index + 1])
            start = index + 1
    return groups


def lone_image_and_link(tokens: Sequence[Token]) -> tuple[Token | None, Token | None]:
    """Returns the picture of a paragraph that holds nothing else, and the link around the picture if any.

    `tokens` are the tokens of one block. Returns (None, None) if the block is not such a paragraph.
    """
    if len(tokens) != 3 or tokens[0].type != "paragraph_open":
        return None, None
    children = [child for child in tokens[1].children or () if child.type != "text" or child.content.strip()]
    link = None
    if len(children) == 3 and (children[0].type, children[2].type) == ("link_open", "link_close"):
        link, children = children[0], children[1:2]
    return (children[0], link) if len(children) == 1 and children[0].type == "image" else (None, None)


def caption_of_image(image: Token, link: Token | None) -> str:
    """Returns the title of a picture, else the title of the link around it, else ''."""
    titles = (str(each.attrs.get("title", "")) for each in (image, link) if each)
    return next(filter(None, titles), "")


def set_captions(tokens: Sequence[Token]) -> None:
    """Adds captions to `tokens`, in place: in lists and quotations as small text below each picture.

    The caption of a top-level picture is only stored in the `meta` of the picture's token, for the text part
    of the mail.
    """
    tops = {id(image) for image, _ in map(lone_image_and_link, top_level_blocks(tokens)) if image}
    for index in range(len(tokens) - 2):
        image, link = lone_image_and_link(tokens[index : index + 3])
        caption = caption_of_image(image, link) if image else ""
        if image is None or not caption:
            continue
        if id(image) in tops:
            image.meta = {**image.meta, "caption": caption}
            continue
        for titled in filter(None, (image, link)):
            titled.attrs = {name: value for name, value in titled.attrs.items() if name != "title"}
        inline = tokens[index + 1]
        inline.children = [*(inline.children or ()), *_caption_tokens(caption)]


def _caption_tokens(caption: str) -> Iterator[Token]:
    yield Token("hardbreak", "br", 0)
    yield Token("small_open", "small", 1)
    yield Token("text", "", 0, content=caption)
    yield Token("small_close", "small", -1)
