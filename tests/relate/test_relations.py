"""Tunnels and calls of captures in which a few ids and addresses meet in every way: the twins are equal, any split gives
the same rows, and what must hold of any capture holds.
"""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from builder import pcap
from helpers import Decoded, consistent, drive, same
from relations import relations

from pptpcap.wire.status import CallEnd, CallKind, CallPhase, CallPresent, CallReason, CallStatus, Side

# In the last one, a side would not authenticate itself.
SEEDS = range(90)
TUNNEL_OF = {"pns": True, "pac": False}


def capture(seed: int) -> bytes:
    rng = Random(seed)
    return pcap(relations(rng, rng.choice((10, 40, 150))))


def related(got: Decoded) -> None:
    """What must hold of the tunnels and calls of any capture."""
    calls, tunnels, gre = got["calls"], got["tunnels"], got["gre"]
    of_connections = int((calls["connection"] >= 0).sum())
    assert (calls["connection"][:of_connections] >= 0).all()
    assert (np.diff(calls["first_packet"][of_connections:].astype("i8")) > 0).all()
    belongs = got["messages"]["call"]
    assert ((belongs >= -1) & (belongs < of_connections)).all()
    for name in ("request_message", "reply_message", "disconnect_message"):
        told = np.flatnonzero(calls[name] >= 0)
        assert (belongs[calls[name][told]] == told).all()
    mine = belongs >= 0
    assert (calls["connection"][belongs[mine]] == got["messages"]["connection"][mine]).all()
    assert (np.diff(tunnels["first_packet"].astype("i8")) > 0).all()
    assert ((tunnels["call"] >= 0) & (tunnels["call"] < len(calls))).all()
    for side, from_pns in TUNNEL_OF.items():
        own = calls[f"{side}_tunnel"]
        joined = np.flatnonzero(own >= 0)
        assert len(set(own[joined].tolist())) == len(joined)
        assert (tunnels["call"][own[joined]] == joined).all()
        assert (tunnels["from_pns"][own[joined]] == from_pns).all()
        for name in (
            "packets",
            "acks",
            "lost",
            "duplicated",
            "reordered",
            "ack_delay_samples",
            "ack_delay_min_ns",
            "ack_delay_mean_ns",
        ):
            assert (calls[f"{side}_{name}"][joined] == tunnels[name][own[joined]]).all(), name
            assert (calls[f"{side}_{name}"][own < 0] == 0).all(), name
    mine = calls["connection"] < 0
    roles = calls["status"] & (CallStatus.ROLES_ASSUMED | CallStatus.ROLES_FROM_PPP)
    assert (mine == np.isin(roles, (CallStatus.ROLES_ASSUMED, CallStatus.ROLES_FROM_PPP))).all()
    assert (calls["kind"][mine] == CallKind.UNKNOWN).all()
    assert ((calls["reply_message"] >= 0) == ((calls["present"] & CallPresent.RESULT) != 0)).all()
    assert ((calls["disconnect_message"] >= 0) == ((calls["present"] & CallPresent.DISCONNECT) != 0)).all()
    assert (np.isnat(calls["end_time"]) == (calls["end"] == CallEnd.OPEN)).all()
    counted = np.bincount(gre["tunnel"][gre["tunnel"] >= 0], minlength=len(tunnels))
    assert (tunnels["packets"] + tunnels["acks"] <= counted).all()
    assert (tunnels["ack_delay_samples"] <= tunnels["packets"]).all()
    contents = ("ipv4", "ipv6", "encrypted", "compressed", "control", "multilink_ip", "other")
    assert np.all(sum(tunnels[f"{name}_packets"] for name in contents) == tunnels["packets"])


@pytest.mark.parametrize("seed", SEEDS)
def test_twins(seed):
    data = capture(seed)
    compiled = drive(data, "compiled")
    related(compiled)
    consistent(compiled)
    same(compiled, drive(data, "reference"), "compiled and reference")


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_any_split(seed, engine):
    """One packet at a time, or some."""
    data = capture(seed)
    whole = drive(data, engine)
    same(drive(data, engine, records=1 + seed % 7), whole)


def test_everything_happens():
    """The captures have what the rules tell apart, so that a rule that is broken is seen."""
    calls = np.concatenate([drive(capture(seed), "compiled")["calls"] for seed in SEEDS])
    tunnels = np.concatenate([drive(capture(seed), "compiled")["tunnels"] for seed in SEEDS])
    assert set(calls["kind"].tolist()) == set(CallKind)
    assert set(calls["end"].tolist()) == set(CallEnd) - {CallEnd.EVICTED}
    assert set(calls["phase"].tolist()) == set(CallPhase) - {CallPhase.NONE}
    assert set(calls["reason"].tolist()) == set(CallReason)
    assert set(calls["ended_by"].tolist()) == set(Side)
    assert int(np.bitwise_or.reduce(calls["status"])) == sum(CallStatus)
    assert set(calls["pns_eap_method"].tolist()) == {0, 4, 26}
    for name in ("lost", "duplicated", "reordered", "ack_delay_samples", "generation", "multilink_ip_packets"):
        assert tunnels[name].any(), name
