"""Makes `raw/`: the smallest graphs with plain inputs and outputs, and two that are not plain. Needs onnx.
Usage: raw_models.py GOLDENS_FOLDER"""
import sys
from pathlib import Path

import onnx
from onnx import TensorProto as T, helper

info = helper.make_tensor_value_info


def save(folder, nodes, inputs, outputs, settings=None):
    folder.mkdir(parents=True, exist_ok=True)
    model = helper.make_model(helper.make_graph(nodes, "raw", inputs, outputs), opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, folder / "model.onnx")
    if settings:
        (folder / "millrace.toml").write_text(settings)


root = Path(sys.argv[1]) / "raw"
node = helper.make_node
# Several types, a free axis, an output without axes, and one that divides by what it is given.
save(root / "numbers",
     [node("Cast", ["count"], ["times"], to=T.FLOAT), node("Mul", ["x", "times"], ["scaled"]), node("ReduceSum", ["scaled"], ["total"], keepdims=0),
      node("Greater", ["x", "times"], ["beyond"]), node("Div", ["x", "times"], ["share"]), node("Add", ["count", "count"], ["twice"])],
     [info("x", T.FLOAT, ["n", 3]), info("count", T.INT64, [1])],
     [info("scaled", T.FLOAT, ["n", 3]), info("total", T.FLOAT, []), info("beyond", T.BOOL, ["n", 3]), info("share", T.FLOAT, ["n", 3]),
      info("twice", T.INT64, [1])])
# One input, and a picture may stand for it: blue first, interleaved.
save(root / "picture",
     [node("ReduceMean", ["pixels"], ["mean"], axes=[1, 2], keepdims=0)],
     [info("pixels", T.FLOAT, [1, 4, 6, 3])], [info("mean", T.FLOAT, [1, 3])],
     'family = "raw"\n\n[image]\nsize = [6, 4]\nlayout = "nhwc"\nchannels = "bgr"\nmean = [0.5, 0.0, 0.0]\nstd = [0.5, 1.0, 2.0]\n')
save(root / "texts", [node("Identity", ["words"], ["same"])], [info("words", T.STRING, ["n"])], [info("same", T.STRING, ["n"])])
save(root / "sequence", [node("SequenceConstruct", ["x", "x"], ["list"])], [info("x", T.FLOAT, [1])],
     [helper.make_tensor_sequence_value_info("list", T.FLOAT, [1])])
