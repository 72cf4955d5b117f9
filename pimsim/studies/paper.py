"""Reproduced figures of Ma, Brooks and Wei, with their networks and published values."""

from __future__ import annotations

from pimsim.studies.reproduce import Curve, DeviceFigure, PenaltyTable, Spec, SweepFigure

TEST_CLIPS, TEST_DIGITS = "speech-commands-test", "mnist-test"
GRU_SIGMAS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
LENET5_SIGMAS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
LEVELS_OF_LENET5 = (
    "15 levels lose nothing against full-precision weights, and 7 levels a little.",
)


def _lenet5_levels(method: str) -> tuple[Curve, ...]:
    return tuple(Curve(f"{levels} levels", f"lenet5_{method}_w{levels}") for levels in (15, 7, 3))


PAPER: dict[str, Spec] = {
    "fig3a": SweepFigure(
        title="GRUs trained through different stages",
        source="Ma et al., Fig. 3a",
        data=TEST_CLIPS,
        sigmas=GRU_SIGMAS,
        curves=(
            Curve("baseline, sigmoids, float weights", "gru_float", smooth=True),
            Curve("baseline, bits, float weights", "gru_float"),
            Curve("NNA(large), bits, 7 levels", "gru_nna_large_w7"),
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
    "fig3b": SweepFigure(
        title="GRUs with different numbers of weight levels",
        source="Ma et al., Fig. 3b",
        data=TEST_CLIPS,
        sigmas=GRU_SIGMAS,
        curves=tuple(
            Curve(f"{levels} levels", f"gru_mixed_w{levels}") for levels in (15, 7, 5, 3, 2)
        ),
        says=(
            "7 and 5 levels are almost as good as full-precision weights.",
            "3 levels lose at large noise, and little at small noise.",
            "2 levels lose clearly everywhere.",
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
            Curve("STE, s = 1, 7 levels", "gru_ste1_w7"),
            Curve("STE, s = 3, 7 levels", "gru_ste3_w7"),
            Curve("STE, s = 1 to 3, 7 levels", "gru_ste13_w7"),
        ),
        says=(
            "Every GRU trained by STE is significantly worse than NNA.",
            "s = 3 is more accurate than s = 1, which tolerates more noise.",
        ),
    ),
    "fig4": DeviceFigure(
        title="The 7-level GRU on chips of three devices",
        source="Ma et al., Fig. 4",
        data=TEST_CLIPS,
        model="gru",
        paper={
            "reram": "91.71 +- 0.27 %",
            "pcm": "91.60 +- 0.34 %",
            "cmos_mlc": "91.60 +- 0.29 %",
        },
        curves=(Curve("", "gru_w7"),),
        says=("The three devices are equally accurate, and their chips differ little.",),
    ),
    "table2": PenaltyTable(
        title="Loss penalty terms Pg + Pc, relative to the float baseline",
        source="Ma et al., Table 2 (eq. 12-14)",
        data=TEST_CLIPS,
        curves=(
            Curve("float baseline", "gru_float", paper="1.0000"),
            Curve("NNA(large)", "gru_nna_large_w7", paper="0.5034"),
            Curve("NNA(large to small)", "gru_nna_w7", paper="0.5018"),
            Curve("NNA(small)", "gru_nna_small_w7", paper="0.8272"),
        ),
        says=("Large noise halves the penalty; small noise afterwards keeps it halved.",),
    ),
    "fig5a": SweepFigure(
        title="LeNet5 on MNIST: float baseline, NNA and STE",
        source="Ma et al., Fig. 5a",
        data=TEST_DIGITS,
        sigmas=LENET5_SIGMAS,
        curves=(
            Curve("baseline, sigmoids, float weights", "lenet5_wide_float", smooth=True),
            Curve("baseline, bits, float weights", "lenet5_wide_float"),
            Curve("NNA, 15 levels", "lenet5_nna_w15"),
            Curve("STE, 15 levels", "lenet5_ste_w15"),
        ),
        says=("NNA and STE reach peaks comparable to the float network, STE slightly higher.",),
    ),
    "fig5b": SweepFigure(
        title="LeNet5 by NNA with different numbers of weight levels",
        source="Ma et al., Fig. 5b",
        data=TEST_DIGITS,
        sigmas=LENET5_SIGMAS,
        curves=_lenet5_levels("nna"),
        says=LEVELS_OF_LENET5,
    ),
    "fig5c": SweepFigure(
        title="LeNet5 by STE with different numbers of weight levels",
        source="Ma et al., Fig. 5c",
        data=TEST_DIGITS,
        sigmas=LENET5_SIGMAS,
        curves=_lenet5_levels("ste"),
        says=LEVELS_OF_LENET5,
    ),
}
# what a reader may ask for by one name
GROUPS = {"fig5": ("fig5a", "fig5b", "fig5c")}
