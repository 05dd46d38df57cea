"""Writes tests/goldens/preprocess/timm.json: what timm's transforms make of noise, as hashes, beside the keys that its configuration
stands for.

    pip install numpy pillow==13.0.0 timm==1.0.31 && python preprocess_timm.py
"""
import json
import math
import pathlib

import numpy as np
import timm
from PIL import Image
from timm.data import create_transform, resolve_data_config

from pillow_resize import fnv1a, noise

SIZES = [(97, 61), (61, 97), (320, 200), (40, 40)]
FILTERS = ["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"]
CONFIGS = [
    {"input_size": [3, 64, 64], "interpolation": "bicubic", "crop_pct": 0.95, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
    {"input_size": [3, 96, 96], "interpolation": "bilinear", "crop_pct": 0.875, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
    {"input_size": [3, 80, 80], "interpolation": "bicubic", "crop_pct": 1.0, "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3]},
    {"input_size": [3, 64, 48], "interpolation": "lanczos", "crop_pct": 0.9, "crop_mode": "squash", "mean": [0, 0, 0], "std": [1, 1, 1]},
]


def main():
    cases = []
    for config in CONFIGS:
        transform = create_transform(**resolve_data_config(pretrained_cfg=config), is_training=False)
        _, height, width = config["input_size"]
        scaled = [math.floor(side / config["crop_pct"]) for side in (height, width)]
        size = {"height": scaled[0], "width": scaled[1]} if "crop_mode" in config else {"shortest_edge": scaled[0]}
        file = {
            "image_processor_type": "TimmWrapperImageProcessor",
            "size": size,
            "crop_size": {"height": height, "width": width},
            "resample": FILTERS.index(config["interpolation"]),
            "image_mean": config["mean"],
            "image_std": config["std"],
        }
        for width, height in SIZES:
            picture = np.frombuffer(noise(width * height * 3), np.uint8).reshape(height, width, 3)
            pixels = np.ascontiguousarray(transform(Image.fromarray(picture))[None].numpy())
            cases.append({"file": file, "size": [width, height], "shape": list(pixels.shape), "fnv1a": fnv1a(pixels.tobytes())})
    path = pathlib.Path(__file__).parent.parent / "preprocess" / "timm.json"
    rows = ",\n".join(json.dumps(case) for case in cases)
    path.write_text(json.dumps({"timm": timm.__version__})[:-1] + ', "cases": [\n' + rows + "\n]}\n")
    print(len(cases))


if __name__ == "__main__":
    main()
