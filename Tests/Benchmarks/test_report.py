"""python3 -m unittest, in this directory: the arithmetic of the report."""

import unittest

from ansbench import report
from ansbench.common import Figure, Yardstick, percentile


def record(values, better="low", yard=1.0):
    return Figure("P1", "x", "ms", values, better, None, Yardstick("y", yard, "ms")).record()


class Percentiles(unittest.TestCase):
    def test_is_a_value_that_was_measured(self):
        self.assertEqual(percentile([3, 1, 2], 0.5), 2)
        self.assertEqual(percentile(range(1, 101), 0.99), 99)
        self.assertEqual(percentile([7], 0.99), 7)


class Comparison(unittest.TestCase):
    def test_a_loss_within_the_spread_is_none(self):
        self.assertFalse(report.compare_one(record([10, 11, 14]), record([15, 15, 16]))[1])

    def test_a_loss_beyond_the_spread_is_one(self):
        self.assertTrue(report.compare_one(record([10, 11, 12]), record([14, 15, 16]))[1])

    def test_more_is_better_for_rates(self):
        self.assertTrue(report.compare_one(record([100, 110], "high"), record([70, 80], "high"))[1])
        self.assertFalse(report.compare_one(record([100, 110], "high"), record([200, 210], "high"))[1])

    def test_a_slower_machine_is_no_loss(self):
        self.assertFalse(report.compare_one(record([10, 11, 12]), record([20, 21, 22], yard=2.0))[1])
        self.assertTrue(report.compare_one(record([10, 11, 12]), record([40, 41, 42], yard=2.0))[1])

    def test_a_faster_machine_hides_nothing_and_forgives_nothing(self):
        self.assertFalse(report.compare_one(record([10, 11, 12]), record([10, 11, 12], yard=0.5))[1])

    def test_a_target_is_met_or_not(self):
        self.assertTrue(Figure("P1", "x", "ms", [1, 2, 9], "low", 2).met)
        self.assertFalse(Figure("P3", "x", "1/s", [1, 2, 9], "high", 3).met)
        self.assertIsNone(Figure("P3", "x", "1/s", [1], "high").met)


if __name__ == "__main__":
    unittest.main()
