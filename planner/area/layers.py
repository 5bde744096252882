"""Layers that a scenario names: files of shapes in the area's folder, as a flood or a landslide."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from planner.area.places import project, shapes_to_wgs84
from planner.area.store import hash_of
from planner.errors import DataError, Fault
from planner.sources.datum import DATUMS, is_datum
from planner.sources.files import SHAPES, read_shapes


def layer_sha256(folder: Path | None, name: str) -> str:
    """What a layer's file (of a Shapefile, all its parts) hashes to.

    Raises
    ------
    DataError : see ``read_layer``
    """
    return hash_of([_path(folder, name)])


def _path(folder: Path | None, name: str) -> Path:
    """Where a layer lies; a file outside the folder is never opened."""

    def fault(problem: str, fix: str) -> DataError:
        return DataError([Fault("scenario", f"travel.closed_areas: {problem}", fix)])

    if folder is None:
        raise fault(f"{name}: this area was made in memory and has no folder", "Write it with write_area first.")
    path = folder / name
    try:
        inside, there = path.resolve().is_relative_to(folder.resolve()), path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        raise fault(f"{name!r} is no name of a file", "Correct the name.") from None
    if not inside:
        raise fault(f"{name} is outside the area's folder", "Copy the file into the folder and name it there.")
    if not there:
        raise fault(f"there is no file {name} in {folder}", "Correct the name, or copy the file there.")
    if path.suffix.lower() not in SHAPES:
        raise fault(f"{name} is no file of shapes", f"Give one of {', '.join(SHAPES)}.")
    return path


def read_layer(folder: Path | None, name: str, datum: str, crs: str) -> np.ndarray:
    """The shapes of a layer in ``crs``.

    Parameters
    ----------
    datum : what the file is in: one of ``DATUMS`` or ``EPSG:n``; "" takes the file at its own word
    crs : the area's

    Raises
    ------
    DataError : absent, outside the folder, unreadable, without shapes, or of no known coordinate system
    """
    import shapely

    path = _path(folder, name)
    if datum and not is_datum(datum):
        fix = f"Write one of {', '.join(DATUMS)} or EPSG:n."
        raise DataError([Fault("scenario", f"travel.closed_areas_datum: {datum} is no datum", fix)])
    frame = read_shapes(path)
    if not hasattr(frame, "crs"):
        raise DataError([Fault(str(path), "there are no shapes in it", "Draw the areas that are closed.")])
    shapes = frame.geometry.to_numpy()
    shapes = np.asarray(shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))], dtype=object)
    if not len(shapes):
        raise DataError([Fault(str(path), "there are no shapes in it", "Draw the areas that are closed.")])
    if frame.crs is None and not datum:
        fix = "Save it with its CRS, or declare travel.closed_areas_datum in the scenario."
        raise DataError([Fault(str(path), "the file says no coordinate system", fix)])
    own = frame.crs.to_string() if frame.crs is not None else None
    moved = shapes_to_wgs84(shapes, own, datum or "wgs84")
    flat = shapely.transform(moved, lambda lonlat: project(lonlat[:, 0], lonlat[:, 1], crs))
    lost = np.array([not np.isfinite(shapely.get_coordinates(shape)).all() for shape in flat], dtype=bool)
    if lost.any():
        rows = tuple(int(row) + 1 for row in np.flatnonzero(lost))
        fix = "Correct the shapes, or travel.closed_areas_datum."
        raise DataError([Fault(str(path), f"the shape leaves what {crs} can show", fix, rows=rows)])
    return np.asarray(flat, dtype=object)
