from __future__ import annotations

import pytest

from mailer.colour import contrast_ratio, legible_colour, mix_colours, readable_text_colour


def test_contrast_is_that_of_wcag() -> None:
    assert contrast_ratio("#000000", "#ffffff") == pytest.approx(21)
    assert contrast_ratio("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast_ratio("#b3261e", "#b3261e") == 1


def test_colours_mix() -> None:
    assert mix_colours("#000000", "#ffffff", 0.5) == "#808080"
    assert mix_colours("#102030", "#ffffff", -1) == "#102030"
    assert mix_colours("#102030", "#ffffff", 9) == "#ffffff"


def test_text_on_a_colour_is_readable() -> None:
    assert readable_text_colour("#b3261e") == "#ffffff"
    assert readable_text_colour("#ff9d94") == "#000000"
    for level in range(256):
        colour = f"#{level:02x}{level:02x}{level:02x}"
        assert contrast_ratio(readable_text_colour(colour), colour) > 4.5, colour


def test_what_is_no_colour_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a colour"):
        mix_colours("red", "#ffffff")


def test_a_legible_colour_has_contrast_to_all_others_and_is_else_the_same() -> None:
    assert legible_colour("#b3261e", "#ffffff") == "#b3261e"
    for colour in ("#888888", "#eeee00", "#101010", "#ffffff"):
        for others in (("#ffffff",), ("#111111",), ("#ffffff", "#f2f2ef"), ("#808080",)):
            made = legible_colour(colour, *others)
            assert all(contrast_ratio(made, other) >= 4.5 for other in others), (colour, others)
    assert legible_colour("#777777", "#000000", "#ffffff", least=21) in ("#000000", "#ffffff")
