"""What ships: the wheel holds what the product needs, names load late, docs hold what they promise."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import planner as pl

ROOT = Path(__file__).parents[1]


def test_the_wheel_holds_schemas_norms_assets_and_the_embedded_county(tmp_path):
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    for needed in (
        "planner/schema/schools.csv",
        "planner/norms/cn-rural-2018.toml",
        "planner/draw/map.js",
        "planner/draw/words.json",
        "planner/py.typed",
        "planner/default_area/xunyi/area.toml",
        "planner/default_area/xunyi/roads.parquet",
        "planner/default_area/xunyi/scenarios/county-2023.toml",
    ):
        assert needed in names
    assert not [name for name in names if ".cache" in name or name.startswith("tests/")]


def test_every_public_name_is_the_function_and_not_a_module():

    for name in pl.__all__:
        assert callable(getattr(pl, name)), name
    assert pl.optimise.__module__ == "planner.plan.best"
    assert sorted(pl.__all__) == dir(pl)


def test_every_python_file_is_short():
    for file in (ROOT / "planner").rglob("*.py"):
        assert len(file.read_text("utf-8").splitlines()) <= 450, file


def test_the_readme_names_every_command():
    readme = (ROOT / "README.md").read_text("utf-8")
    shown = subprocess.run(
        [sys.executable, "-m", "planner", "--help"], check=True, capture_output=True, encoding="utf-8", cwd=ROOT
    ).stdout
    commands = re.findall(r"^  (\w+) ", shown.split("Commands:")[1], re.MULTILINE)
    assert len(commands) == 16
    for command in commands:
        assert f"planner {command}" in readme, command


def test_nothing_names_a_registry_or_a_machine():
    files = [p for p in ROOT.rglob("*") if p.is_file() and not {".git", ".venv"} & set(p.relative_to(ROOT).parts)]
    for file in files:
        if file.suffix in (".py", ".toml", ".md", ".lock", ".yaml", ".ipynb", ".csv") or file.name == "Makefile":
            text = file.read_text("utf-8", errors="replace")
            for word in ("files.python" + "hosted.org", "pypi" + ".org", "/work" + "/main"):
                assert word not in text, (file, word)
