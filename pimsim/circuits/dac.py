"""DACs of the rows: energy and area by published cost models, settling, and their bow.

No model is scaled to another node: DACs, like ADCs, are limited by noise and matching.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.circuits.adc import CAPACITOR_DENSITY
from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.lines import Lines
from pimsim.circuits.logic import LogicCosts
from pimsim.circuits.strobe import driver_capacitance, strobe_energy
from pimsim.circuits.word_line import charging_energy, raising_energy
from pimsim.config.drive import DacCostModel, MultiLevelDrive

# a DAC of one bit at 32 nm (Shafiee et al., ISAAC, Table I: 1,024 of them take 4 mW and 170 um2),
# twice as much for each further bit, while its line is driven: MNSIM, DAC.py [W, m2]
_ISAAC_POWER, _ISAAC_AREA = 3.9e-6, 0.166e-12
# capacitors of a DAC at 28 nm, for each bit: zigzag-imc, AimcArrayUnit.py [F]
_CAPACITANCE = 50e-15
# levels are held to this fraction of a step where DACs bend, so that sums stay whole numbers
LEVEL_GRID = 2.0**-6
# x (1 - x) reaches 1 / BOW
BOW = 4.0
# root of the mean square of a bow over evenly distributed levels, relative to its peak
MEAN_BOW = (8 / 15) ** 0.5


class DacCost(NamedTuple):
    """Energy of a conversion [J] and area of a DAC [m2]."""

    energy: float
    area: float


def dac_cost(model: DacCostModel, bits: int, pulse: float, supply: float) -> DacCost:
    """Energy and area of a DAC.

    Parameters
    ----------
    pulse : float
        Time for which it drives its line [s]; the power of ISAAC's flows for it.
    supply : float
        Of the chip [V]. Only the capacitive one has an energy that follows it, as its square.

    Notes
    -----
    The capacitive model states no area: it is that of its capacitors at 2.3 fF/um2 (CiMLoop,
    misc.py, 22 nm), and none for its switches.
    """
    if model == "isaac":
        size = 2 ** (bits - 1)
        return DacCost(_ISAAC_POWER * size * pulse, _ISAAC_AREA * size)
    capacitance = bits * _CAPACITANCE
    return DacCost(capacitance * supply**2, capacitance / CAPACITOR_DENSITY)


def settling_error(bits: int) -> float:
    """Error of a line at which it is within half a step, over its full level."""
    return 2.0 ** -(bits + 1)


def levels(amplitudes: NDArray[Any], largest: int, bow: NDArray[np.float64]) -> NDArray[np.float64]:
    """Levels of DACs that bend, on a grid of `LEVEL_GRID` [steps].

    Parameters
    ----------
    amplitudes : (n_rows, n_codes) int
        Amplitudes that are meant, 0 to `largest`.
    bow : (n_rows,) float64
        Peak error of each DAC, in the middle of its range [steps].

    Returns
    -------
    (n_rows, n_codes) float64
        Never negative; both ends are exact, as they are the references themselves.
    """
    share = amplitudes / largest
    bent = amplitudes + bow[:, None] * BOW * share * (1 - share)
    return np.asarray(np.maximum(np.round(bent / LEVEL_GRID) * LEVEL_GRID, 0.0))


def step_energy(lines: Lines, n_cells: int, largest: int) -> float:
    """Energy of charging a line of `n_cells` by one step of its level, and back [J].

    A line of gates swings to the word-line voltage, one that feeds resistors to their read voltage;
    either is charged from the supply of the word-line drivers.
    """
    supply = lines.config.word_line_driver.voltage
    if lines.has_input_lines:
        swing, capacitance = lines.device.read.voltage, lines.input_line_capacitance * n_cells
    else:
        swing, capacitance = lines.word_line_voltage, lines.word_line_capacitance * n_cells
    whole = capacitance + driver_capacitance(lines)
    return charging_energy(whole, swing / largest, supply)


def bill(
    block: MultiLevelDrive,
    lines: Lines,
    where: str,
    n_arrays: int,
    largest: int,
    pulse: float,
    costs: LogicCosts,
) -> Bill:
    """DACs and drivers of all rows of some arrays, and the strobes of a pulse.

    Parameters
    ----------
    largest : int
        Steps of the full level.
    pulse : float
        Time for which lines are driven [s].
    """
    array, driver = lines.config.array, lines.config.word_line_driver
    cost = dac_cost(block.cost, block.bits, pulse, costs.supply)
    n_rows = n_arrays * array.rows
    area = driver.area_in_gates * costs.gate_area
    drivers = n_rows * (2 if lines.has_input_lines else 1)
    of_lines = ("chip.array", "chip.drive", "chip.word_line_driver", "device.cell", "device.read",
                "technology.wire", "technology.transistor")  # fmt: skip
    of_pulse = ("chip.drive", "chip.bit_line", "chip.load", "chip.clamp", "chip.read_out")
    prices = [
        Price("dac", "conversions", cost.energy, of_pulse),
        Price("word_line_driver", "steps_driven",
              step_energy(lines, array.columns, largest), of_lines),
        Price("word_line_driver", "strobes",
              strobe_energy(lines, array.rows + array.columns, costs),
              ("chip.array", "technology.transistor")),
    ]  # fmt: skip
    if lines.has_input_lines:
        raised = raising_energy(lines, array.columns)
        prices.append(Price("word_line_driver", "rows_driven", raised, of_lines))
    return Bill(
        (
            Part("dac", where, n_rows, cost.area, costs.leakage_of(cost.area),
                 ("chip.drive", "chip.array"), "drivers"),
            Part("word_line_driver", where, drivers, area, costs.leakage_of(area),
                 ("chip.word_line_driver", "technology.logic_area"), "drivers"),
        ),
        tuple(prices),
    )  # fmt: skip
