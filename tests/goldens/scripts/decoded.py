"""Writes tests/goldens/images/decoded/*.webp: the JPEG pictures as Pillow reads them (upright, RGB), without loss.

    pip install pillow==13.0.0 && python decoded.py

JPEG decoders differ by a few levels; with these, what follows decoding can be compared to the bit.
"""
import pathlib

from PIL import Image, ImageOps

images = pathlib.Path(__file__).parent.parent / "images"
(images / "decoded").mkdir(exist_ok=True)
for path in ["astronaut.jpg", "coffee.jpg", "rocket_exif6.jpg"]:
    picture = ImageOps.exif_transpose(Image.open(images / path)).convert("RGB")
    target = (images / "decoded" / path).with_suffix(".webp")
    picture.info.clear()
    picture.save(target, lossless=True, quality=100, method=6, exact=True)
    again = Image.open(target).convert("RGB")
    assert again.tobytes() == picture.tobytes()
