"""What lies on the disk while a song is mastered lies in a folder of the test's own."""

import pytest


@pytest.fixture(autouse=True)
def _home(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("OTO_HOME", str(tmp_path_factory.mktemp("studio")))
