"""Pulsar winds as sources of nuclei. All numbers are example values: they come from no publication."""

from stellarcr.backend import namespace
from stellarcr.populations import ParameterInfo, Population, column

EXAMPLE = "example value"
LOWEST_EXPONENT = -300.0  # exp(-300): nothing is seen there, and exp never underflows


def pulsar_winds(composition, isotopes="dominant", pivot=1.0e4):
    """Build the population: a hard, curved spectrum with an exponential cutoff.

    Injected per unit rigidity: (R/pivot)^(gamma - curvature ln(R/pivot)) exp(-R/R_max), with the pivot in GV.
    """

    def spectrum(rigidity, parameters):
        xp = namespace(rigidity, *parameters.values())
        gamma, curvature, cutoff = (column(parameters[name]) for name in ("gamma", "curvature", "R_max"))
        log_ratio = xp.log(rigidity / pivot)
        exponent = (gamma - curvature * log_ratio) * log_ratio - rigidity / cutoff
        return xp.exp(xp.maximum(exponent, LOWEST_EXPONENT))

    return Population(
        name="pulsars",
        label=r"{\rm PSR}",
        composition=composition,
        isotopes=isotopes,
        parameters=(
            ParameterInfo("power", 1e46, "erg/yr", r"P_{\rm PSR}", EXAMPLE),
            ParameterInfo("gamma", -1.5, "", r"\gamma^{\rm PSR}", EXAMPLE),
            ParameterInfo("curvature", 0.02, "", r"\beta^{\rm PSR}", EXAMPLE),
            ParameterInfo("R_max", 3e5, "GV", r"R_{\rm max}^{\rm PSR}", EXAMPLE),
        ),
        shape=spectrum,
        budget=1e48,
        budget_source=EXAMPLE,
    )
