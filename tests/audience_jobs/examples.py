"""Arguments with which every job finds somebody in a sample world."""

import csv
from pathlib import Path

from audience_jobs.contract import Job


def arguments_for(job: Job, folder: Path) -> dict[str, object]:
    """Give values for what the job does not run without: a product is the most popular one."""
    needed = [parameter.name for parameter in job.parameters if parameter.default is None]
    return {name: first_product(folder) for name in needed if name == "product_id"}


def first_product(folder: Path) -> str:
    """Give the id of the most popular product of a sample world."""
    with (folder / "products.csv").open(encoding="utf-8", newline="") as file:
        return next(csv.DictReader(file))["id"]
