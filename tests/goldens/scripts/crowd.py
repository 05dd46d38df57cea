"""Makes examples/crowd.jpg, 1280 x 960: sixteen scenes of the detector at 320 x 240, and what is on it.

A detector that sees 320 x 320 pixels finds little on the whole picture, a quarter of its size; in slices it finds
nearly all. examples/expected/small-objects.truth.json holds the boxes (xyxy, pixels) and names.

    python3 tests/goldens/scripts/crowd.py        (needs Pillow)
"""

import json
from pathlib import Path

from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parents[3]
SCENES = ROOT / "tests/goldens/shapes-detector/scenes"
COLUMNS, ROWS, WIDTH, HEIGHT = 4, 4, 320, 240

truth = json.loads((SCENES / "ground_truth.json").read_text())
names = sorted(truth)
crowd = Image.new("RGB", (COLUMNS * WIDTH, ROWS * HEIGHT))
boxes, labels = [], []
for cell in range(COLUMNS * ROWS):
    known = truth[names[cell % len(names)]]
    scene = Image.open(SCENES.parent / names[cell % len(names)]).convert("RGB")
    across, down = WIDTH / scene.width, HEIGHT / scene.height
    # The second time a scene is met it is turned over, so that no two cells are the same.
    mirrored = cell >= len(names)
    scene = scene.resize((WIDTH, HEIGHT), Image.Resampling.BOX)
    left, top = cell % COLUMNS * WIDTH, cell // COLUMNS * HEIGHT
    crowd.paste(ImageOps.mirror(scene) if mirrored else scene, (left, top))
    for (x1, y1, x2, y2), name in zip(known["boxes"], known["names"], strict=True):
        x1, x2 = x1 * across, x2 * across
        if mirrored:
            x1, x2 = WIDTH - x2, WIDTH - x1
        boxes.append([round(v, 2) for v in (left + x1, top + y1 * down, left + x2, top + y2 * down)])
        labels.append(name)

crowd.save(ROOT / "examples/crowd.jpg", quality=75)
expected = ROOT / "examples/expected"
expected.mkdir(exist_ok=True)
(expected / "small-objects.truth.json").write_text(json.dumps({"boxes": boxes, "names": labels}) + "\n")
print(len(boxes), "objects")
