"""The child process of `avatars.reencode`: an image on standard input, a small WebP without metadata on standard output.

It runs as a script of its own (`python -I avatar_child.py`) and imports Pillow only: whatever a made-up image does to a
decoder happens here, with little memory, little time, no environment, no files and nothing to find.
"""

from __future__ import annotations

import contextlib
import io
import os
import resource
import sys

#: no side of an avatar is longer
SIDE_PIXELS = 512
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
MAX_PIXELS = 50_000_000
MAX_SIDE_PIXELS = 16_384
MEMORY_BYTES = 1024 * 1024 * 1024
CPU_SECONDS = 8
#: exit statuses; any other one, a signal included, means that the image could not be decoded within the limits
DONE, NO_IMAGE, TOO_MANY_PIXELS = 0, 3, 4


def limit_resources() -> None:
    """Memory, time, no core file, no writing to files. A system that cannot limit one of them goes without it."""
    for limited, amount in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # macOS has no limit of address space
            resource.setrlimit(limited, (amount, amount))


def reencoded(body: bytes) -> bytes:
    """The first frame, upright, at most `SIDE_PIXELS` a side. Raises SystemExit with one of the statuses above."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # looked at below, by our own figures
    try:
        image: Image.Image = Image.open(io.BytesIO(body), formats=FORMATS)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise SystemExit(NO_IMAGE) from None
    if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE_PIXELS:
        raise SystemExit(TOO_MANY_PIXELS)
    try:
        image.draft("RGB", (SIDE_PIXELS, SIDE_PIXELS))  # a JPEG is decoded at a fraction of its size
        image.load()
    except (OSError, SyntaxError, ValueError, EOFError, IndexError):
        raise SystemExit(NO_IMAGE) from None
    image = ImageOps.exif_transpose(image)
    has_alpha = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
    image = image.convert("RGBA" if has_alpha else "RGB")
    image.thumbnail((SIDE_PIXELS, SIDE_PIXELS), Image.Resampling.LANCZOS, reducing_gap=3.0)
    clean = Image.frombytes(image.mode, image.size, image.tobytes())  # pixels, and nothing that came with them
    target = io.BytesIO()
    clean.save(target, "WEBP", quality=85, method=4)
    return target.getvalue()


def main() -> None:
    limit_resources()
    result = reencoded(sys.stdin.buffer.read())
    sys.stdout.buffer.write(result)
    sys.stdout.buffer.flush()
    os._exit(DONE)  # the answer is out: no decoder's clean-up is worth waiting for


if __name__ == "__main__":
    main()
