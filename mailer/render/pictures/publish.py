"""Makes the published files of pictures: upright, at most twice their displayed size, without metadata.

The same file and size give the same bytes and the same name, which contains a hash of the bytes. The header
of a file is read first, so that a decompression bomb is never unpacked. Loading an issue has checked its
pictures already; this module finds errors that appear only when pixels are read, such as a truncated file.
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
from mailer.render.pictures.pixels import make_visible_on_any_background, png_gamma, to_eight_bit, to_srgb
from mailer.render.rendition import Picture

__all__ = ["OriginalPicture", "read_picture_header", "publish_picture"]

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
class OriginalPicture:
    """Holds a picture file, with its size in pixels when the picture is upright, and its SHA-256 in hex."""

    data: bytes
    width: int
    height: int
    digest: str

    def displayed_size(self, width: int, max_height: int = 0) -> tuple[int, int]:
        """Returns the displayed (width, height) of the picture: at most `width` × `max_height` CSS px.

        The picture is never enlarged. A `max_height` of 0 means no limit.
        """
        wide = max(1, min(width, MAX_WIDTH, self.width))
        high = max(1, round(self.height * wide / self.width))
        if max_height and high > max_height:
            wide = max(1, int(self.width * max_height / self.height))
            high = min(max_height, max(1, round(self.height * wide / self.width)))
        return wide, high


def read_picture_header(data: bytes) -> OriginalPicture:
    """Reads the header of a picture file, and returns the picture. Raises ValueError if it is unusable."""
    with open_picture(data) as image:
        width, height = image.size
        if _exif_orientation(image) in _SIDEWAYS:
            width, height = height, width
    return OriginalPicture(data, width, height, hashlib.sha256(data).hexdigest())


def publish_picture(
    original: OriginalPicture, width: int, height: int = 0, *, background: str = "#ffffff"
) -> Picture:
    """Returns the published file of a picture that is displayed in at most `width` × `height` CSS px.

    A `height` of 0 means no limit. A transparent drawing with dark parts is laid on the colour `background`,
    so that it is visible in dark mode. Raises ValueError, with a sentence for the editor, if the pixels
    cannot be read.
    """
    shown = original.displayed_size(width, height)
    key = (original.digest, *shown, background)
    found = _cache.get(key)
    if found is None:
        data, suffix = _published_file(original, shown, background)
        name = f"{hashlib.sha256(data).hexdigest()[:20]}.{suffix}"
        found = Picture(name, data, *shown)
        _cache.put(key, found)
    return found


class _PictureCache:
    """Caches the pictures that this process used last, up to a total of _CACHE_BYTES."""

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


_cache = _PictureCache()


def _exif_orientation(image: ImageFile) -> int:
    """Returns the EXIF orientation of a picture (1 to 8), without reading its pixels."""
    if image.format == "GIF" or (image.format == "PNG" and "exif" not in image.info):
        return 1  # Pillow would unpack a whole PNG to look behind its pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # what is broken says nothing
        return 1


def _published_file(
    original: OriginalPicture, displayed_size: tuple[int, int], background: str
) -> tuple[bytes, str]:
    size = (min(original.width, 2 * displayed_size[0]), min(original.height, 2 * displayed_size[1]))
    with warnings.catch_warnings(), open_picture(original.data) as image:
        warnings.simplefilter("ignore")
        try:
            if image.format == "GIF" and getattr(image, "n_frames", 1) > 1:
                image.load()
                return original.data, "gif"
            return _converted_file(image, size, background)
        except Exception as error:  # Pillow raises whatever broken pixels happen to trip over
            raise ValueError(
                f"cannot be read to its end; the file may be incomplete, so save it again ({error})"
            ) from None


def _converted_file(image: ImageFile, size: tuple[int, int], background: str) -> tuple[bytes, str]:
    profile, gamma = image.info.get("icc_profile"), png_gamma(image.info)
    orientation = _exif_orientation(image)
    if image.format in _PHOTOS:
        wide, high = reversed(size) if orientation in _SIDEWAYS else size
        image.draft("RGB", (2 * wide, 2 * high))  # unpacks no more than is needed
    upright: Image.Image = image.transpose(_TURN[orientation]) if orientation in _TURN else image
    whole = to_srgb(to_eight_bit(upright), profile, gamma)
    is_drawing = whole.mode in ("LA", "RGBA") or image.format not in (*_PHOTOS, "WEBP")
    if whole.size != size:
        whole = whole.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    made = make_visible_on_any_background(whole, background) if whole.mode in ("LA", "RGBA") else whole
    if upright.mode in ("1", "P") and upright.size == size and not (profile or gamma) and made is whole:
        made = upright  # as it is: a palette makes the smaller file
    return _file_without_metadata(made, is_drawing=is_drawing)


def _file_without_metadata(image: Image.Image, *, is_drawing: bool) -> tuple[bytes, str]:
    """Returns the bytes of an image file without metadata, and its suffix: PNG for a drawing, else JPEG."""
    image = image.copy()
    image.info = {
        key: image.info[key] for key in ("transparency",) if key in image.info and image.mode in "1P"
    }
    out = io.BytesIO()
    if is_drawing:
        image.save(out, "PNG", optimize=image.width * image.height < 1_000_000)
        return out.getvalue(), "png"
    image.save(out, "JPEG", quality=82, optimize=True, progressive=True)
    return out.getvalue(), "jpg"
