"""Makes `ultralytics-segment/`: a tiny graph with the outputs and the metadata of an Ultralytics segmentation export
(seeded random weights: labels mean nothing), and what the Ultralytics convention gives for the pictures.

The reference is numpy after ultralytics 8.4.190: letterbox, NMS and box scaling of ultralytics_reference.py, then
`ops.process_mask_native`: mask logits enlarged so that the padding falls on whole pixels, padding cut off, enlarged to the
picture, above zero, inside the box. Predictions without a pixel go.

Needs numpy, onnx, onnxruntime 1.31.1, opencv-python-headless, pycocotools.  Usage: segment_model.py GOLDENS_FOLDER
"""
import json
import math
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from pycocotools import mask as coco

from ultralytics_reference import letterbox, load_bgr, nms, unletterbox

SIDE, CLASSES, DIM = 160, 3, 8
NAMES = {0: "disc", 1: "bar", 2: "blob"}


def graph(path):
    rng = np.random.default_rng(7)
    weights, nodes = [], []

    def constant(name, array):
        weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def conv(name, source, channels, kernel, out):
        scale = 1.6 / math.sqrt(channels * kernel * kernel)
        w = constant(f"{name}_w", (rng.standard_normal((out, channels, kernel, kernel)) * scale).astype(np.float32))
        b = constant(f"{name}_b", (rng.standard_normal(out) * 0.3).astype(np.float32))
        nodes.append(helper.make_node("Conv", [source, w, b], [name], kernel_shape=[kernel] * 2, strides=[kernel] * 2))
        return name

    def node(kind, inputs, name, **attributes):
        nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    # Centred, so that pictures differ from each other.
    centred = node("Sub", ["images", constant("grey", np.float32(0.45))], "centred")
    lively = node("Mul", [centred, constant("gain", np.float32(3.0))], "lively")
    heads = []
    for stride in (8, 16):
        cells = SIDE // stride
        features = node("Tanh", [conv(f"f{stride}", lively, 3, stride, 24)], f"t{stride}")
        raw = conv(f"h{stride}", features, 24, 1, 4 + CLASSES + DIM)
        flat = node("Reshape", [raw, constant(f"s{stride}", np.array([0, 4 + CLASSES + DIM, -1], np.int64))], f"r{stride}")
        parts = [f"d{stride}", f"c{stride}", f"m{stride}"]
        split = constant(f"p{stride}", np.array([4, CLASSES, DIM], np.int64))
        nodes.append(helper.make_node("Split", [flat, split], parts, axis=1))
        ys, xs = np.meshgrid(np.arange(cells) + 0.5, np.arange(cells) + 0.5, indexing="ij")
        centres = np.stack([xs.ravel(), ys.ravel()])[None].astype(np.float32) * stride
        sides = node("Sigmoid", [parts[0]], f"sig{stride}")
        sides = node("Mul", [sides, constant(f"reach{stride}", np.float32(4 * stride))], f"sides{stride}")
        halves = [f"near{stride}", f"far{stride}"]
        nodes.append(helper.make_node("Split", [sides, constant(f"hs{stride}", np.array([2, 2], np.int64))], halves, axis=1))
        centre = constant(f"centre{stride}", centres)
        low = node("Sub", [centre, halves[0]], f"low{stride}")
        high = node("Add", [centre, halves[1]], f"high{stride}")
        middle = node("Mul", [node("Add", [low, high], f"sum{stride}"), constant(f"half{stride}", np.float32(0.5))], f"xy{stride}")
        size = node("Sub", [high, low], f"wh{stride}")
        scores = node("Sigmoid", [parts[1]], f"scores{stride}")
        heads.append(node("Concat", [middle, size, scores, parts[2]], f"out{stride}", axis=1))
    node("Concat", heads, "output0", axis=2)
    proto = conv("proto", lively, 3, 4, DIM)
    node("Mul", [proto, node("Sigmoid", [proto], "gate")], "output1")
    f32 = TensorProto.FLOAT
    anchors = (SIDE // 8) ** 2 + (SIDE // 16) ** 2
    made = helper.make_graph(
        nodes, "segment",
        [helper.make_tensor_value_info("images", f32, ["batch", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("output0", f32, ["batch", 4 + CLASSES + DIM, anchors]),
         helper.make_tensor_value_info("output1", f32, ["batch", DIM, SIDE // 4, SIDE // 4])],
        weights)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    facts = {"description": "seeded random weights", "task": "segment", "stride": "16", "batch": "1",
             "imgsz": str([SIDE, SIDE]), "names": str(NAMES), "channels": "3",
             "args": str({"batch": 1, "half": False, "int8": False, "nms": False})}
    helper.set_model_props(model, facts)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def interpolate(planes, size):
    """F.interpolate(planes[None], size, mode="bilinear", align_corners=False)[0] in single precision."""
    def taps(source, target):
        place = np.maximum(np.float32(source / target) * (np.arange(target, dtype=np.float32) + np.float32(0.5)) - np.float32(0.5), 0)
        low = np.minimum(place.astype(np.int64), source - 1)
        far = np.clip(place - low, 0, 1).astype(np.float32)
        return low, np.minimum(low + 1, source - 1), far
    y0, y1, fy = taps(planes.shape[1], size[0])
    x0, x1, fx = taps(planes.shape[2], size[1])
    row = lambda y: planes[:, y][:, :, x0] * (1 - fx) + planes[:, y][:, :, x1] * fx
    return row(y0) * (1 - fy)[None, :, None] + row(y1) * fy[None, :, None]


def native_masks(protos, coefficients, boxes, shape):
    c, mh, mw = protos.shape
    h, w = shape
    logits = (coefficients @ protos.reshape(c, -1)).reshape(-1, mh, mw)
    gain = min(4 * mh / h, 4 * mw / w)
    pad = (4 * mh - max(round(h * gain), 1)) | (4 * mw - max(round(w * gain), 1))
    f = 4 // math.gcd(4, pad | pad // 2)
    if f > 1:
        logits = interpolate(logits, (f * mh, f * mw))
    ih, iw = logits.shape[1:]
    if (ih, iw) != (h, w):
        gain = min(ih / h, iw / w)
        pad_w, pad_h = (iw - max(round(w * gain), 1)) / 2, (ih - max(round(h * gain), 1)) / 2
        top, left = round(pad_h - 0.1), round(pad_w - 0.1)
        bottom, right = top + max(round(h * gain), 1), left + max(round(w * gain), 1)
        logits = interpolate(logits[:, top:bottom, left:right], (h, w))
    masks = logits > 0
    columns, rows = np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes):
        mask &= (columns >= x1) & (columns < x2)
        mask &= ((rows >= y1) & (rows < y2))[:, None]
    return masks, f


def main(folder):
    own = folder / "ultralytics-segment"
    own.mkdir(exist_ok=True)
    graph(own / "model.onnx")
    session = onnxruntime.InferenceSession(str(own / "model.onnx"), providers=["CPUExecutionProvider"])
    cases = []
    for picture in ("astronaut.jpg", "camera_gray.png", "chelsea_alpha.png", "coffee.jpg", "page.png", "rocket_exif6.jpg"):
        bgr = load_bgr(folder / "images" / picture)
        tensor = letterbox(bgr, (SIDE, SIDE))
        tensor = tensor[0] if isinstance(tensor, tuple) else tensor
        output, protos = (each[0] for each in session.run(None, {"images": tensor}))
        for conf, iou in ((0.8, 0.45), (0.65, 0.2)):
            # A threshold in the widest gap near the wanted one, so that small differences do not change the number.
            best = np.sort(output[4:4 + CLASSES].max(0))
            near = best[(best > conf - 0.03) & (best < conf + 0.03)]
            gap = int(np.argmax(np.diff(near))) if len(near) > 1 else 0
            conf = float((near[gap] + near[gap + 1]) / 2) if len(near) > 1 else conf
            rows = nms(output, CLASSES, conf=conf, iou=iou)
            rows = rows[0] if isinstance(rows, tuple) else rows
            boxes = unletterbox(rows, (SIDE, SIDE), bgr.shape)[:, :4]
            masks, enlarged = native_masks(protos, rows[:, 6:], boxes, bgr.shape[:2])
            kept = [place for place in range(len(rows)) if masks[place].any()]
            written = [coco.encode(np.asfortranarray(masks[place].astype(np.uint8))) for place in kept]
            cases.append({
                "image": f"images/{picture}", "params": {"conf": conf, "iou": iou}, "enlarged_first": enlarged,
                "without_a_pixel": len(rows) - len(kept),
                "expected": {
                    "boxes": [[round(float(v), 4) for v in boxes[place]] for place in kept],
                    "scores": [round(float(rows[place, 4]), 6) for place in kept],
                    "labels": [int(rows[place, 5]) for place in kept],
                    "masks": [{"size": list(map(int, each["size"])), "counts": each["counts"].decode()} for each in written],
                },
            })
            print(picture, round(conf, 3), iou, len(kept), "of", len(rows), "enlarged", enlarged)
    golden = {"schema": 1, "model": "ultralytics-segment", "task": "segment", "image_root": "..",
              "reference": "scripts/segment_model.py (numpy after ultralytics 8.4.190)", "cases": cases}
    (own / "golden.json").write_text(json.dumps(golden, separators=(",", ":")))


main(Path(sys.argv[1]))
