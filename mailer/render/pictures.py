"""Pictures as they are published: turned upright, at most twice as wide as shown, without metadata.

The same file and width give the same bytes and the same name, which holds the hash of the bytes. Files are
looked at header first, so that a bomb is never unpacked. Which pictures an issue may name is checked when
it is loaded; what only shows when the pixels are read (a file that was cut off) is found here.
"""

from __future__ import annotations

import hashlib
import io
import threading
import warnings
from collections import OrderedDict
from dataclasses import dataclass

from PIL import Image, ImageCms, ImageOps
from PIL.ImageFile import ImageFile

from mailer.render.rendition import Picture

__all__ = ["MAX_WIDTH", "Original", "look", "publish"]

#: The widest that anything is shown in a mail, in CSS px.
MAX_WIDTH = 600
MAX_PIXELS = 40_000_000
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_CACHE_BYTES = 64_000_000
_SIDEWAYS = (5, 6, 7, 8)  # EXIF orientations that swap width and height
_ORIENTATION = 0x0112
_TURNED = ("JPEG", "WEBP")  # where cameras note how they were held


@dataclass(frozen=True, slots=True)
class Original:
    """A picture file and its size upright, in pixels."""

    data: bytes
    width: int
    height: int
    digest: str

    def shown(self, width: int) -> tuple[int, int]:
        """Its size in CSS px where there are `width` px for it. It is never enlarged."""
        wide = max(1, min(width, MAX_WIDTH, self.width))
        return wide, max(1, round(self.height * wide / self.width))


def look(data: bytes) -> Original:
    """Reads the header of a picture. Raises ValueError with a sentence where it cannot be published."""
    with _opened(data) as image:
        width, height = image.size
        if image.format in _TURNED and image.getexif().get(_ORIENTATION) in _SIDEWAYS:
            width, height = height, width
    return Original(data, width, height, hashlib.sha256(data).hexdigest())


def publish(original: Original, width: int) -> Picture:
    """The picture for `width` CSS px. Raises ValueError with a sentence where its pixels cannot be read."""
    shown = original.shown(width)
    key = (original.digest, shown[0])
    found = _cache.get(key)
    if found is None:
        data, suffix = _made(original, shown)
        name = f"{hashlib.sha256(data).hexdigest()[:20]}.{suffix}"
        found = Picture(name, data, *shown)
        _cache.put(key, found)
    return found


class _Cache:
    """The last pictures made in this process, up to a number of bytes."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[str, int], Picture] = OrderedDict()
        self._lock = threading.Lock()
        self._size = 0

    def get(self, key: tuple[str, int]) -> Picture | None:
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
            return self._made.get(key)

    def put(self, key: tuple[str, int], picture: Picture) -> None:
        with self._lock:
            if key not in self._made:
                self._made[key] = picture
                self._size += len(picture.data)
            while self._size > _CACHE_BYTES:
                self._size -= len(self._made.popitem(last=False)[1].data)


_cache = _Cache()


def _opened(data: bytes) -> ImageFile:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=_FORMATS)
            size = image.size
    except Image.DecompressionBombError:
        raise ValueError(_too_many()) from None
    except Exception:  # Pillow raises whatever a broken header happens to trip over
        raise ValueError("is not a PNG, JPEG, GIF or WebP picture, whatever its name says") from None
    if size[0] * size[1] > MAX_PIXELS:
        raise ValueError(_too_many())
    return image


def _too_many() -> str:
    return f"has more than {MAX_PIXELS // 1_000_000} million pixels; make it smaller"


def _made(original: Original, shown: tuple[int, int]) -> tuple[bytes, str]:
    size = (min(original.width, 2 * shown[0]), min(original.height, 2 * shown[1]))
    try:
        with warnings.catch_warnings(), _opened(original.data) as image:
            warnings.simplefilter("ignore")
            if image.format == "GIF" and getattr(image, "n_frames", 1) > 1:
                image.load()
                return original.data, "gif"
            return _encoded(image, size)
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(f"cannot be read to its end, it may have been cut off ({error})") from None


def _in_srgb(image: Image.Image) -> Image.Image:
    """The picture in the colours that mail programs assume, where it says that it has others."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode != "RGB":
        return image
    try:
        srgb = ImageCms.createProfile("sRGB")
        changed = ImageCms.profileToProfile(image, io.BytesIO(profile), srgb)
    except (ImageCms.PyCMSError, OSError):
        return image  # a broken profile is as good as none
    return changed or image


def _encoded(image: ImageFile, size: tuple[int, int]) -> tuple[bytes, str]:
    photo = image.format == "JPEG"
    if photo:
        image.draft("RGB", (2 * size[0], 2 * size[1]))  # unpacks no more than is needed
    upright: Image.Image = ImageOps.exif_transpose(image) if image.format in _TURNED else image
    upright = _in_srgb(upright)
    alpha = "A" in upright.getbands() or "transparency" in upright.info
    if image.format == "WEBP":
        photo = not alpha
    if upright.mode not in ("L", "RGB", "RGBA") and not (upright.mode in ("1", "P") and upright.size == size):
        upright = upright.convert("RGBA" if alpha else "RGB")
    if upright.size != size:
        upright = upright.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    upright = upright.copy()
    upright.info = {key: upright.info[key] for key in ("transparency",) if key in upright.info}
    out = io.BytesIO()
    if photo:
        upright = upright.convert("L" if upright.mode == "L" else "RGB")
        upright.save(out, "JPEG", quality=82, optimize=True, progressive=True)
        return out.getvalue(), "jpg"
    upright.save(out, "PNG", optimize=upright.width * upright.height < 1_000_000)
    return out.getvalue(), "png"
