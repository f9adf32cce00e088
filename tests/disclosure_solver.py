"""The reader who calculates: a linear programme over everything that is published, which seeks what is hidden."""

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array


class Reader:
    """What a reader knows: numbers of people by name, none below 0, and sums of them that lie between two bounds."""

    def __init__(self):
        self._places = {}
        self._rows, self._bounds = [], []
        self._compiled, self._compiled_rows = {}, -1

    def learn(self, parts, least, greatest=None):
        """Take in that the sum of parts, each a name or a name and its weight, lies between two bounds."""
        named = [(part, 1) if isinstance(part, str) else part for part in parts]
        self._rows.append([(self._places.setdefault(name, len(self._places)), weight) for name, weight in named])
        self._bounds.append((least, least if greatest is None else greatest))

    def learn_share(self, parts, whole, share, *, decimals):
        """Take in that a share of people, each part and the whole a name, is printed with so many decimals."""
        half = 0.5 * 10**-decimals + 1e-12
        for sign, bound in ((1, share + half), (-1, share - half)):
            weighed = [*((name, sign) for name in parts), *((name, -sign * bound) for name in whole)]
            self.learn(weighed, -np.inf, 0)

    def range_of(self, name):
        """Return the least and the greatest number that something could be, infinite where nothing bounds it."""
        return self.range_of_sum([name])

    def range_of_sum(self, names):
        """Return the same of several numbers together."""
        if not self._places.keys() >= set(names):
            return 0, np.inf
        sought = np.zeros(len(self._places))
        sought[[self._places[name] for name in names]] = 1
        found = []
        for sign in (1, -1):
            result = linprog(sign * sought, **self._constraints(), bounds=(0, None))
            if result.status not in {0, 3}:
                # What the solver does first takes some that have solutions for such that have none: shares in five
                # digits beside the counts that they are of.
                result = linprog(sign * sought, **self._constraints(), bounds=(0, None), options={"presolve": False})
            # Status 3: nothing bounds it. Anything else but a solution says that what was published does not agree.
            assert result.status in {0, 3}, result.message
            found.append(np.inf if result.status == 3 else sign * result.fun)
        return found[0], found[1]

    def _constraints(self):
        if len(self._rows) != self._compiled_rows:
            known = set(zip(map(tuple, self._rows), self._bounds, strict=True))
            exact = [(row, least) for row, (least, greatest) in known if least == greatest]
            bounded = [(row, *bounds) for row, bounds in known if bounds[0] != bounds[1]]
            upper = [(row, greatest) for row, _least, greatest in bounded if np.isfinite(greatest)]
            upper += [
                ([(place, -weight) for place, weight in row], -least)
                for row, least, _greatest in bounded
                if np.isfinite(least)
            ]
            self._compiled = {
                "A_ub": self._matrix([row for row, _bound in upper]),
                "b_ub": [bound for _row, bound in upper],
                "A_eq": self._matrix([row for row, _bound in exact]),
                "b_eq": [bound for _row, bound in exact],
            }
            self._compiled_rows = len(self._rows)
        return self._compiled

    def _matrix(self, rows):
        # A name that stands in a row twice is added up.
        placed = [(line, place, weight) for line, row in enumerate(rows) for place, weight in row]
        lines, places, weights = zip(*placed, strict=True) if placed else ((), (), ())
        return coo_array((weights, (lines, places)), shape=(len(rows), len(self._places)), dtype="float64").tocsr()

    def width_of(self, name):
        """Return how far apart the least and the greatest number are."""
        least, greatest = self.range_of(name)
        return greatest - least

    def contradicting(self, counts):
        """Return what was learned and is not so of the people who are there, by their counts."""
        names = list(self._places)
        found = []
        for row, (least, greatest) in zip(self._rows, self._bounds, strict=True):
            value = sum(weight * counts[names[place]] for place, weight in row)
            if not least - 1e-6 <= value <= greatest + 1e-6:
                found.append(([(names[place], weight) for place, weight in row], value, least, greatest))
        return found
