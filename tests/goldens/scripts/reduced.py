"""Writes tests/goldens/reduced: a small picture as JPEG in every form that matters to decoding at less than its size, and what
Pillow (libjpeg-turbo) decodes at a half, a quarter and an eighth.

    pip install pillow && python reduced.py

63 x 45 pixels, so that no block and no row of blocks is whole at the edges.
"""
import pathlib

from PIL import Image

goldens = pathlib.Path(__file__).parent.parent
folder = goldens / "reduced"
folder.mkdir(exist_ok=True)
WIDTH, HEIGHT = 63, 45
coffee = Image.open(goldens / "images/coffee.jpg").convert("RGB")
picture = coffee.crop((120, 60, 120 + WIDTH * 4, 60 + HEIGHT * 4)).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
FORMS = {
    "444": (picture, {"subsampling": 0}),
    "422": (picture, {"subsampling": 1}),
    "420": (picture, {"subsampling": 2}),
    "420_progressive": (picture, {"subsampling": 2, "progressive": True}),
    "420_restarts": (picture, {"subsampling": 2, "restart_marker_blocks": 3}),
    "grey": (picture.convert("L"), {}),
    "cmyk": (picture.convert("CMYK"), {}),
}
for name, (source, options) in FORMS.items():
    file = folder / f"{name}.jpg"
    source.save(file, quality=90, **options)
    for factor in (2, 4, 8):
        reduced = Image.open(file)
        # The largest that is no smaller than asked for: rounded down, so that it is this one.
        reduced.draft(None, (WIDTH // factor, HEIGHT // factor))
        assert reduced.size == (-(-WIDTH // factor), -(-HEIGHT // factor)), (name, factor, reduced.size)
        reduced.convert("RGB").save(folder / f"{name}_{factor}.png", optimize=True)
