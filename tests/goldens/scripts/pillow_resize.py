"""Writes tests/goldens/pillow/resize.json: what Pillow makes of pictures of noise at other sizes, as hashes.

    pip install pillow==13.0.0 && python pillow_resize.py

The noise is a linear congruential generator's high bytes, so that any language can make it again.
"""
import json
import pathlib
import random

import PIL
from PIL import Image

MASK = (1 << 64) - 1


def noise(count):
    state, out = 1, bytearray()
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) & MASK
        out.append(state >> 56)
    return bytes(out)


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return f"{value:016x}"


def main():
    random.seed(7)
    pairs = [
        ((1, 1), (5, 5)), ((5, 5), (1, 1)), ((37, 23), (37, 11)), ((37, 23), (12, 23)), ((37, 23), (37, 50)),
        ((2, 900), (7, 11)), ((900, 2), (11, 7)), ((64, 48), (224, 224)), ((480, 320), (224, 224)),
        ((320, 480), (256, 384)), ((161, 107), (160, 106)), ((100, 100), (99, 101)), ((640, 427), (48, 32)),
        ((427, 640), (224, 335)), ((3, 3), (300, 2)),
    ]
    side = lambda most: random.randint(1, most)
    pairs += [((side(200), side(200)), (side(160), side(160))) for _ in range(25)]
    cases = []
    for (width, height), target in pairs:
        picture = Image.frombytes("RGB", (width, height), noise(width * height * 3))
        for code in range(6):
            made = picture.resize(target, code).tobytes()
            cases.append([code, width, height, *target, fnv1a(made)])
    path = pathlib.Path(__file__).parent.parent / "pillow" / "resize.json"
    rows = ",\n".join(json.dumps(case) for case in cases)
    head = json.dumps({"pillow": PIL.__version__, "columns": "resample, width, height, new width, new height, FNV-1a of RGB"})
    path.write_text(head[:-1] + ', "cases": [\n' + rows + "\n]}\n")


if __name__ == "__main__":
    main()
