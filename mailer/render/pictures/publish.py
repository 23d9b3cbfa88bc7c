"""Publishes pictures: rotated upright, at most twice their displayed width, without metadata.

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

from PIL import Image
from PIL.ImageFile import ImageFile

from mailer.issue.pictures.limits import MAX_WIDTH
from mailer.issue.pictures.picture_files import open_picture
from mailer.render.pictures.pixels import eight_bit, gamma_of, in_srgb, on_background
from mailer.render.rendition import Picture

__all__ = ["Original", "read_header", "publish"]

_CACHE_BYTES = 64_000_000
_SIDEWAYS = (5, 6, 7, 8)  # EXIF orientations that swap width and height
_ORIENTATION = 0x0112
_PHOTOS = ("JPEG", "MPO")  # MPO is what phones write: a JPEG with a second picture behind it
_TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


#: The digest of a file, its size in CSS px, and the ground.
_Key = tuple[str, int, int, str]


@dataclass(frozen=True, slots=True)
class Original:
    """Holds a picture file, and its size in pixels after its rotation is applied."""

    data: bytes
    width: int
    height: int
    digest: str

    def shown(self, width: int, highest: int = 0) -> tuple[int, int]:
        """Returns its size in CSS px within `width` and, unless it is 0, within `highest` in height.

        It is never enlarged.
        """
        wide = max(1, min(width, MAX_WIDTH, self.width))
        high = max(1, round(self.height * wide / self.width))
        if highest and high > highest:
            wide = max(1, int(self.width * highest / self.height))
            high = min(highest, max(1, round(self.height * wide / self.width)))
        return wide, high


def read_header(data: bytes) -> Original:
    """Returns a picture after reading its header. Raises ValueError where it cannot be published."""
    with open_picture(data) as image:
        width, height = image.size
        if _orientation(image) in _SIDEWAYS:
            width, height = height, width
    return Original(data, width, height, hashlib.sha256(data).hexdigest())


def publish(original: Original, width: int, height: int = 0, *, ground: str = "#ffffff") -> Picture:
    """Returns the published file of a picture that is shown in `width` × `height` CSS px (0: in proportion).

    A transparent drawing with dark parts is laid on `ground`, so that it can be seen in the dark. Raises
    ValueError with a sentence where its pixels cannot be read.
    """
    shown = original.shown(width, height)
    key = (original.digest, *shown, ground)
    found = _cache.get(key)
    if found is None:
        data, suffix = _made(original, shown, ground)
        name = f"{hashlib.sha256(data).hexdigest()[:20]}.{suffix}"
        found = Picture(name, data, *shown)
        _cache.put(key, found)
    return found


class _Cache:
    """Caches the last pictures made in this process, up to a number of bytes."""

    def __init__(self) -> None:
        self._made: OrderedDict[_Key, Picture] = OrderedDict()
        self._lock = threading.Lock()
        self._size = 0

    def get(self, key: _Key) -> Picture | None:
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
            return self._made.get(key)

    def put(self, key: _Key, picture: Picture) -> None:
        with self._lock:
            if key not in self._made:
                self._made[key] = picture
                self._size += len(picture.data)
            while self._size > _CACHE_BYTES:
                self._size -= len(self._made.popitem(last=False)[1].data)


_cache = _Cache()


def _orientation(image: ImageFile) -> int:
    """Returns the orientation of the camera (EXIF, 1 to 8), read from the header alone."""
    if image.format == "GIF" or (image.format == "PNG" and "exif" not in image.info):
        return 1  # Pillow would unpack a whole PNG to look behind its pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # what is broken says nothing
        return 1


def _made(original: Original, shown: tuple[int, int], ground: str) -> tuple[bytes, str]:
    size = (min(original.width, 2 * shown[0]), min(original.height, 2 * shown[1]))
    with warnings.catch_warnings(), open_picture(original.data) as image:
        warnings.simplefilter("ignore")
        try:
            if image.format == "GIF" and getattr(image, "n_frames", 1) > 1:
                image.load()
                return original.data, "gif"
            return _encoded(image, size, ground)
        except Exception as error:  # Pillow raises whatever broken pixels happen to trip over
            raise ValueError(f"cannot be read to its end, it may have been cut off ({error})") from None


def _encoded(image: ImageFile, size: tuple[int, int], ground: str) -> tuple[bytes, str]:
    profile, gamma = image.info.get("icc_profile"), gamma_of(image.info)
    orientation = _orientation(image)
    if image.format in _PHOTOS:
        wide, high = reversed(size) if orientation in _SIDEWAYS else size
        image.draft("RGB", (2 * wide, 2 * high))  # unpacks no more than is needed
    upright: Image.Image = image.transpose(_TURN[orientation]) if orientation in _TURN else image
    whole = in_srgb(eight_bit(upright), profile, gamma)
    drawing = whole.mode in ("LA", "RGBA") or image.format not in (*_PHOTOS, "WEBP")
    if whole.size != size:
        whole = whole.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    made = on_background(whole, ground) if whole.mode in ("LA", "RGBA") else whole
    if upright.mode in ("1", "P") and upright.size == size and not (profile or gamma) and made is whole:
        made = upright  # as it is: a palette makes the smaller file
    return _written(made, drawing=drawing)


def _written(image: Image.Image, *, drawing: bool) -> tuple[bytes, str]:
    """Returns the file without metadata, and the end of its name."""
    image = image.copy()
    image.info = {
        key: image.info[key] for key in ("transparency",) if key in image.info and image.mode in "1P"
    }
    out = io.BytesIO()
    if drawing:
        image.save(out, "PNG", optimize=image.width * image.height < 1_000_000)
        return out.getvalue(), "png"
    image.save(out, "JPEG", quality=82, optimize=True, progressive=True)
    return out.getvalue(), "jpg"
