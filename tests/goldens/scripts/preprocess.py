"""Writes tests/goldens/preprocess/cases.json: what `transformers`' slow image processors make of noise, as hashes.

    pip install pillow==13.0.0 numpy transformers==4.57.3 && python preprocess.py
"""
import json
import pathlib

import numpy as np
import transformers
from transformers.models.auto.image_processing_auto import get_image_processor_class_from_name as class_of

from pillow_resize import fnv1a, noise

SIZES = [(97, 61), (61, 97), (320, 200), (40, 40)]
FILES = [
    {"image_processor_type": "ViTImageProcessor"},
    {"image_processor_type": "ViTImageProcessor", "size": 192, "resample": 3, "do_normalize": False},
    {"image_processor_type": "ViTImageProcessor", "size": {"height": 96, "width": 128}, "do_rescale": False},
    {"image_processor_type": "ViTImageProcessor", "do_resize": False, "image_mean": [0.1, 0.2, 0.3]},
    {"feature_extractor_type": "ViTFeatureExtractor", "size": 64, "resample": 1, "image_std": [0.2, 0.3, 0.4]},
    {"image_processor_type": "CLIPImageProcessor"},
    {"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 50}, "crop_size": {"height": 64, "width": 60}},
    {"image_processor_type": "CLIPImageProcessor", "size": 70, "crop_size": 41, "resample": 2},
    {"image_processor_type": "CLIPImageProcessor", "do_center_crop": False, "size": {"height": 33, "width": 44}},
    {"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 73}, "crop_size": {"height": 64, "width": 64}},
    {"image_processor_type": "DeiTImageProcessor"},
    {"image_processor_type": "BeitImageProcessor", "do_center_crop": False},
    {"image_processor_type": "LevitImageProcessor", "size": {"shortest_edge": 80}, "crop_size": {"height": 80, "width": 80}},
    {"image_processor_type": "MobileNetV1ImageProcessor"},
    {"image_processor_type": "MobileNetV2ImageProcessor", "size": {"shortest_edge": 100}, "crop_size": {"height": 99, "width": 99}},
    {"image_processor_type": "MobileViTImageProcessor", "size": {"shortest_edge": 100}, "crop_size": {"height": 120, "width": 90}},
    {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 224}},
    {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 160}, "crop_pct": 0.95, "resample": 3},
    {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 384}},
    {"feature_extractor_type": "ConvNextFeatureExtractor", "size": 100, "crop_pct": 0.8},
    {"image_processor_type": "EfficientNetImageProcessor", "size": {"height": 60, "width": 60}},
    {"image_processor_type": "EfficientNetImageProcessor", "size": 90, "do_center_crop": True, "crop_size": 64, "include_top": False, "resample": 2},
    {"image_processor_type": "EfficientNetImageProcessor", "size": 50, "rescale_factor": 1 / 127.5, "rescale_offset": True, "image_std": [0.4, 0.5, 0.6]},
    {"image_processor_type": "SiglipImageProcessor"},
    {"image_processor_type": "SegformerImageProcessor", "size": {"height": 128, "width": 128}},
    {"image_processor_type": "PvtImageProcessor"},
    {"image_processor_type": "BlipImageProcessor", "size": {"height": 100, "width": 100}},
    {"image_processor_type": "DetrImageProcessor", "size": {"shortest_edge": 120, "longest_edge": 150}},
    {"image_processor_type": "DetrImageProcessor", "size": {"max_height": 90, "max_width": 140}},
    {"image_processor_type": "DetrImageProcessor", "size": {"height": 77, "width": 111}, "pad_size": {"height": 100, "width": 120}},
    {"feature_extractor_type": "DetrFeatureExtractor", "size": 80, "max_size": 133},
    {"image_processor_type": "ConditionalDetrImageProcessor", "size": {"shortest_edge": 61, "longest_edge": 300}},
    {"image_processor_type": "DeformableDetrImageProcessor", "size": {"shortest_edge": 100, "longest_edge": 119}, "do_pad": False},
    {"image_processor_type": "YolosImageProcessor", "size": {"shortest_edge": 100, "longest_edge": 133}},
    {"image_processor_type": "YolosImageProcessor", "size": {"shortest_edge": 61, "longest_edge": 600}},
    {"image_processor_type": "RTDetrImageProcessor", "size": {"height": 96, "width": 96}},
    {"image_processor_type": "RTDetrImageProcessor", "size": {"height": 64, "width": 96}, "do_normalize": True, "do_pad": True, "pad_size": {"height": 128, "width": 128}},
    {"image_processor_type": "MaskFormerImageProcessor", "size": {"shortest_edge": 80, "longest_edge": 100}},
    {"image_processor_type": "Mask2FormerImageProcessor", "size": {"shortest_edge": 70, "longest_edge": 128}, "size_divisor": 16},
    {"image_processor_type": "Mask2FormerImageProcessor", "size": {"height": 64, "width": 96}},
    {"image_processor_type": "MaskFormerImageProcessor", "do_resize": False},
    {"image_processor_type": "Mask2FormerImageProcessor", "size": {"shortest_edge": 70, "longest_edge": 128}, "_max_size": 333},
    {"feature_extractor_type": "MaskFormerFeatureExtractor", "size": 70, "max_size": 100, "size_divisibility": 16},
]


def main():
    cases = []
    for file in FILES:
        name = file.get("image_processor_type") or file["feature_extractor_type"].replace("FeatureExtractor", "ImageProcessor")
        for width, height in SIZES:
            picture = np.frombuffer(noise(width * height * 3), np.uint8).reshape(height, width, 3)
            try:
                made = class_of(name).from_dict(dict(file))(picture, return_tensors="np")
            except Exception as error:
                print(name, file, error)
                continue
            pixels = np.ascontiguousarray(made["pixel_values"], np.float32)
            row = {"file": file, "size": [width, height], "shape": list(pixels.shape), "fnv1a": fnv1a(pixels.tobytes())}
            if "pixel_mask" in made:
                row["mask_sum"] = int(made["pixel_mask"].sum())
            cases.append(row)
    path = pathlib.Path(__file__).parent.parent / "preprocess" / "cases.json"
    rows = ",\n".join(json.dumps(case) for case in cases)
    path.write_text(json.dumps({"transformers": transformers.__version__})[:-1] + ', "cases": [\n' + rows + "\n]}\n")
    print(len(cases))


if __name__ == "__main__":
    main()
