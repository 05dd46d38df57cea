"""What OpenCV needs for the same steps on the same picture: one JSON object of milliseconds, medians, by step.

    python3 shared/vision/benches/opencv.py picture.jpg        (needs opencv-python-headless)
"""

import json
import sys
import time

import cv2
import numpy as np

cv2.setNumThreads(1)
ROUNDS = 15
data = np.fromfile(sys.argv[1], np.uint8)
frame = cv2.imdecode(data, cv2.IMREAD_COLOR)
height, width = frame.shape[:2]


def median_ms(step):
    step()
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        step()
        times.append(time.perf_counter() - begun)
    return sorted(times)[len(times) // 2] * 1000


def letterbox(picture, size=640):
    scale = min(size / picture.shape[1], size / picture.shape[0])
    inner = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    small = cv2.resize(picture, inner, interpolation=cv2.INTER_LINEAR)
    left, top = (size - inner[0]) // 2, (size - inner[1]) // 2
    return cv2.copyMakeBorder(
        small, top, size - inner[1] - top, left, size - inner[0] - left, cv2.BORDER_CONSTANT, value=(114, 114, 114)
    )


def chain():
    return cv2.dnn.blobFromImage(letterbox(cv2.imdecode(data, cv2.IMREAD_COLOR)), 1 / 255, swapRB=True)


def turn():
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 15, 1)
    return cv2.warpAffine(frame, matrix, (width, height), flags=cv2.INTER_LINEAR)


def per_channel(step):
    return lambda: cv2.merge([step(plane) for plane in cv2.split(frame)])


def on_lightness(step):
    def run():
        lab = cv2.cvtColor(frame, cv2.COLOR_BGR2LAB)
        lab[..., 0] = step(lab[..., 0])
        return cv2.cvtColor(lab, cv2.COLOR_LAB2BGR)

    return run


def regions(blur):
    def run():
        picture = frame.copy()
        for at in range(20):
            x, y = 40 + at % 5 * 360, 40 + at // 5 * 250
            picture[y : y + 160, x : x + 160] = blur(picture[y : y + 160, x : x + 160])
        return picture

    return run


def pixelate(part):
    small = cv2.resize(part, (8, 8), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, part.shape[1::-1], interpolation=cv2.INTER_NEAREST)


def draw_boxes():
    picture = frame.copy()
    for at in range(50):
        x, y = 20 + at % 10 * 180, 40 + at // 10 * 200
        cv2.rectangle(picture, (x, y), (x + 120, y + 120), (0, 200, 80), 2, cv2.LINE_AA)
        (w, h), _ = cv2.getTextSize("star 0.97", cv2.FONT_HERSHEY_SIMPLEX, 0.8, 2)
        cv2.rectangle(picture, (x, y - h - 8), (x + w, y), (0, 200, 80), -1)
        cv2.putText(picture, "star 0.97", (x, y - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2, cv2.LINE_AA)
    return picture


def heatmap():
    heat = np.zeros((height, width), np.float32)
    for at in range(50):
        cv2.circle(heat, (80 + at % 10 * 180, 100 + at // 10 * 200), 40, 1.0, -1)
    heat = cv2.GaussianBlur(heat, (0, 0), 20)
    colours = cv2.applyColorMap((heat / heat.max() * 255).astype(np.uint8), cv2.COLORMAP_TURBO)
    return cv2.addWeighted(frame, 0.5, colours, 0.5, 0)


clahe = cv2.createCLAHE(2.0, (8, 8))
steps = {
    "decode": lambda: cv2.imdecode(data, cv2.IMREAD_COLOR),
    "decode + letterbox 640 + normalise": chain,
    "encode JPEG 90": lambda: cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 90]),
    "encode PNG": lambda: cv2.imencode(".png", frame),
    "resize to 800, bilinear": lambda: cv2.resize(frame, (800, 450), interpolation=cv2.INTER_LINEAR),
    "resize to 800, area": lambda: cv2.resize(frame, (800, 450), interpolation=cv2.INTER_AREA),
    "resize to 2560, bicubic": lambda: cv2.resize(frame, (2560, 1440), interpolation=cv2.INTER_CUBIC),
    "crop 640 x 640": lambda: frame[100:740, 100:740].copy(),
    "turn by 90": lambda: cv2.rotate(frame, cv2.ROTATE_90_COUNTERCLOCKWISE),
    "turn by 15": turn,
    "flip": lambda: cv2.flip(frame, 1),
    "smooth: average 5": lambda: cv2.blur(frame, (5, 5)),
    "smooth: gaussian 5": lambda: cv2.GaussianBlur(frame, (5, 5), 0),
    "smooth: median 5": lambda: cv2.medianBlur(frame, 5),
    "smooth: bilateral 5": lambda: cv2.bilateralFilter(frame, 5, 75, 75),
    "equalize: histogram": on_lightness(cv2.equalizeHist),
    "equalize: clahe": on_lightness(clahe.apply),
    "blur 20 regions: gaussian 15": regions(lambda part: cv2.GaussianBlur(part, (15, 15), 0)),
    "blur 20 regions: pixelate 20": regions(pixelate),
    "draw 50 boxes with labels": draw_boxes,
    "heatmap of 50": heatmap,
}
print(json.dumps({name: median_ms(step) for name, step in steps.items()}))
