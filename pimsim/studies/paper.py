"""Which figures of Ma, Brooks and Wei are reproduced, from which networks, and what they say."""

from __future__ import annotations

from pimsim.studies.reproduce import Curve, PenaltyTable, SweepFigure

TEST_CLIPS = "speech-commands-test"
GRU_SIGMAS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)

PAPER: dict[str, SweepFigure | PenaltyTable] = {
    "fig3a": SweepFigure(
        title="GRUs trained through different stages",
        source="Ma et al., Fig. 3a",
        data=TEST_CLIPS,
        sigmas=GRU_SIGMAS,
        curves=(
            Curve("baseline, sigmoids, float weights", "gru_float", smooth=True),
            Curve("baseline, bits, float weights", "gru_float"),
            Curve("NNA(large to small), bits, 7 levels", "gru_nna_w7"),
            Curve("NNA(small), bits, 7 levels", "gru_nna_small_w7"),
            Curve("mixed neurons (ours), 7 levels", "gru_mixed_w7"),
        ),
        says=(
            "The baseline with bits is poor; with sigmoids it loses its accuracy at large noise.",
            "NNA(large) tolerates the widest range of noise and peaks at large noise.",
            "NNA(large to small) peaks higher, and at smaller noise; on hardware 91.6 to 91.7 %.",
            "NNA(small) alone is much worse than NNA(large to small).",
        ),
    ),
    "fig3c": SweepFigure(
        title="Noisy neuron annealing against the straight-through estimator, GRU",
        source="Ma et al., Fig. 3c",
        data=TEST_CLIPS,
        sigmas=GRU_SIGMAS,
        curves=(
            Curve("NNA(large to small), 7 levels", "gru_nna_w7"),
            Curve("mixed neurons (ours), 7 levels", "gru_mixed_w7"),
            Curve("STE, s = 3, 7 levels", "gru_ste3_w7"),
        ),
        says=(
            "Every GRU trained by STE is significantly worse than NNA.",
            "s = 3 is more accurate than s = 1, which tolerates more noise.",
        ),
    ),
    "table2": PenaltyTable(
        title="Loss penalty terms Pg + Pc, relative to the float baseline",
        source="Ma et al., Table 2 (eq. 12-14)",
        data=TEST_CLIPS,
        curves=(
            Curve("float baseline", "gru_float", paper="1.0000"),
            Curve("NNA(large to small)", "gru_nna_w7", paper="0.5018"),
            Curve("NNA(small)", "gru_nna_small_w7", paper="0.8272"),
        ),
        says=("Large noise halves the penalty; small noise afterwards keeps it halved.",),
    ),
}
