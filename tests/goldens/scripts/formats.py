"""Writes tests/goldens/formats: one small picture in every form that decoders trip over, and what Pillow reads from it.

    pip install pillow && python formats.py

Pictures of 16 bits keep their high byte, alpha is dropped and not blended, of several pictures in a file the first counts, and
EXIF orientation is applied. `over` has what those with alpha look like on a background.
"""
import json
import pathlib

import PIL
from PIL import Image, ImageOps

folder = pathlib.Path(__file__).parent.parent / "formats"
folder.mkdir(exist_ok=True)
WIDTH, HEIGHT = 12, 8
facts = {}


def colour():
    picture = Image.new("RGB", (WIDTH, HEIGHT))
    picture.putdata([(x * 20, y * 30, (x * y * 7) % 256) for y in range(HEIGHT) for x in range(WIDTH)])
    return picture


def quarters():
    """Four even quarters, which survive JPEG: red and green over blue and white."""
    picture = Image.new("RGB", (32, 16), (255, 255, 255))
    picture.paste((220, 30, 30), (0, 0, 16, 8))
    picture.paste((30, 200, 30), (16, 0, 32, 8))
    picture.paste((30, 30, 220), (0, 8, 16, 16))
    return picture


def keep(name, picture, expected, tolerance=0, **options):
    picture.save(folder / name, **options)
    expected = expected.convert("RGB")
    facts[name] = {"size": expected.size, "tolerance": tolerance, "rgb": expected.tobytes().hex()}


rgb, grey = colour(), colour().convert("L")
faint = rgb.copy()
faint.putalpha(grey)
palette = rgb.quantize(16)
deep = Image.new("I;16", (WIDTH, HEIGHT))
deep.putdata([(x * 5000 + y * 300) % 65536 for y in range(HEIGHT) for x in range(WIDTH)])
deep_high = Image.new("L", (WIDTH, HEIGHT))
deep_high.putdata([value >> 8 for value in deep.getdata()])

keep("rgb.png", rgb, rgb)
keep("grey.png", grey, grey)
keep("grey16.png", deep, deep_high)
keep("one_bit.png", grey.convert("1"), grey.convert("1"))
keep("palette.png", palette, palette)
keep("palette_transparent.png", palette, palette, transparency=0)
keep("alpha.png", faint, rgb)
keep("rgb.bmp", rgb, rgb)
keep("palette.bmp", palette, palette)
keep("rgb.webp", rgb, rgb, lossless=True, exact=True)
keep("alpha.webp", faint, rgb, lossless=True, exact=True)
keep("rgb_deflate.tif", rgb, rgb, compression="tiff_adobe_deflate")
keep("rgb_lzw.tif", rgb, rgb, compression="tiff_lzw")
keep("grey.tif", grey, grey)
keep("pages.tif", rgb, rgb, save_all=True, append_images=[grey.convert("RGB")])
keep("still.gif", palette, palette)
keep("moving.gif", palette, palette, save_all=True, append_images=[ImageOps.invert(rgb).quantize(16)], duration=100)

for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    name = f"orientation_{orientation}.jpg"
    quarters().save(folder / name, quality=95, subsampling=0, exif=exif)
    upright = ImageOps.exif_transpose(Image.open(folder / name)).convert("RGB")
    # Decoders differ by a level or two in the inverse transform.
    facts[name] = {"size": upright.size, "tolerance": 3, "rgb": upright.tobytes().hex()}

GROUND = (32, 96, 192)
over = {}
for name in ["alpha.png", "alpha.webp", "palette_transparent.png"]:
    picture = Image.open(folder / name).convert("RGBA")
    ground = Image.new("RGB", picture.size, GROUND)
    ground.paste(picture, mask=picture.getchannel("A"))
    over[name] = ground.tobytes().hex()

text = json.dumps({"pillow": PIL.__version__, "pictures": facts, "ground": GROUND, "over": over}, indent=1)
(folder / "formats.json").write_text(text + "\n")
