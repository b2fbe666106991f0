"""Usage by loyalty: how much of a category customers use, and whether they keep to own label, to a brand, or switch."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.segments.models.scheme import amount, check, labelled, rising

LEVELS = ("heavy", "medium", "light")
LOYALTIES = ("own label", "national", "switcher")
NEEDED = ("usage", "own_label_share", "national_share")


@dataclass(frozen=True)
class BrandLoyalty:
    """Nine cells of a category's customers: heavy, medium or light, by own label, national brand or switcher.

    Loyal is who spends at least `loyal` of what they spend on the category on own label, or on one national brand.
    """

    usage_cuts: tuple  # light is up to the first, heavy above the second; in the currency of the data
    loyal: float = 2 / 3  # share of usage, above one half

    name: ClassVar = "brand_loyalty"
    labels: ClassVar = tuple(f"{level}, {loyalty}" for level in LEVELS for loyalty in LOYALTIES)

    @classmethod
    def fit(cls, brands, levels=(1 / 3, 2 / 3), loyal=2 / 3):
        """Cuts of usage learned from a frame of `tables.brands.brands`.

        levels : shares of customers who are light, and light or medium
        Raises InputError for cuts out of order, usage the same for all, and fewer customers than cells.
        """
        levels = rising(levels, 0, 1, "levels")
        if len(levels) != 2 or not 0.5 < loyal <= 1:
            raise InputError(f"levels = {levels}, loyal = {loyal!r}: give two levels, and loyal above 0.5, up to 1")
        check(brands, cls.name, NEEDED, varying=["usage"], least=len(cls.labels))
        return cls(tuple(np.quantile(brands.usage, levels, method="inverted_cdf").tolist()), float(loyal))

    def assign(self, brands):
        """The cell of each customer of the category: an ordered Series. Raises InputError for usage of 0 or less."""
        check(brands, self.name, NEEDED)
        if unused := int((brands.usage <= 0).sum()):
            raise InputError(
                f"features: 'usage' is 0 or less for {unused:,} of {len(brands):,} customers, who are none of the "
                f"category; leave them out of {self.name}"
            )
        level = 2 - np.searchsorted(self.usage_cuts, brands.usage.to_numpy(float))
        own, national = (brands[name].to_numpy(float) >= self.loyal for name in NEEDED[1:])
        return labelled(3 * level + np.select([own, national], [0, 1], 2), self, brands.index)

    def rules(self):
        """Which values each cell has: a frame by label."""
        low, high, loyal = (amount(v) for v in (*self.usage_cuts, self.loyal))
        usage = (f"usage above {high}", f"usage above {low}, up to {high}", f"usage up to {low}")
        share = (f"own label at least {loyal} of it", f"one national brand at least {loyal} of it", "neither")
        says = [f"{use}; {part}" for use in usage for part in share]
        return pd.DataFrame({"rule": says}, pd.Index(self.labels, name="label"))


def nine_cells(labels):
    """Share of the category's customers in each cell: a frame, usage by loyalty."""
    shares = labels.value_counts(sort=False, normalize=True).to_numpy().reshape(3, 3)
    return pd.DataFrame(shares, pd.Index(LEVELS, name="usage"), pd.Index(LOYALTIES, name="loyalty"))
