"""What OpenCV, Pillow and scikit-image make of a small picture: the references of Millrace's pixel operations.

    pip install opencv-python-headless pillow scikit-image numpy
    python pixels_reference.py

writes tests/goldens/pixels/*.png and pixels.json (versions, parameters, numbers)."""

import json
from pathlib import Path

import cv2
import numpy as np
import PIL
import skimage
from PIL import Image
from skimage.metrics import structural_similarity

here = Path(__file__).resolve().parent.parent
out = here / "pixels"

# Odd sides, so that no region divides evenly; an edge in every quarter.
rgb = np.asarray(Image.open(here / "images" / "coffee.jpg").convert("RGB").crop((150, 80, 231, 139)))
Image.fromarray(rgb).save(out / "source.png", optimize=True)
bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
facts = {"versions": {"opencv": cv2.__version__, "pillow": PIL.__version__, "scikit-image": skimage.__version__}}


def save(name, image, colour="bgr"):
    image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB) if colour == "bgr" else image
    Image.fromarray(image).save(out / f"{name}.png", optimize=True)


for kernel in (3, 7, 15, 31):
    save(f"average_{kernel}", cv2.blur(bgr, (kernel, kernel)))
    save(f"gaussian_{kernel}", cv2.GaussianBlur(bgr, (kernel, kernel), 0))
for kernel in (3, 7, 15):
    save(f"median_{kernel}", cv2.medianBlur(bgr, kernel))
for kernel in (5, 9):
    save(f"bilateral_{kernel}", cv2.bilateralFilter(bgr, kernel, 75, 75))

ycc = cv2.cvtColor(bgr, cv2.COLOR_BGR2YCrCb)
flat = ycc.copy()
flat[..., 0] = cv2.equalizeHist(ycc[..., 0])
save("equalize_histogram", cv2.cvtColor(flat, cv2.COLOR_YCrCb2BGR))
local = ycc.copy()
local[..., 0] = cv2.createCLAHE(2.0, (8, 8)).apply(ycc[..., 0])
save("equalize_clahe", cv2.cvtColor(local, cv2.COLOR_YCrCb2BGR))
# Per channel: OpenCV's normalize takes the range over all channels at once.
dull = (bgr // 2 + 40).astype(np.uint8)
save("dull", dull)
save("equalize_stretch", np.dstack([cv2.normalize(dull[..., c], None, 0, 255, cv2.NORM_MINMAX) for c in range(3)]))

for degrees in (30, 123.5):
    for expand in (True, False):
        turned = Image.fromarray(rgb).rotate(degrees, Image.BILINEAR, expand=expand, fillcolor=(10, 20, 30))
        name = f"rotate_{degrees}_{'expand' if expand else 'keep'}"
        turned.save(out / f"{name}.png", optimize=True)
turned = Image.fromarray(rgb).transpose(Image.ROTATE_90)
turned.save(out / "rotate_90_expand.png", optimize=True)

# A region: the box (33, 21)-(60, 44).
for name, blur in (("gaussian", lambda r: cv2.GaussianBlur(r, (15, 15), 0)), ("box", lambda r: cv2.blur(r, (15, 15)))):
    region = bgr.copy()
    region[21:44, 33:60] = blur(region[21:44, 33:60].copy())
    save(f"region_{name}", region)

noisy = np.clip(rgb.astype(int) + np.random.default_rng(7).integers(-25, 26, rgb.shape), 0, 255).astype(np.uint8)
save("noisy", noisy, "rgb")
facts["ssim"] = {
    "noisy": structural_similarity(rgb, noisy, channel_axis=2, data_range=255),
    "gaussian_7": structural_similarity(rgb, cv2.cvtColor(cv2.GaussianBlur(bgr, (7, 7), 0), cv2.COLOR_BGR2RGB), channel_axis=2, data_range=255),
    "small": structural_similarity(rgb[:5, :6], noisy[:5, :6], channel_axis=2, data_range=255, win_size=5),
}
facts["difference"] = {"noisy": float(np.abs(rgb.astype(int) - noisy).mean() / 255)}
(out / "pixels.json").write_text(json.dumps(facts, indent=1) + "\n")
