from pathlib import Path

import cv2
from ultralytics import RTDETR, SAM, YOLO

WEIGHTS = Path("runs") / "detect" / "plates" / "weights"

SIZES = ("n", "s")
coco = YOLO("yolov8n.pt")
plates = YOLO(WEIGHTS / "best.pt")
candidates = [YOLO(f"yolo11{s}.pt") for s in SIZES]
segmenter = SAM("sam2_b.pt")
detr = RTDETR(model="rtdetr-l.pt")


def load(path):
    # yolov8x.pt is too slow here
    return YOLO(path, task="detect")


def crop(frame):
    for box in plates(frame)[0].boxes.xyxy.tolist():
        x0, y0, x1, y1 = map(int, box)
        yield cv2.cvtColor(frame[y0:y1, x0:x1], cv2.COLOR_BGR2GRAY)
