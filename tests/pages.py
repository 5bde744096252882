"""Pages read as a reader reads them: text without marks, tables with every column under the words above it."""

import re
from html.parser import HTMLParser

COUNTED = ("pupils", "seats", "free", "from here", "change school", "学生", "学位", "余位", "转入", "换校", "超标人数")
"""Words above columns of pupils or seats."""
BEFORE = re.compile(r"([\d,]*\d)\s?(?:名|人|个学位|pupils?\b|seats?\b|children)")
NAMED = "(?:pupils|seats|elsewhere|change school|学生|学位|换校)"
AFTER = re.compile(NAMED + r"[^\d.。;；,，]{0,16}(?!0\d)([\d,]*\d)(?![\d,]|\.\d| km)", re.I)  # 01 is a sheet's number
UNIT = re.compile(r"(?: pupils| seats| 人| 个)$")


class Page(HTMLParser):
    """The text outside tables, and every table as its columns: (words above, cells).

    >>> page = Page("<p>7 pupils</p><table><tr><th>A</th></tr><tr><td>5</td></tr></table>")
    >>> page.text, page.tables
    ('7 pupils', [[('A', ['5'])]])
    """

    def __init__(self, html):
        super().__init__()
        self._said, self._cell, self._silent, self._table = [], None, 0, None
        self.tables = []
        self.feed(html)
        self.text = re.sub(r"\s+", " ", "".join(self._said)).strip()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag in ("style", "script", "title"):
            self._silent += 1
        elif tag == "table":
            self._table = {"row": -1, "at": 0, "taken": set(), "heads": {}, "cells": {}, "body": False}
        elif tag in ("thead", "tbody"):
            self._table["body"] = tag == "tbody"
        elif tag == "tr":
            self._table["row"] += 1
            self._table["at"] = 0
        elif tag in ("td", "th"):
            self._cell = (tag, int(given.get("rowspan", 1)), int(given.get("colspan", 1)), [])
        else:
            self._said.append(" ")

    def handle_endtag(self, tag):
        table = self._table
        if tag in ("style", "script", "title"):
            self._silent -= 1
        elif tag in ("td", "th"):
            kind, high, wide, said = self._cell
            while (table["row"], table["at"]) in table["taken"]:
                table["at"] += 1
            for column in range(table["at"], table["at"] + wide):
                table["taken"] |= {(table["row"] + k, column) for k in range(high)}
                above = kind == "th" and not table["body"]  # in the body it is a heading of rows
                table["heads" if above else "cells"].setdefault(column, []).append("".join(said).strip())
            table["at"] += wide
            self._cell = None
        elif tag == "table":
            columns = sorted(table["cells"].items())
            self.tables.append([(" ".join(table["heads"].get(column, [])), cells) for column, cells in columns])
            self._table = None

    def handle_data(self, data):
        if self._cell is not None:
            self._cell[3].append(data)
        elif not self._silent:
            self._said.append(data)


def counts_in(html):
    """Every number of pupils or seats of a page: in its sentences, under its headings, in its scorecard."""
    read = Page(html)
    text = re.sub(r"0 may be up to 4|0可表示0至4人|0 可表示 0 至 4 人", "", read.text)
    said = BEFORE.findall(text) + AFTER.findall(text)
    for table in read.tables:
        for words in (word for head, cells in table for word in (head, *cells)):
            said += BEFORE.findall(words) + AFTER.findall(words)
        said += [cell for head, cells in table for cell in cells if any(word in head.lower() for word in COUNTED)]
        if table and table[0][0] in ("Indicator", "指标"):
            rows = zip(*(cells for _, cells in table), strict=True)
            said += [cell for row in rows if UNIT.search(row[0]) for cell in row[1:3]]
    return [int(number.replace(",", "")) for number in said if re.fullmatch(r"[\d,]+", number)]
