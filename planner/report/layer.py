"""One layer as a file of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from planner.errors import DataError, Fault

if TYPE_CHECKING:
    import geopandas as gpd


def save_layer(frame: gpd.GeoDataFrame, file: str | Path) -> Path:
    """Write one layer, all of it or nothing: ``.gpkg`` in its own CRS, ``.geojson`` in longitude and latitude.

    Returns
    -------
    The path written; a file of that name is replaced.

    Raises
    ------
    DataError : another kind of file, or one that may not be written
    """
    target = Path(file)
    drivers = {".gpkg": "GPKG", ".geojson": "GeoJSON"}
    driver = drivers.get(target.suffix.lower())
    if driver is None:
        raise DataError([Fault(str(file), f"{target.suffix!r} is no kind of layer", "Name a .gpkg or .geojson file.")])
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.stem}-") as beside:
            part = Path(beside) / target.name
            (frame if driver == "GPKG" else frame.to_crs(4326)).to_file(part, layer=target.stem, driver=driver)
            part.replace(target)
    except OSError as error:
        fault = Fault(str(file), f"it cannot be written: {error.strerror}", "Name another file.")
        raise DataError([fault]) from None
    return target
