from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from mailer.render.pictures import publish as pictures
from mailer.render.pictures.publish import publish_picture, read_picture_header


def made(size: tuple[int, int] = (40, 20), format: str = "PNG", mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, **({"color": "red"} if mode in ("RGB", "RGBA") else {})).save(
        out, format, **options
    )
    return out.getvalue()


def size_of(data: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(data)).size


def test_a_large_picture_is_made_twice_as_wide_as_it_is_shown() -> None:
    picture = publish_picture(read_picture_header(made((3000, 1001))), 600)
    assert (picture.width, picture.height) == (600, 200)
    assert size_of(picture.data) == (1200, 400)


def test_a_small_picture_is_never_enlarged() -> None:
    picture = publish_picture(read_picture_header(made((300, 200))), 600)
    assert (picture.width, picture.height) == (300, 200)
    assert size_of(picture.data) == (300, 200)
    narrow = publish_picture(read_picture_header(made((300, 200))), 200)
    assert (narrow.width, narrow.height, size_of(narrow.data)) == (200, 133, (300, 200))


def test_an_extreme_picture_has_at_least_one_pixel() -> None:
    picture = publish_picture(read_picture_header(made((4000, 1))), 600)
    assert (picture.width, picture.height) == (600, 1)


@pytest.mark.parametrize(
    ("format", "mode", "suffix"),
    [
        ("PNG", "RGB", "png"),
        ("PNG", "RGBA", "png"),
        ("PNG", "P", "png"),
        ("PNG", "LA", "png"),
        ("PNG", "1", "png"),
        ("PNG", "I;16", "png"),
        ("JPEG", "RGB", "jpg"),
        ("JPEG", "L", "jpg"),
        ("JPEG", "CMYK", "jpg"),
        ("GIF", "P", "png"),
        ("WEBP", "RGB", "jpg"),
        ("WEBP", "RGBA", "png"),
    ],
)
@pytest.mark.parametrize("size", [(40, 20), (2000, 1000)])
def test_every_kind_becomes_one_that_mail_programs_show(
    format: str, mode: str, suffix: str, size: tuple[int, int]
) -> None:
    options = {"color": (255, 0, 0, 9)} if (format, mode) == ("WEBP", "RGBA") else {}
    out = io.BytesIO()
    Image.new(mode, size, **options).save(out, format)
    picture = publish_picture(read_picture_header(out.getvalue()), 600)
    assert picture.name.endswith(f".{suffix}")
    assert Image.open(io.BytesIO(picture.data)).format == {"png": "PNG", "jpg": "JPEG"}[suffix]


def test_a_sideways_photo_is_turned_and_its_metadata_dropped() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Camera of a reporter"
    original = read_picture_header(made((40, 20), "JPEG", exif=exif, comment=b"secret note"))
    assert (original.width, original.height) == (20, 40)
    picture = publish_picture(original, 600)
    assert size_of(picture.data) == (20, 40)
    assert b"Camera" not in picture.data
    assert b"secret" not in picture.data
    assert b"Exif" not in picture.data


def test_colours_become_those_that_mail_programs_assume() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    one = publish_picture(read_picture_header(made((40, 20), "JPEG", icc_profile=profile)), 600)
    other = publish_picture(read_picture_header(made((40, 20), "JPEG", icc_profile=b"broken")), 600)
    for picture in (one, other):
        image = Image.open(io.BytesIO(picture.data))
        assert "icc_profile" not in image.info
        red, green, blue = image.getpixel((5, 5))  # type: ignore[misc]
        assert red > 240
        assert green < 20
        assert blue < 20


def test_text_in_a_png_is_dropped() -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Author", "somebody")
    assert b"somebody" not in publish_picture(read_picture_header(made(pnginfo=info)), 600).data


def test_transparency_of_a_palette_is_kept() -> None:
    out = io.BytesIO()
    image = Image.new("P", (10, 10), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.save(out, "GIF", transparency=1)
    data = publish_picture(read_picture_header(out.getvalue()), 600).data
    assert Image.open(io.BytesIO(data)).convert("RGBA").getpixel((0, 0))[3] == 0  # type: ignore[index]


def test_an_animation_is_kept_as_it_is() -> None:
    frames = [Image.new("P", (900, 300), shade) for shade in (1, 2)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    picture = publish_picture(read_picture_header(out.getvalue()), 600)
    assert picture.data == out.getvalue()
    assert (picture.width, picture.height) == (600, 200)
    assert picture.name.endswith(".gif")


def test_the_same_picture_has_the_same_name_and_another_another() -> None:
    one = publish_picture(read_picture_header(made((50, 50))), 600)
    pictures._cache = pictures._PictureCache()
    assert publish_picture(read_picture_header(made((50, 50))), 600) == one
    assert publish_picture(read_picture_header(made((51, 50))), 600).name != one.name


def test_the_cache_forgets_what_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "_CACHE_BYTES", 10)
    cache = pictures._PictureCache()
    picture = publish_picture(read_picture_header(made()), 600)
    key = ("a", 1, 1, "#ffffff")
    cache.put(key, picture)
    cache.put(key, picture)
    assert cache.get(key) is None


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"<svg/>", made(format="BMP"), b"\0" * 100])
def test_what_is_no_picture_is_one_sentence(data: bytes) -> None:
    with pytest.raises(ValueError, match="is not a PNG, JPEG, GIF or WebP picture"):
        read_picture_header(data)


@pytest.mark.parametrize("size", [(7000, 7000), (20000, 20000)])
def test_a_bomb_is_never_unpacked(size: tuple[int, int]) -> None:
    data = bytearray(made((1, 1), "GIF", "P"))
    data[6:10] = size[0].to_bytes(2, "little") + size[1].to_bytes(2, "little")
    with pytest.raises(ValueError, match="more than 40 million pixels"):
        read_picture_header(bytes(data))


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
def test_a_truncated_picture_is_one_sentence(format: str) -> None:
    data = Image.effect_noise((400, 400), 90).convert("RGB")
    out = io.BytesIO()
    data.save(out, format)
    original = read_picture_header(out.getvalue()[: len(out.getvalue()) // 2])
    with pytest.raises(ValueError, match="the file may be incomplete"):
        publish_picture(original, 600)
