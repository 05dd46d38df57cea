"""Writes tests/goldens/tiny/*: graphs of a few nodes whose outputs are known, to test what real models rarely do.

    pip install onnx==1.23.2 numpy && python tiny_models.py

Every output depends on the input only by `0 x mean`, so that it has as many rows as the batch.
"""
import json
import pathlib

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh

ROOT = pathlib.Path(__file__).parent.parent / "tiny"
PROCESSOR = {"image_processor_type": "ViTImageProcessor", "size": {"height": 8, "width": 8}}


def zero(kind):
    """Nodes that make [batch, 1, 1] of noughts out of `pixels`."""
    dtype = np.float16 if kind == T.FLOAT16 else np.float32
    nodes = [
        h.make_node("ReduceMean", ["pixels", "axes"], ["mean"], keepdims=0),
        h.make_node("Mul", ["mean", "nought"], ["flat"]),
        h.make_node("Reshape", ["flat", "three"], ["zero"]),
    ]
    values = [
        nh.from_array(np.array([1, 2, 3], np.int64), "axes"),
        nh.from_array(np.array(0, dtype), "nought"),
        nh.from_array(np.array([-1, 1, 1], np.int64), "three"),
    ]
    return nodes, values


def save(name, nodes, values, outputs, kind=T.FLOAT, size=8, metadata=None, files=None, port="pixel_values", beside=(), rows="batch"):
    folder = ROOT / name
    folder.mkdir(parents=True, exist_ok=True)
    for node in nodes:
        node.input[:] = [port if one == "pixels" else one for one in node.input]
    inputs = [h.make_tensor_value_info(port, kind, [rows, 3, size, size]), *beside]
    graph = h.make_graph(nodes, name, inputs, [h.make_tensor_value_info(*one) for one in outputs], values)
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 18)], ir_version=9)
    if metadata:
        h.set_model_props(model, metadata)
    onnx.checker.check_model(model)
    onnx.save(model, folder / "model.onnx")
    for file, content in (files or {}).items():
        (folder / file).write_text(json.dumps(content, indent=1) + "\n")


def constant(name, values, kind=T.FLOAT, **more):
    """A graph that gives `values`, whatever it is shown."""
    nodes, held = zero(kind)
    for port, value in values.items():
        held.append(nh.from_array(value, port + "_value"))
        # Prototypes have four axes; the first is one all the same.
        added = port if value.ndim != 2 else port + "_3d"
        nodes.append(h.make_node("Add", ["zero", port + "_value"], [added]))
        if value.ndim == 2:
            held.append(nh.from_array(np.array([1], np.int64), port + "_axis"))
            nodes.append(h.make_node("Squeeze", [added, port + "_axis"], [port]))
    outputs = [(port, kind, ["batch", *value.shape[1:]]) for port, value in values.items()]
    save(name, nodes, held, outputs, kind=kind, **more)


def detector(labels):
    return {
        "config.json": {
            "architectures": ["DetrForObjectDetection"],
            "model_type": "detr",
            "id2label": {str(at): name for at, name in enumerate(labels)},
        },
        "preprocessor_config.json": {
            "image_processor_type": "RTDetrImageProcessor", "size": {"height": 8, "width": 8}
        },
    }


def classifier(**more):
    config = {"architectures": ["ViTForImageClassification"], "model_type": "vit", "id2label": {"0": "a", "1": "b", "2": "c"}}
    return {"config.json": config | more, "preprocessor_config.json": PROCESSOR}


def segmenter(architecture, **more):
    config = {"architectures": [architecture], "id2label": {"0": "a", "1": "b"}}
    return {"config.json": config | more, "preprocessor_config.json": PROCESSOR}


def numberless():
    """Segmentation and embedding models one number of which is none, or more than any; and vectors of plain ones."""
    classes = np.zeros((1, 2, 2, 2), np.float32)
    sure, masks = np.array([[[9, 0, 0], [0, 0, 9]]], np.float32), np.ones((1, 2, 2, 2), np.float32)
    tokens = np.ones((1, 3, 4), np.float32)
    maskformer = segmenter("MaskFormerForInstanceSegmentation", model_type="maskformer")
    dinov2 = {"config.json": {"architectures": ["Dinov2Model"], "model_type": "dinov2"}, "preprocessor_config.json": PROCESSOR}
    for word, number in (("nan", np.nan), ("infinite", np.inf)):
        with_one = lambda values: np.where(np.arange(values.size).reshape(values.shape) == 0, np.float32(number), values)
        constant(f"{word}-class-map", {"logits": with_one(classes)}, files=segmenter("SegformerForSemanticSegmentation", model_type="segformer"))
        constant(f"{word}-queries", {"class_queries_logits": with_one(sure), "masks_queries_logits": masks}, files=maskformer)
        constant(f"{word}-masks", {"class_queries_logits": sure, "masks_queries_logits": with_one(masks)}, files=maskformer)
        constant(f"{word}-embedding", {"last_hidden_state": with_one(tokens)}, files=dinov2)
    # A class token, and two patches whose mean is 2.
    constant("tokens", {"last_hidden_state": np.array([[[1, 2, 2, 4], [1] * 4, [3] * 4]], np.float32)}, files=dinov2)


def masked(name, size, **processor):
    """A detector that is as sure of class 1 as much of its mask, of 64 x 64, is set."""
    nodes, held = zero(T.FLOAT)
    held += [
        nh.from_array(np.array([1, 2], np.int64), "sides"),
        nh.from_array(np.array([[[0, 1, 0]]], np.float32), "second"),
        nh.from_array(np.array([[[-99, 0, 0]]], np.float32), "never"),
        nh.from_array(np.array([[[0.5, 0.5, 0.5, 0.5]]], np.float32), "box"),
    ]
    nodes += [
        h.make_node("Cast", ["pixel_mask"], ["set"], to=T.FLOAT),
        h.make_node("ReduceMean", ["set", "sides"], ["share"]),
        h.make_node("Mul", ["share", "second"], ["sure"]),
        h.make_node("Add", ["sure", "never"], ["row"]),
        h.make_node("Add", ["zero", "row"], ["logits"]),
        h.make_node("Add", ["zero", "box"], ["pred_boxes"]),
    ]
    files = detector(["a", "b"])
    files["preprocessor_config.json"] |= processor
    mask = h.make_tensor_value_info("pixel_mask", T.INT64, ["batch", 64, 64])
    outputs = [("logits", T.FLOAT, ["batch", 1, 3]), ("pred_boxes", T.FLOAT, ["batch", 1, 4])]
    save(name, nodes, held, outputs, size=size, files=files, beside=[mask])


def many():
    """5,000 queries, each sure of class 0, side by side."""
    nodes, held = zero(T.FLOAT)
    f = lambda value, name: held.append(nh.from_array(np.array(value, np.float32), name))
    f(0, "from"), f(5000, "to"), f(1, "by"), f(5000, "most")
    f([[[4.0, -4.0, -4.0]]], "row")
    f([[[0.5, 0.0001, 0.2]]], "rest")
    i = lambda value, name: held.append(nh.from_array(np.array(value, np.int64), name))
    i([1, 5000, 3], "shape"), i([1, 5000, 1], "column")
    nodes += [
        h.make_node("Range", ["from", "to", "by"], ["steps"]),
        h.make_node("Div", ["steps", "most"], ["shares"]),
        h.make_node("Reshape", ["shares", "column"], ["xs"]),
        h.make_node("Expand", ["rest", "shape"], ["rests"]),
        h.make_node("Concat", ["xs", "rests"], ["boxes"], axis=2),
        h.make_node("Add", ["zero", "boxes"], ["pred_boxes"]),
        h.make_node("Expand", ["row", "shape"], ["rows"]),
        h.make_node("Add", ["zero", "rows"], ["logits"]),
    ]
    outputs = [("logits", T.FLOAT, ["batch", 5000, 3]), ("pred_boxes", T.FLOAT, ["batch", 5000, 4])]
    save("many", nodes, held, outputs, files=detector(["a", "b"]))


def endless(name, factor, more):
    """A loop that goes round `factor` times as often as the picture is bright, and `more`."""
    nodes, held = zero(T.FLOAT)
    body = h.make_graph(
        [h.make_node("Identity", ["go"], ["again"]), h.make_node("Mul", ["x", "x"], ["squared"])],
        "round",
        [h.make_tensor_value_info(*one) for one in (("round", T.INT64, []), ("go", T.BOOL, []), ("x", T.FLOAT, ["batch", 1, 1]))],
        [h.make_tensor_value_info(*one) for one in (("again", T.BOOL, []), ("squared", T.FLOAT, ["batch", 1, 1]))],
    )
    held += [
        nh.from_array(np.array(factor, np.float32), "much"), nh.from_array(np.array(more, np.float32), "more"),
        nh.from_array(np.array([0.1, 0.7, 0.2], np.float32), "scores"), nh.from_array(np.array(True), "go"),
        nh.from_array(np.array([1], np.int64), "one"),
    ]
    nodes += [
        h.make_node("ReduceMean", ["pixels"], ["all"], keepdims=0),
        h.make_node("Mul", ["all", "much"], ["bright"]),
        h.make_node("Add", ["bright", "more"], ["rounds_f"]),
        h.make_node("Cast", ["rounds_f"], ["rounds"], to=T.INT64),
        h.make_node("Loop", ["rounds", "go", "zero"], ["looped"], body=body),
        h.make_node("Add", ["looped", "scores"], ["spread"]),
        h.make_node("Squeeze", ["spread", "one"], ["output0"]),
    ]
    save(name, nodes, held, [("output0", T.FLOAT, ["batch", 3])], size=64, port="images", metadata=ultralytics("classify", "abc"))


def fixed_by_name(name):
    """A classifier of two pictures at once that calls that axis "2", as the exporter of transformers 5 does."""
    nodes = [
        h.make_node("Reshape", ["pixel_values", "two"], ["flat"]),
        h.make_node("ReduceMean", ["flat", "axis"], ["mean"], keepdims=1),
        h.make_node("Mul", ["mean", "nought"], ["zero"]),
        h.make_node("Add", ["zero", "held"], ["logits"]),
    ]
    values = [
        nh.from_array(np.array([2, 192], np.int64), "two"),
        nh.from_array(np.array([1], np.int64), "axis"),
        nh.from_array(np.array(0, np.float32), "nought"),
        nh.from_array(np.array([[0, 2, -2]], np.float32), "held"),
    ]
    save(name, nodes, values, [("logits", T.FLOAT, ["2", 3])], files=classifier(), rows="2")


def first_row_only(name, final):
    """Finished boxes of the first picture of a batch, and noughts for all others, as of an export with nms=True and dynamic=True."""
    nodes, held = zero(T.FLOAT)
    nodes += [
        h.make_node("Add", ["zero", "one"], ["ones"]),
        h.make_node("CumSum", ["ones", "rows"], ["place"]),
        h.make_node("Less", ["place", "more"], ["first"]),
        h.make_node("Cast", ["first"], ["share"], to=T.FLOAT),
        h.make_node("Add", ["zero", "final"], ["all"]),
        h.make_node("Mul", ["all", "share"], ["output0"]),
    ]
    for value, called in ((1, "one"), (1.5, "more")):
        held.append(nh.from_array(np.array(value, np.float32), called))
    held += [nh.from_array(np.array(0, np.int64), "rows"), nh.from_array(final, "final")]
    told = ultralytics("detect", "ab", batch="1", args="{'batch': 1, 'nms': True, 'dynamic': True}")
    save(name, nodes, held, [("output0", T.FLOAT, ["batch", *final.shape[1:]])], size=64, port="images", metadata=told)


def ultralytics(task, names, **more):
    return {"task": task, "stride": "32", "names": str(dict(enumerate(names))), "imgsz": "[64, 64]"} | more


def main():
    f32 = lambda value: np.array(value, np.float32)
    many()
    # Never for black and for ever for white, and the other way round.
    endless("endless", 1e15, 0)
    endless("endless-black", -1e15, 1e15)
    boxes = f32([[[0.5, 0.5, 1.5, 0.5]]])
    constant("none", {"logits": f32([[[-5, -5, 5]]]), "pred_boxes": boxes}, files=detector(["a", "b"]))
    constant("nan-detector", {"logits": f32([[[np.nan, 1, 2]]]), "pred_boxes": boxes}, files=detector(["a", "b"]))
    constant("short-boxes", {"logits": f32([[[3, 1, 2]]]), "pred_boxes": boxes[:, :, :3]}, files=detector(["a", "b"]))
    constant("infinite-detector", {"logits": f32([[[np.inf, 1, 2]]]), "pred_boxes": boxes}, files=detector(["a", "b"]))
    constant("infinite-classifier", {"logits": f32([[np.inf, 1, 2]])}, files=classifier())
    # What Optimum makes of DETR: a mask of the size of its example.
    masked("mask-64", 8)
    masked("mask-64-padded", None, do_pad=True, pad_size={"height": 8, "width": 16})
    numberless()
    constant("nan-classifier", {"logits": f32([[np.nan, 1, 2]])}, files=classifier())
    constant("multi-label", {"logits": f32([[0, 2, -2]])}, files=classifier(problem_type="multi_label_classification"))
    constant("no-processor", {"logits": f32([[0, 2, -2]])}, files={"config.json": classifier()["config.json"]})
    fixed_by_name("fixed-by-name")
    # As torchvision's models are exported: nothing says what it is.
    constant("plain-classifier", {"output": f32([[0, 2, -2]])}, port="input")
    constant("no-logits", {"scores": f32([[0, 2, -2]])}, files=classifier())
    final = f32([[[8, 16, 40, 48, 0.9, 1], [8, 16, 40, 48, 0.8, 1], [0, 0, 8, 8, 0.1, 0], [0] * 6]])
    yolo = dict(size=64, port="images")
    first_row_only("yolo-suppressed", final)
    constant("yolo-end2end", {"output0": final}, metadata=ultralytics("detect", "ab", end2end="True"), **yolo)
    # Columns: cx, cy, w, h, a, b. Two anchors on the same place.
    raw = np.array([[[24, 32, 32, 32, 0.1, 0.9], [25, 32, 32, 32, 0.1, 0.8], [4, 4, 8, 8, 0.1, 0.0]]])
    half = raw.astype(np.float16)
    rows = np.concatenate([raw, np.zeros((1, 3, 1))], axis=2).astype(np.float32)
    constant("yolo-rows", {"output0": rows}, metadata=ultralytics("detect", "abc"), **yolo)
    # Its metadata is gone, as after simplifiers.
    constant("yolo-silent", {"output0": rows}, **yolo)
    # YOLOv10 of a version that does not say that its boxes are finished, with as many classes as make its rows ambiguous.
    constant("yolo-v10", {"output0": final}, metadata=ultralytics("detect", "ab"), **yolo)
    # RT-DETR: shares of the picture, found once each. A query of two likes, one of the other class, one of nothing.
    queries = f32([[[0.25, 0.5, 0.25, 1.0, 0.3, 0.9], [0.25, 0.5, 0.25, 1.0, 0.3, 0.8], [0.75, 0.5, 1.0, 1.0, 0.7, 0.2], [0.5, 0.5, 0.1, 0.1, 0, 0]]])
    finished = np.concatenate([queries[:, :, :4], f32([[[0.9, 1], [0.8, 1], [0.7, 0], [0, 0]]])], axis=2)
    says = dict(description="Ultralytics rtdetr-l model trained on coco.yaml")
    constant("rtdetr", {"output0": queries}, metadata=ultralytics("detect", "ab", **says), **yolo)
    constant("rtdetr-finished", {"output0": finished}, metadata=ultralytics("detect", "ab", head="RTDETRDecoder"), **yolo)
    constant("rtdetr-nameless", {"output0": queries[:, :, [0, 1, 2, 3, 4, 5, 5]]}, metadata=ultralytics("detect", "abc"), **yolo)
    constant("rtdetr-nameless-two", {"output0": queries}, metadata=ultralytics("detect", "ab"), **yolo)
    constant("rtdetr-nameless-finished", {"output0": finished}, metadata=ultralytics("detect", "abc"), **yolo)
    constant("yolo-half", {"output0": np.ascontiguousarray(half.transpose(0, 2, 1)[:, :, :2])}, kind=T.FLOAT16, metadata=ultralytics("detect", "ab"), **yolo)
    # One anchor on the right half, one prototype of which its coefficient keeps what is above the middle.
    head = np.array([[[48], [32], [32], [64], [0.1], [0.9], [2]]])
    planes = np.concatenate([np.ones((1, 1, 8, 16)), -np.ones((1, 1, 8, 16))], axis=2)
    for name, dtype, kind in (("yolo-segment", np.float32, T.FLOAT), ("yolo-segment-half", np.float16, T.FLOAT16)):
        constant(name, {"output0": head.astype(dtype), "output1": planes.astype(dtype)}, kind=kind, metadata=ultralytics("segment", "ab"), **yolo)
    # The same, and a weaker one of the other class, as rows of finished boxes: corners, score, class, coefficient. A last one is none.
    boxes = f32([[[32, 0, 64, 64, 0.9, 1, 2], [0, 0, 32, 64, 0.8, 0, 2], [0] * 7]])
    endless_planes = planes.astype(np.float32) * np.float32(np.inf)
    constant("yolo-segment-infinite", {"output0": head.astype(np.float32), "output1": endless_planes}, metadata=ultralytics("segment", "ab"), **yolo)
    for name, told in (("yolo-segment-finished", "True"), ("yolo-segment-silent", "False")):
        outputs = {"output0": boxes, "output1": planes.astype(np.float32)}
        constant(name, outputs, metadata=ultralytics("segment", "ab", end2end=told), **yolo)
    constant("yolo-classify-free", {"output0": f32([[0.2, 0.7, 0.1]])}, metadata=ultralytics("classify", "abc"), port="images", size=None)
    constant("yolo-classify", {"output0": f32([[0.2, 0.7, 0.1]])}, metadata=ultralytics("classify", "abc"), **yolo)


if __name__ == "__main__":
    main()
