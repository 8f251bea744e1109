from pathlib import Path
from typing import Annotated

import typer
from ultralytics import RTDETR, SAM, YOLO

app = typer.Typer(help="detects things; the weights are yolov5s.pt by default (that was in 2022)")


@app.command()
def detect(
    source: Path,
    weights: Annotated[str, typer.Option("--weights", "-w")] = "yolo11n.pt",
    mask: str = typer.Option("sam2_b.pt", help="or sam_l.pt"),
    show: bool = False,
):
    model = YOLO(weights)
    boxes = model.predict(str(source), conf=0.25)
    seg = SAM(mask)
    for b in boxes:
        seg(b.orig_img, bboxes=b.boxes.xyxy)


@app.command()
def compare(source: Path):
    runs = [RTDETR("rtdetr-l.pt"), YOLO(model="runs/detect/train7/weights/best.pt", task="detect")]
    for run in runs:
        typer.echo(f"{run}: compared with yolov8x.pt")


if __name__ == "__main__":
    app()
