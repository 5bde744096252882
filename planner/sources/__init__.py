"""The outside world -> canonical tables: files, coordinate systems, rasters, OpenStreetMap.

Whatever cannot be read is a ``DataError`` that says which file, which row and what to do.
"""
