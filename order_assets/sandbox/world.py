"""All that will ever happen in a shop, whatever the clock says: drawn on demand, remembered a while.

Days run from `start`; order `k` of day `n` has pk `FIRST_PK + n * orders_per_day + k`. What one sees of it at
a moment is in `shop`, what was changed by hand in `edits`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from datetime import date
from functools import lru_cache

from order_assets.sandbox import catalogue
from order_assets.sandbox.life import Life, draw_life
from order_assets.sandbox.order_facts import Facts, draw_facts
from order_assets.sandbox.people import Address, Customer, draw_address, draw_customer
from order_assets.sandbox.value_text import DAY, MINUTE, micros_of_day, stream

FIRST_PK = 1000


class World:
    """The made-up orders, customers and addresses of a seed, each by its pk."""

    def __init__(self, seed: int, start: date, orders_per_day: int) -> None:
        self.seed = seed
        self.per_day = orders_per_day
        self.opened = micros_of_day(start)
        self.first_ordinal = start.toordinal()
        self.customers_per_channel = max(20, orders_per_day * 8)
        self.life: Callable[[int], Life] = lru_cache(100_000)(self._life)
        self.facts: Callable[[int], Facts] = lru_cache(4_096)(self._facts)
        self.customer: Callable[[int], Customer] = lru_cache(8_192)(self._customer)
        self.address: Callable[[int], Address] = lru_cache(8_192)(self._address)

    def _life(self, pk: int) -> Life:
        day, index = divmod(pk - FIRST_PK, self.per_day)
        rng = stream(self.seed, "life", self.first_ordinal + day, index)
        # Orders are spread evenly, in the order of their pks; the first and the last stay close to midnight,
        # where a wrong time zone puts them on another day.
        width = DAY / self.per_day
        within = rng.random() * width
        if self.per_day > 1 and index in (0, self.per_day - 1):
            near = rng.random() * min(width, 29 * MINUTE)
            within = near if index == 0 else width - 1 - near
        return draw_life(rng, pk, self.opened + day * DAY + int(index * width + within))

    def _facts(self, pk: int) -> Facts:
        return draw_facts(self.seed, self.life(pk), self.customers_per_channel)

    def _customer(self, pk: int) -> Customer:
        return draw_customer(self.seed, self.opened, catalogue.channel_by_pk(pk % 100), pk)

    def _address(self, pk: int) -> Address:
        owner = self.customer(pk // 10)
        return draw_address(self.seed, owner, catalogue.channel_by_pk(owner.channel).currency, pk)

    def placed_until(self, now: int) -> int:
        """Give how many orders have been placed at `now`."""
        if not self.per_day or now < self.opened:
            return 0
        before = (now - self.opened) // DAY * self.per_day
        today = range(FIRST_PK + before, FIRST_PK + before + self.per_day)
        return before + bisect_right(today, now, key=lambda pk: self.life(pk).placed)

    def first_placed_since(self, at: int) -> int:
        """Give the first pk of the day of `at`; no order placed at or after `at` has a smaller one."""
        return FIRST_PK + max(0, at - self.opened) // DAY * self.per_day
