"""A small band, what was heard of it, and the mix that is proposed for it: made once."""

import pytest

from core.analysis.track import analyse_source
from core.mix.engineer import propose_mix
from tests.core.mix.band import band


@pytest.fixture(scope="package")
def sources():
    return band()


@pytest.fixture(scope="package")
def analyses(sources):
    return {source.name: analyse_source(source) for source in sources}


@pytest.fixture(scope="package")
def plan(sources, analyses):
    return propose_mix(sources, analyses=analyses)
