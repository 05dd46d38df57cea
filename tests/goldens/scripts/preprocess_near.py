"""Writes tests/goldens/preprocess/near.json: what image processors make of noise that scale in floating point, on torchvision
only, as samples: to be equalled to about a grey level.

    pip install numpy torchvision==0.29.2 transformers==5.23.0 && python preprocess_near.py
"""
import json
import pathlib
import random

import numpy as np
import transformers
from transformers.models.auto.image_processing_auto import get_image_processor_class_from_name as class_of

from pillow_resize import noise

SIZES = [(97, 61), (61, 97), (320, 200), (40, 40)]
FILES = [
    {"image_processor_type": "DINOv3ViTImageProcessor"},
    {"image_processor_type": "DINOv3ViTImageProcessorFast", "size": {"height": 48, "width": 64}},
    {"image_processor_type": "RfDetrImageProcessor", "size": {"height": 56, "width": 56}},
    {"image_processor_type": "RfDetrImageProcessor", "size": {"shortest_edge": 80, "longest_edge": 133}},
]


def main():
    random.seed(11)
    cases = []
    for file in FILES:
        for width, height in SIZES:
            picture = np.frombuffer(noise(width * height * 3), np.uint8).reshape(height, width, 3)
            name = file["image_processor_type"].removesuffix("Fast")
            made = class_of(name).from_dict(dict(file))(picture.copy(), return_tensors="np")
            pixels = np.asarray(made["pixel_values"], np.float32)
            places = [random.randrange(pixels.size) for _ in range(40)]
            samples = [[place, round(float(pixels.flat[place]), 4)] for place in places]
            cases.append({"file": file, "size": [width, height], "shape": list(pixels.shape), "samples": samples})
    path = pathlib.Path(__file__).parent.parent / "preprocess" / "near.json"
    rows = ",\n".join(json.dumps(case) for case in cases)
    path.write_text(json.dumps({"transformers": transformers.__version__})[:-1] + ', "cases": [\n' + rows + "\n]}\n")
    print(len(cases))


if __name__ == "__main__":
    main()
