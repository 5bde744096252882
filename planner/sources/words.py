"""Columns of words, few of which differ: the tags of roads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.sources.arrow import texts, to_arrow, to_numpy


@dataclass(frozen=True, eq=False)
class Words:
    """A column of words; whatever is asked of it is asked of every different word once.

    Parameters
    ----------
    code : (n,) int32, places in ``words``
    words : (n_word,) str; ``of`` and ``joined`` give each once
    """

    code: np.ndarray
    words: np.ndarray

    @classmethod
    def of(cls, column: Any) -> Words:
        """Of any column of words.

        >>> Words.of(["road", "", "road"]).code.tolist()
        [1, 0, 1]
        """
        words, code = np.unique(np.asarray(column, dtype=object), return_inverse=True)
        return cls(code.astype(np.int32), words)

    @classmethod
    def joined(cls, columns: Sequence[Words]) -> Words:
        """Columns one after another.

        >>> Words.joined([Words.of(["road", ""]), Words.of(["", "path"])]).plain().tolist()
        ['road', '', '', 'path']
        """
        place: dict[str, int] = {}
        codes = []
        for column in columns:
            used, which = np.unique(column.code, return_inverse=True)
            code = [place.setdefault(word, len(place)) for word in column.words[used].tolist()]
            codes.append(np.array(code, dtype=np.int32)[which])
        return cls(np.concatenate(codes), np.array(list(place), dtype=object))

    @classmethod
    def of_arrow(cls, column: Any) -> Words:
        """What was made a column of Arrow."""
        held = column.combine_chunks()
        return cls(to_numpy(held.indices), np.array(held.dictionary.to_pylist(), dtype=object))

    def to_arrow(self) -> Any:
        """A column of Arrow."""
        import pyarrow as pa

        return pa.DictionaryArray.from_arrays(to_arrow(self.code), texts(self.words.tolist()))

    def __len__(self) -> int:
        return len(self.code)

    def plain(self) -> np.ndarray:
        """(n,) the words, as objects.

        >>> Words.of(["road", "", "road"]).plain().tolist()
        ['road', '', 'road']
        """
        return np.asarray(self.words[self.code])

    def __getitem__(self, rows: np.ndarray) -> Words:
        """Some rows of the column."""
        return Words(self.code[rows], self.words)

    def each(self, say: Callable[[str], float]) -> np.ndarray:
        """(n,) float, what a function says of each word.

        >>> Words.of(["road", "", "road"]).each(len).tolist()
        [4.0, 0.0, 4.0]
        """
        said = np.array([say(word) for word in self.words.tolist()], dtype=float)
        return np.asarray(said[self.code])

    def among(self, *some: str) -> np.ndarray:
        """(n,) bool, whether each is one of some words.

        >>> Words.of(["road", "", "road"]).among("", "path").tolist()
        [False, True, False]
        """
        found = np.array([word in some for word in self.words.tolist()], dtype=bool)
        return np.asarray(found[self.code])
