"""What Pillow reads comes out in 8 bits, in sRGB, upright, and visible in the dark."""

from __future__ import annotations

import io
import re
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps, PngImagePlugin

from mailer.render.pictures.pixels import (
    drawing_background,
    make_visible_on_any_background,
    to_eight_bit,
    to_srgb,
)
from mailer.render.pictures.publish import publish_picture, read_picture_header

SIZES = st.tuples(st.integers(1, 90), st.integers(1, 90))
COLOURS = st.tuples(*[st.integers(0, 255)] * 3)


def saved(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def published(data: bytes, width: int = 600, **options: Any) -> Image.Image:
    image = Image.open(io.BytesIO(publish_picture(read_picture_header(data), width, **options).data))
    image.load()
    return image


def near(one: Any, other: Any, by: int = 3) -> bool:
    return all(abs(a - b) <= by for a, b in zip(one, other, strict=True))


def _matrix_profile(gamma: float, *, grey: bool = False) -> bytes:
    """A small ICC v2 profile: a gamma, and the primaries of sRGB with red and green exchanged."""

    def fixed(value: float) -> bytes:
        return round(value * 65536).to_bytes(4, "big", signed=True)

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(map(fixed, values))

    curve = b"curv\0\0\0\0" + (1).to_bytes(4, "big") + round(gamma * 256).to_bytes(2, "big") + b"\0\0"
    text = b"desc\0\0\0\0" + (2).to_bytes(4, "big") + b"x\0" + bytes(78)
    tags = {b"desc": text, b"wtpt": xyz(0.9642, 1.0, 0.8249), b"cprt": b"text\0\0\0\0x\0\0\0"}
    if grey:
        tags[b"kTRC"] = curve
    else:
        tags |= {
            b"rXYZ": xyz(0.3851, 0.7169, 0.0971),
            b"gXYZ": xyz(0.4361, 0.2225, 0.0139),
            b"bXYZ": xyz(0.1431, 0.0606, 0.7141),
            b"rTRC": curve,
            b"gTRC": curve,
            b"bTRC": curve,
        }
    table, body, offset = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += name + (offset + len(body)).to_bytes(4, "big") + len(data).to_bytes(4, "big")
        body += data
    whole = len(tags).to_bytes(4, "big") + table + body
    head = (128 + len(whole)).to_bytes(4, "big") + bytes(4) + bytes([2, 16, 0, 0]) + b"mntr"
    head += b"GRAY" if grey else b"RGB "
    head += b"XYZ " + bytes(12) + b"acsp" + bytes(28) + b"".join(map(fixed, (0.9642, 1.0, 0.8249)))
    return head.ljust(128, b"\0") + whole


#: With "swapped", red is shown green; with "linear grey", 55 is shown as light as 128.
PROFILES = {"swapped": _matrix_profile(2.2), "linear grey": _matrix_profile(1.0, grey=True)}


@settings(deadline=None)
@given(values=st.lists(st.integers(0, 65535), min_size=4, max_size=4))
def test_16_bit_grey_keeps_its_greys(values: list[int]) -> None:
    image = Image.new("I;16", (4, 1))
    for x, value in enumerate(values):
        image.putpixel((x, 0), value)
    made = published(saved(image))
    assert made.mode == "L"
    assert near(made.tobytes(), [value / 257 for value in values], by=1)


def test_a_transparent_grey_of_16_bits_is_transparent() -> None:
    image = Image.new("I;16", (2, 1), 60000)
    image.putpixel((1, 0), 50000)
    made = published(saved(image, transparency=50000)).convert("RGBA")
    assert made.getpixel((0, 0)) == (233, 233, 233, 255)
    assert made.getpixel((1, 0))[3] == 0  # type: ignore[index]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "I", "F", "YCbCr"])
def test_every_mode_becomes_one_of_four(mode: str) -> None:
    made = to_srgb(to_eight_bit(Image.new(mode, (3, 2))), None)
    assert made.mode in ("L", "LA", "RGB", "RGBA")
    assert made.size == (3, 2)


@pytest.mark.parametrize(
    ("format", "mode"),
    [("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("JPEG", "RGB"), ("WEBP", "RGB"), ("WEBP", "RGBA")],
)
@pytest.mark.parametrize("size", [(40, 20), (1600, 800)])
def test_a_profile_is_heeded_whatever_the_pixels(format: str, mode: str, size: tuple[int, int]) -> None:
    image = Image.new("RGB", size, (250, 0, 0)).convert(mode)
    if mode == "RGBA":
        image.putpixel((0, 0), (0, 0, 0, 0))
    made = published(saved(image, format, icc_profile=PROFILES["swapped"]))
    red, green, blue = made.convert("RGB").getpixel((size[0] // 4, 5))  # type: ignore[misc]
    assert green > 200, "red, which this profile shows as green"
    assert red < 60
    assert blue < 60
    assert "icc_profile" not in made.info


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_the_profile_of_a_grey_picture_is_heeded(mode: str) -> None:
    made = published(saved(Image.new(mode, (20, 20), 55), icc_profile=PROFILES["linear grey"]))
    shown = made.convert("RGB").getpixel((5, 5))
    assert near(shown, (128, 128, 128), by=4)


def test_a_profile_for_other_pixels_is_as_good_as_none() -> None:
    made = published(saved(Image.new("L", (20, 20), 55), icc_profile=PROFILES["swapped"]))
    assert made.getpixel((5, 5)) == 55


def _ink_profile() -> bytes:
    """A small ICC profile of a press on which every ink is green."""
    lime = bytes([224, 42, 211])  # L*, a*, b* of #00ff00
    ramp = bytes(range(256))
    unit = b"".join((65536 * (at % 4 == 0)).to_bytes(4, "big") for at in range(9))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + unit + ramp * 4 + lime * 16 + ramp * 3
    offset = 128 + 4 + 12
    whole = (
        (1).to_bytes(4, "big") + b"A2B0" + offset.to_bytes(4, "big") + len(table).to_bytes(4, "big") + table
    )
    head = (128 + len(whole)).to_bytes(4, "big") + bytes(4) + bytes([2, 16, 0, 0]) + b"prtrCMYKLab "
    head += bytes(12) + b"acsp" + bytes(28) + bytes([0, 0, 0xF6, 0xD6, 0, 1, 0, 0, 0, 0, 0xD3, 0x2D])
    return head.ljust(128, b"\0") + whole


def test_the_profile_of_a_cmyk_photo_is_heeded() -> None:
    data = saved(Image.new("CMYK", (20, 20), (0, 255, 255, 0)), "JPEG", icc_profile=_ink_profile())
    made = published(data)
    assert (made.format, made.mode) == ("JPEG", "RGB")
    assert near(made.getpixel((5, 5)), (0, 255, 0), by=30)


def test_a_cmyk_photo_stays_a_photo_in_its_colours() -> None:
    made = published(saved(Image.new("CMYK", (20, 20), (0, 255, 255, 0)), "JPEG"))
    assert (made.format, made.mode) == ("JPEG", "RGB")
    assert near(made.getpixel((5, 5)), (255, 0, 0), by=12)


def photo(size: tuple[int, int] = (60, 40)) -> Image.Image:
    """Four quarters, each of another colour."""
    wide, high = size
    image = Image.new("RGB", size, "red")
    image.paste("lime", (wide // 2, 0, *size))
    image.paste("blue", (0, high // 2, *size))
    image.paste("white", (wide // 2, high // 2, *size))
    return image


def turned(image: Image.Image, orientation: int, format: str, **options: Any) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(image, format, exif=exif, **options)


@settings(max_examples=40, deadline=None)
@given(
    size=st.tuples(st.integers(60, 900), st.integers(60, 900)),
    orientation=st.integers(0, 9),
    format=st.sampled_from(["JPEG", "progressive", "MPO", "PNG", "WEBP"]),
    width=st.integers(100, 600),
)
def test_a_photo_is_upright_in_its_own_shape(
    size: tuple[int, int], orientation: int, format: str, width: int
) -> None:
    image = photo(size)
    options: dict[str, Any] = {}
    if format == "MPO":
        options = {"save_all": True, "append_images": [photo((16, 16))]}
    if format == "progressive":
        options = {"progressive": True}
    data = turned(image, orientation, format.replace("progressive", "JPEG"), **options)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    picture = publish_picture(read_picture_header(data), width)
    made = Image.open(io.BytesIO(picture.data))
    assert made.format == ("PNG" if format == "PNG" else "JPEG")
    assert (read_picture_header(data).width, read_picture_header(data).height) == upright.size
    assert picture.width == min(width, upright.width)
    assert made.size == (min(upright.width, 2 * picture.width), min(upright.height, 2 * picture.height))
    small = upright.convert("RGB").resize((8, 8), Image.Resampling.BOX)
    other = made.convert("RGB").resize((8, 8), Image.Resampling.BOX)
    for at in ((1, 1), (6, 1), (1, 6), (6, 6)):
        assert near(small.getpixel(at), other.getpixel(at), by=60)


def test_a_broken_exif_says_nothing() -> None:
    data = saved(photo(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7fbroken")
    assert published(data).size == (60, 40)


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_an_animation_that_would_be_flattened_is_refused(format: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    data = saved(frames[0], format, save_all=True, append_images=frames[1:])
    with pytest.raises(ValueError, match=r"is an animated (PNG|WebP), .*; save it as GIF"):
        read_picture_header(data)


# ------------------------------------------------------------------------------------------------ in the dark


def drawing(colour: tuple[int, int, int], share: float = 0.3, mode: str = "RGBA") -> Image.Image:
    """A block of a colour on nothing."""
    image = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    image.paste((*colour, 255), (0, 0, 100, round(100 * share)))
    return image.convert(mode)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
@pytest.mark.parametrize("size", [(100, 100), (1300, 1300)])
def test_a_dark_drawing_is_laid_on_the_paper(mode: str, size: tuple[int, int]) -> None:
    image = drawing((20, 20, 20)).resize(size, Image.Resampling.NEAREST)
    data = saved(image.convert(mode)) if mode != "P" else saved(image.quantize())
    made = published(data, background="#fff8e0").convert("RGBA")
    assert made.getpixel((5, made.height - 5)) == (255, 248, 224, 255)
    assert near(made.getpixel((5, 5)), (20, 20, 20, 255))


@pytest.mark.parametrize("colour", [(255, 255, 255), (200, 180, 170), (255, 60, 0), (0, 160, 230)])
def test_a_light_or_coloured_drawing_stays_transparent(colour: tuple[int, int, int]) -> None:
    made = published(saved(drawing(colour)))
    assert made.convert("RGBA").getpixel((5, 95))[3] == 0  # type: ignore[index]


def test_a_dark_word_beside_a_light_disc_is_dark() -> None:
    image = drawing((250, 120, 40), 0.6)
    image.paste((0, 0, 0, 255), (0, 80, 60, 90))
    assert published(saved(image)).mode == "RGB"


@settings(max_examples=60, deadline=None)
@given(colour=COLOURS, share=st.floats(0.05, 0.95), alpha=st.integers(1, 255))
def test_what_is_visible_can_be_seen_in_the_dark(
    colour: tuple[int, int, int], share: float, alpha: int
) -> None:
    """On black and on white paper, a drawing is laid on light ground or it is light itself."""
    image = drawing(colour, share)
    image.putalpha(image.getchannel("A").point(lambda value: value * alpha // 255))
    made = make_visible_on_any_background(image, "#ffffff")
    if made.mode == "RGB":
        assert made.getpixel((99, 99)) == (255, 255, 255)
    else:
        assert made.tobytes() == image.tobytes()
        assert max(colour) > 90


def test_alpha_that_hides_nothing_is_left_out() -> None:
    made = published(saved(Image.new("RGBA", (9, 9), (1, 2, 3, 255))))
    assert made.mode == "RGB"
    assert made.getpixel((1, 1)) == (1, 2, 3)


def test_a_transparent_webp_on_its_ground_is_still_a_drawing() -> None:
    picture = publish_picture(read_picture_header(saved(drawing((0, 0, 0)), "WEBP", lossless=True)), 600)
    assert picture.name.endswith(".png")


def test_the_ground_is_the_paper_where_that_is_light() -> None:
    assert drawing_background("#fff8e0") == "#fff8e0"
    assert drawing_background("#101010") == "#ffffff"


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "WEBP"])
@settings(max_examples=60, deadline=None)
@given(damage=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_damaged_file_is_a_picture_or_a_sentence(format: str, damage: list[tuple[float, int]]) -> None:
    options: dict[str, Any] = {} if format == "GIF" else {"icc_profile": PROFILES["swapped"]}
    exif = Image.Exif()
    exif[0x0112] = 6
    data = bytearray(saved(photo(), format, **options, **({} if format == "GIF" else {"exif": exif})))
    for place, value in damage:
        data[int(place * (len(data) - 1))] = value
    try:
        publish_picture(read_picture_header(bytes(data)), 600)
    except ValueError as error:
        assert re.match(r"is |has more|cannot be read to its end", str(error))  # noqa: PT017


@settings(max_examples=40, deadline=None)
@given(
    size=SIZES,
    mode=st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "I;16"]),
    width=st.integers(1, 600),
    noise=st.randoms(use_true_random=False),
)
def test_the_same_file_gives_the_same_bytes_at_most_twice_its_size(
    size: tuple[int, int], mode: str, width: int, noise: Any
) -> None:
    raw = noise.randbytes(size[0] * size[1] * 4)
    image = Image.frombytes("RGBA", size, raw)
    data = saved(image.convert("L").convert(mode) if mode == "I;16" else image.convert(mode))
    one = publish_picture(read_picture_header(data), width)
    from mailer.render.pictures import publish as pictures

    pictures._cache = pictures._PictureCache()
    assert publish_picture(read_picture_header(data), width) == one
    made = Image.open(io.BytesIO(one.data))
    assert one.width == min(width, size[0])
    assert made.size == (min(size[0], 2 * one.width), min(size[1], 2 * one.height))


def test_srgb_profiles_change_nothing() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    made = published(saved(Image.new("RGBA", (9, 9), (10, 200, 90, 128)), icc_profile=profile))
    assert near(made.getpixel((1, 1)), (10, 200, 90, 128), by=1)


def test_the_gamma_of_a_png_is_heeded() -> None:
    def published(**chunks: bytes) -> int:
        info = PngImagePlugin.PngInfo()
        for kind, data in chunks.items():
            info.add(kind.encode(), data)
        data = saved(Image.new("L", (4, 4), 64), pnginfo=info)
        value = (
            Image.open(io.BytesIO(publish_picture(read_picture_header(data), 4).data))
            .convert("L")
            .getpixel((0, 0))
        )
        assert isinstance(value, int)
        return value

    assert published(gAMA=struct.pack(">I", 100000)) == 136  # light as it is: 255 * (64 / 255) ** (1 / 2.2)
    assert published(gAMA=struct.pack(">I", 45455)) == 64
    assert published(gAMA=struct.pack(">I", 0)) == 64
    assert published(gAMA=struct.pack(">I", 100000), sRGB=b"\0") == 64
