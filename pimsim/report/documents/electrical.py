"""The electrical chain of a run's chip, matrix by matrix."""

from __future__ import annotations

from pydantic import Field

from pimsim.report.documents.base import (
    Ampere,
    Femtofarad,
    Fraction,
    Joule,
    Millivolt,
    Part,
    PreActivation,
    Second,
    Volt,
    VoltPerAmpere,
)


class ElectricalFacts(Part):
    """Currents, voltages, times and errors of the bit lines of a weight matrix."""

    matrix: str = Field(description="name")
    transimpedance_v_per_a: VoltPerAmpere = Field(
        description="voltage of the load for a current: its resistance, or t / C of an integrator"
    )
    gain_v_per_a: VoltPerAmpere = Field(
        description="voltage at the read-out for a small difference of currents, compressed where "
        "no clamp holds resistive cells"
    )
    input_range_v: Volt = Field(
        description="differential voltage (+-) at the end of the matrix's range of sums"
    )
    mean_line_current_a: Ampere = Field(
        description="current of one bit line, with the rows that are assumed active"
    )
    highest_line_current_a: Ampere = Field(
        description="of the fullest line, 4 standard deviations above its mean"
    )
    probed_mean_current_a: Ampere = Field(
        description="the same of the first drawn chip, at the exact network's inputs"
    )
    probed_quantile_9999_current_a: Ampere = Field(
        description="its 99.99 % quantile over lines and reads"
    )
    probed_highest_current_a: Ampere = Field(description="its maximum")
    common_mode_v: Volt = Field(description="mean voltage across a load: below the supply")
    least_voltage_v: Volt = Field(
        description="voltage that the highest current leaves to clamp and cells"
    )
    needed_voltage_v: Volt = Field(description="voltage that clamp and cells need")
    settling_s: Second = Field(description="time from a raised word line to a settled line")
    capacitance_ff: Femtofarad = Field(description="of the node that is read, one side")
    line_capacitance_ff: Femtofarad = Field(description="of the bit line")
    noise_of_lines_mv: Millivolt = Field(
        description="kT/C and shot noise of both sides at a decision"
    )
    noise_of_read_out_mv: Millivolt = Field(description="noise of the read-out itself")
    mismatch: Fraction = Field(
        description="standard deviation of the ratio of both sides: loads, clamps, and offset by "
        "common mode"
    )
    mismatch_units: PreActivation = Field(description="times the mean current of a line")
    precharge_j: Joule = Field(description="energy of precharging one clamped bit line")
