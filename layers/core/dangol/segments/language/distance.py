"""Distances on the earth: the haversine formula on a sphere of its mean radius.

Source: R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68 (2), 1984; right to about 0.5 %.
"""

import math

import numpy as np

from dangol.segments.language.columns import Mask, Numbers
from dangol.segments.language.syntax import Near

EARTH_KM = 6_371.0088
"""Mean radius R1 of the earth (IUGG, WGS 84)."""
_KM_A_DEGREE = math.radians(EARTH_KM)
"""Of latitude."""
_MARGIN = 0.01
"""Degrees: much more than rounding."""


def distance_km(latitude: float, longitude: float, near: Near) -> float | None:
    """Kilometres from one point to the place of `near`; None where it is no point of the earth."""
    if not (abs(latitude) <= 90 and math.isfinite(longitude)):
        return None
    here, there = math.radians(latitude), math.radians(near.latitude)
    north, east = here - there, math.radians(longitude) - math.radians(near.longitude)
    haversine = math.sin(north / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(east / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, haversine)))


def within(near: Near, latitudes: Numbers, longitudes: Numbers) -> Mask:
    """Of which points distance_km is at most that of `near`; false where missing."""
    # The way north or south alone rules most points out, for a comparison instead of four sines.
    reach = near.kilometres / _KM_A_DEGREE + _MARGIN
    found = np.asarray(
        (np.abs(latitudes - near.latitude) <= reach) & (np.abs(latitudes) <= 90) & np.isfinite(longitudes)
    )
    if not found.any():
        return found
    latitudes, longitudes = (np.broadcast_to(values, found.shape)[found] for values in (latitudes, longitudes))
    here, there = np.radians(latitudes), math.radians(near.latitude)
    north, east = here - there, np.radians(longitudes) - math.radians(near.longitude)
    haversine = np.sin(north / 2) ** 2 + np.cos(here) * math.cos(there) * np.sin(east / 2) ** 2
    found[found] = 2 * EARTH_KM * np.arcsin(np.sqrt(np.minimum(1.0, haversine))) <= near.kilometres
    return found
