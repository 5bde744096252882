"""What every test and doctest may name: ``tiny``."""

import pytest

from tests import tiny as tiny_module


@pytest.fixture(scope="session")
def tiny():
    return tiny_module.make()


@pytest.fixture(autouse=True)
def _doctest_names(doctest_namespace, request):
    if request.node.__class__.__name__ == "DoctestItem":
        doctest_namespace["tiny"] = request.getfixturevalue("tiny")
